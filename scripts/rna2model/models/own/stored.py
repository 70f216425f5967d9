"""A user's estimator on disk: its file of code beside what skops wrote, with the types that skops would have to trust.

Nothing is unpickled. What skops does not know by itself is a type of the user's file or of a package that the file imports; these
are named in model.json, whose checksum a bundle keeps, and trusted only where the code itself may be imported.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.models.own import source
from rna2model.models.trees import skops_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LEARNED = {"numpy", "scipy", "sklearn"}  # packages whose classes any estimator is made of


def write(folder: Path, code: Mapping[str, str], estimator: Any) -> None:
    """Write the text of the file (code {"file", "text"}) and the fitted estimator to `folder`."""
    write_code(folder, code)
    with source.in_users_words(code["file"], "what it returned cannot be stored by skops"):
        skops_file.write(folder / skops_file.NAME, estimator)


def described(folder: Path, code: Mapping[str, str]) -> dict[str, Any]:
    """{"file", "sha256", "types": list of what skops does not know} of a folder that `write` wrote."""
    types = skops_file.untrusted(folder / skops_file.NAME)
    return {"file": name_of(code), "sha256": source.sha256(code["text"]), "types": types}


def write_code(folder: Path, code: Mapping[str, str]) -> None:
    """Write the text of the file (code {"file", "text"}) to `folder`."""
    (folder / name_of(code)).write_bytes(code["text"].encode())


def name_of(code: Mapping[str, str]) -> str:
    """The file's name without its folder."""
    return code["file"].rpartition("/")[2]


def check(estimator: Any, file: str, name: str) -> None:
    """InputProblem where an estimator, not fitted, has parts that skops could not read again."""
    with source.in_users_words(file, f"what {name} returned cannot be stored by skops"):
        types = skops_file.untrusted_of(estimator)
    odd = [one for one in types if "<" in one or one.partition(".")[0] == "__main__"]
    if odd:
        raise InputProblem(
            f"{file}: what {name} returned holds {', '.join(odd)}, which cannot be stored without pickle: give functions a name"
            " (def) at the left margin of the file"
        )


def read(folder: Path, own: Mapping[str, Any], text: str) -> Any:
    """The estimator in `folder`, trusting of own["types"] the classes of the file with this text and of what it imports."""
    packages = LEARNED | (_imports(text) - set(sys.stdlib_module_names))
    module = f"{source.PACKAGE}.{str(own['file']).removesuffix('.py')}."
    odd = [name for name in own["types"] if not name.startswith(module) and not _is_class(name, packages)]
    if odd:
        raise InputProblem(
            f"{folder / skops_file.NAME} holds {', '.join(odd)}, which {own['file']} does not need: no class of it or of a"
            " package that it imports"
        )
    return skops_file.read(folder / skops_file.NAME, trusted=own["types"])


def _imports(text: str) -> set[str]:
    """Packages that a Python text imports, by their first name."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {one.name.partition(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).partition(".")[0])
    return names


def _is_class(name: str, packages: Sequence[str] | set[str]) -> bool:
    """Whether a dotted name is a class of one of the packages; only then is its module imported."""
    place, _, last = name.rpartition(".")
    if place.partition(".")[0] not in packages:
        return False
    try:
        return inspect.isclass(getattr(importlib.import_module(place), last, None))
    except ImportError as error:
        raise InputProblem(f"the model needs {name}, which is not installed here ({error})") from None
