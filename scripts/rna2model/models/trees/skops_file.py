"""scikit-learn models on disk without pickle (skops), equal bytes for equal models.

skops names parts by memory address and stamps the time; both are replaced, so that a rerun that learns
the same thing changes nothing downstream.
"""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "model.skops"
SCHEMA = "schema.json"
HIDDEN = {"sklearn.externals.array_api_compat.torch": "torch", "pytest": "sklearn.utils._testing"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip entry can carry


def write(path: str | Path, estimator: Any) -> None:
    """Write a fitted estimator to `path`."""
    with zipfile.ZipFile(io.BytesIO(_skops().dumps(estimator))) as raw:
        schema = json.loads(raw.read(SCHEMA))
        files = _renumber(schema)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as out:
            out.writestr(zipfile.ZipInfo(SCHEMA, EPOCH), json.dumps(schema), zipfile.ZIP_DEFLATED)
            for old, new in files.items():
                out.writestr(zipfile.ZipInfo(new, EPOCH), raw.read(old), zipfile.ZIP_DEFLATED)


def read(path: str | Path, trusted: Sequence[str]) -> Any:
    """The estimator at `path`; InputProblem unless its types are scikit-learn's own or in `trusted`."""
    skops = _skops()
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        return skops.load(path, trusted=trusted)
    except UntrustedTypesFoundException as error:
        raise InputProblem(f"{path} holds types that a model of this project never has: {error}") from None
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise InputProblem(f"{path} is not a readable model ({error}); train it again.") from None


def untrusted(path: str | Path) -> list[str]:
    """Sorted names of the types in the file at `path` that skops trusts only if it is told to."""
    return sorted(_skops().get_untrusted_types(file=path))


def untrusted_of(estimator: Any) -> list[str]:
    """The same of an estimator as it would be written."""
    return sorted(_skops().get_untrusted_types(data=_skops().dumps(estimator)))


def _skops():
    """The module skops.io, without torch and pytest unless they are there already.

    skops looks for estimators in all packages of scikit-learn, of which two import these: longer than all else together.
    """
    hidden = [name for name, of in HIDDEN.items() if not {name, of} & set(sys.modules)]
    sys.modules.update(dict.fromkeys(hidden))  # importing them fails, which scikit-learn passes over
    try:
        import skops.io
    finally:
        for name in hidden:
            del sys.modules[name]
    return skops.io


def _renumber(schema):
    """Number parts and files in order of appearance, in place; returns {old file name: new file name}."""
    numbers, files = {}, {}

    def walk(node):
        if isinstance(node, dict):
            if "__id__" in node:
                node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
            if isinstance(node.get("file"), str):
                ending = node["file"].rpartition(".")[2]
                node["file"] = files.setdefault(node["file"], f"{len(files) + 1}.{ending}")
        for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            walk(child)

    walk(schema)
    return files
