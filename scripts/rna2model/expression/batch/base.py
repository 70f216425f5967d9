"""What all batch models share: learned on training samples, then applied to one sample at a time without its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from rna2model.core import artefact
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

KIND = "batch_model"
UNSEEN = ("auto", "uncorrected", "refuse", "adapt")
ADAPT_SAMPLES = 8
GENES_AT_ONCE = 1024  # in float64 while learning, so that the whole matrix never is


class BatchModel:
    """Learns how batches differ; `transform` takes that out of a sample of a known batch.

    Attributes
    ----------
    batches_ : list of str, the training batches, sorted
    corrects_ : bool, whether there is anything to take out (two training batches or more)
    unseen_ : what `unseen="auto"` does with a batch that training did not have
    choice_ : JSON-able dict of what training/batch_choice.py chose from and how, or None where nothing was chosen
    """

    method = "none"
    learned: ClassVar[tuple[str, ...]] = ()
    of_one_sample = False  # what is done to a sample needs no batch: new ones get it, too
    unseen_: str = "uncorrected"
    choice_: dict[str, Any] | None = None

    def __init__(
        self, reference: str | None = None, mean_only: bool = False, adapt_samples: int = ADAPT_SAMPLES
    ) -> None:
        self.reference, self.mean_only, self.adapt_samples = reference, mean_only, adapt_samples

    def fit(
        self,
        X: NDArray[Any],
        batches: NDArray[Any],
        gene_ids: Sequence[str] | None = None,
        protect: NDArray[Any] | None = None,
    ) -> Self:
        """Learn from X (n, g) log2 expression and batches (n,); gene_ids (g,) only name a gene in an error.

        protect : (n,) labels of the training samples whose differences are kept when batches are told apart, or None.
        They are used here only: a sample is corrected without its label.
        """
        X, batches = _checked(X, batches, gene_ids)
        self.batches_ = sorted(set(batches.tolist()))
        if self.reference is not None and self.reference not in self.batches_:
            raise InputProblem(
                f"reference batch {self.reference!r} is not among the training batches ({', '.join(self.batches_)});"
                " a split that holds it out cannot be corrected towards it."
            )
        self._learn(X, np.searchsorted(self.batches_, batches), _indicators(protect, len(X)))
        return self

    @property
    def corrects_(self) -> bool:
        return bool(self.learned) and len(self.batches_) > 1

    def is_known(self, batches: NDArray[Any]) -> NDArray[np.bool_]:
        """(m,) bool, whether training had the batch."""
        return np.isin(np.asarray(batches).astype(str), self.batches_)

    def transform(self, X: NDArray[Any], batches: NDArray[Any], unseen: str = "uncorrected") -> NDArray[Any]:
        """(m, g) corrected expression, float32 if X is, else float64; arithmetic is in float64.

        A sample of a batch that training did not have is left as it is (`uncorrected`), or an InputProblem (`refuse`);
        with `adapt` a new batch of at least `adapt_samples` is brought to the training samples by its own, without
        labels. Only then does a sample depend on the others that came with it.
        """
        if unseen not in UNSEEN:
            raise InputProblem(f"unseen batches are {', '.join(UNSEEN)}, not {unseen!r}.")
        X, batches = _checked(X, batches)
        X, unseen = X.copy(), self.rule(unseen)
        known = self.is_known(batches)
        if unseen == "refuse" and self.method != "none" and not known.all():
            raise InputProblem(
                f"batch {str(batches[~known][0])!r} was not in training (batches: {', '.join(self.batches_)}), and"
                " expression.unseen_batch is refuse; use uncorrected to predict such samples, flagged."
            )
        for row in np.flatnonzero(known | self.of_one_sample):
            X[row] = self._row(
                X[row].astype(float), self.batches_.index(batches[row]) if known[row] else None
            )
        if unseen == "adapt":
            adapted = self.adapts(batches)
            for name in sorted(set(batches[adapted].tolist())):
                X[batches == name] = self._adapt(X[batches == name].astype(float))
        return X

    def rule(self, unseen: str) -> str:
        """What `unseen` does with a batch that training did not have: `auto` is what was chosen."""
        return self.unseen_ if unseen == "auto" else unseen

    def adapts(self, batches: NDArray[Any]) -> NDArray[np.bool_]:
        """(m,) bool, whether a sample's batch is new and large enough to be adapted."""
        batches = np.asarray(batches).astype(str)
        sizes = np.array([(batches == name).sum() for name in batches])
        return ~self.is_known(batches) & (sizes >= self.adapt_samples) & self.corrects_

    def save(self, path: str | Path) -> None:
        """Write the fitted model to `path`."""
        arrays = {name: np.asarray(getattr(self, name)) for name in self.learned}
        names = {"kind": KIND, "method": self.method, "batches": self.batches_}
        settings = ("reference", "mean_only", "adapt_samples")
        chosen = {"unseen": self.unseen_, "choice": self.choice_} if self.choice_ else {}
        artefact.write(path, arrays, names | {name: getattr(self, name) for name in settings} | chosen)

    def _learn(
        self, X: NDArray[np.float64], batch: NDArray[np.int64], covariates: NDArray[np.float64]
    ) -> None:
        """Set the attributes of `learned` from X (n, g), batch (n,) numbers into `batches_`, covariates (n, k)."""

    def _row(self, row: NDArray[np.float64], batch: int | None) -> NDArray[np.float64]:
        return row

    def adapt(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows (n, g) float64 of one new batch, brought to the training samples whatever their number."""
        return self._adapt(rows)

    def _adapt(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Rows (n, g) of one new batch, brought to the training samples."""
        return rows


def _checked(X, batches, gene_ids=None):
    """(X float64 or float32, batches str); InputProblem where they do not match or X has NaN or infinities."""
    X, batches = np.asarray(X), np.asarray(batches).astype(str)
    X = X if X.dtype == np.float32 else X.astype(float, copy=False)
    if len(X) != len(batches):
        raise InputProblem(f"{len(X)} samples have {len(batches)} batch names.")
    for number, row in enumerate(X):
        if not np.isfinite(row).all():
            column = np.flatnonzero(~np.isfinite(row))[0]
            gene = column + 1 if gene_ids is None else gene_ids[column]
            raise InputProblem(f"row {number + 1}, gene {gene}: {row[column]} is not a finite number.")
    return X, batches


def _indicators(labels, n):
    """(n, classes - 1) 0/1 columns of labels, or (n, 0) without."""
    if labels is None:
        return np.zeros((n, 0))
    labels = np.asarray(labels).astype(str)
    classes = sorted(set(labels.tolist()))
    return np.column_stack([np.zeros((len(labels), 0)), *(labels == name for name in classes[1:])]).astype(
        float
    )


def blocks(X: NDArray[Any]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """(columns, X (n, k) of these in float64), one block of genes after the other."""
    for first in range(0, X.shape[1], GENES_AT_ONCE):
        columns = slice(first, min(first + GENES_AT_ONCE, X.shape[1]))
        yield columns, X[:, columns].astype(float)


def least_squares(design: NDArray[Any]) -> NDArray[np.float64]:
    """(columns, n) matrix that takes values (n, g) to their coefficients; InputProblem where batches and protected labels
    cannot be told apart."""
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputProblem(
            "batches and the labels to be protected cannot be told apart in the training samples (some batch or group of"
            " batches has labels of its own); set expression.protect_target to false, or batch_correction to none."
        )
    return np.linalg.pinv(design)
