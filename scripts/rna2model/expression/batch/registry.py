"""The batch models by name, and whether a design lets batches be told from labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.expression.batch.base import ADAPT_SAMPLES, KIND, UNSEEN, BatchModel
from rna2model.expression.batch.combat import ComBat
from rna2model.expression.batch.mean_shift import Center, Limma
from rna2model.expression.batch.ranks import Ranks

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "ADAPT_SAMPLES",
    "METHODS",
    "UNSEEN",
    "BatchModel",
    "ComBat",
    "check_confounding",
    "confounding",
    "load",
    "make",
]

METHODS = {cls.method: cls for cls in (BatchModel, ComBat, Limma, Center, Ranks)}


def make(
    method: str, reference: str | None = None, mean_only: bool = False, adapt_samples: int = ADAPT_SAMPLES
) -> BatchModel:
    """An unfitted batch model, a key of METHODS; `reference` and `mean_only` are ComBat's."""
    if method not in METHODS:
        raise InputProblem(f"batch correction {method!r} is not one of {', '.join(METHODS)}.")
    return METHODS[method](reference, mean_only, adapt_samples)


def load(path: str | Path) -> BatchModel:
    """The fitted batch model saved at `path`."""
    arrays, settings = artefact.read(path, KIND)
    model = make(*(settings[name] for name in ("method", "reference", "mean_only", "adapt_samples")))
    model.batches_ = settings["batches"]
    model.unseen_, model.choice_ = settings.get("unseen", "uncorrected"), settings.get("choice")
    for name in model.learned:
        setattr(model, name, arrays[name])
    return model


def confounding(batches: NDArray[Any], labels: NDArray[Any]) -> dict[str, Any]:
    """Cramer's V between batch and label (0 none, 1 complete) and their cross table {batch: {label: n}}."""
    batches, labels = np.asarray(batches).astype(str), np.asarray(labels).astype(str)
    rows, columns = sorted(set(batches.tolist())), sorted(set(labels.tolist()))
    table = np.array([[((batches == r) & (labels == c)).sum() for c in columns] for r in rows], dtype=float)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    smaller = min(len(rows), len(columns)) - 1
    v = np.sqrt(((table - expected) ** 2 / expected).sum() / table.sum() / smaller) if smaller else 0.0
    cross = {
        r: {c: int(n) for c, n in zip(columns, line, strict=True)}
        for r, line in zip(rows, table, strict=True)
    }
    return {"cramers_v": float(v), "table": cross}


def check_confounding(batches: NDArray[Any], labels: NDArray[Any]) -> None:
    """InputProblem when every batch has one label only: correction would remove the label with the batch."""
    table = confounding(batches, labels)["table"]
    single = all(sum(count > 0 for count in row.values()) == 1 for row in table.values())
    if single and len(table) > 1 and len(set(np.asarray(labels).astype(str).tolist())) > 1:
        pairs = "; ".join(
            f"{batch}: {', '.join(k for k, n in row.items() if n)}" for batch, row in table.items()
        )
        raise InputProblem(
            f"batch and target coincide ({pairs}): correction would remove the label together with the batch."
            " Set expression.batch_correction to none, and do not believe any score of this design."
        )
