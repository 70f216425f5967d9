"""Read and check the fitted parts of a bundle, for serving and for models that start from its weights."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model import models
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.expression.features import imputation
from rna2model.serving import manifest as manifests
from rna2model.training import preprocessing

if TYPE_CHECKING:
    from collections.abc import Iterator

FEATURES = "features.safetensors"  # only where models see other than genes


def read(
    folder: str | Path, allow_code: bool = False
) -> tuple[dict[str, Any], preprocessing.Preprocessing, Any]:
    """(manifest, Preprocessing, model) of the bundle in `folder`; InputProblem where it is damaged or holds no numbers.

    allow_code : whether Python code in it may be imported; otherwise InputProblem where there is some
    """
    folder, manifest = Path(folder), manifests.read(folder)
    manifests.check_files(folder, manifest)
    listed = manifest["files"]
    for name in listed:
        if name.endswith(".safetensors"):  # of a covariate that did not vary the scale is infinite
            artefact.check_numbers(
                folder / name, infinite=not name.startswith("model/"), gaps=imputation.WITH_GAPS
            )
    with readable(folder):
        normalizer, batch_model = (folder / f"{name}.safetensors" for name in ("normalizer", "batch_model"))
        features = folder / FEATURES if FEATURES in listed else None
        learned = preprocessing.load(normalizer, batch_model, features)
        model = models.load(folder / "model", allow_code)
        if model.task == "classification":
            model.classes_ = [str(name) for name in model.classes_]
        learned = learned.shown_to(model)
    return manifest, learned, model


@contextlib.contextmanager
def readable(folder: str | Path) -> Iterator[None]:
    """Turn Python's or numpy's errors about parts that do not fit together into an InputProblem about the bundle."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OSError) as error:
        raise InputProblem(
            f"{folder} is not a readable bundle ({type(error).__name__}: {error}); get it again, or train it again."
        ) from None
