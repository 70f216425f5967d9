"""Training samples kept in a bundle: values that a new sample lacks are drawn from them, which shows how much its prediction depends on them.

A gene that was not counted gets the mean of the training samples, as the model would have seen it: after normalization and
batch correction. One number hides how far the prediction could have gone otherwise, above all for a gene that is on or off;
so the prediction is made again with the gene as each sample of the panel has it (multiple imputation by hot deck, Rubin 1987).
How much depends on what is missing is its total effect, Sobol's index of the variance over the panel (Saltelli et al. 2010).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

KIND = "panel"
SIZE = 50  # training samples that are kept, unless the config says else
EXCHANGES = 10  # times every sample of the panel gets the missing genes of another
INTERVAL = [2.5, 97.5]  # percentiles of the draws
NAMED = 5  # missing genes that a flag names


class Panel:
    """Mean of the training samples' expression, and some of the samples themselves.

    Attributes
    ----------
    mean_ : (p,) mean log2 expression, corrected as for the model, of all training samples
    rows_ : (k, p) float32 of the samples kept; cells_ : {sheet column: list of k} of their covariates
    """

    def fit(
        self,
        X: NDArray[np.float64],
        cells: Mapping[str, Sequence[str]] | None = None,
        size: int = SIZE,
        seed: int = 1,
    ) -> Panel:
        """Learn from training rows X (n, p) and the cells ({sheet column: (n,) str}) of their covariates."""
        kept = np.sort(np.random.default_rng(seed).permutation(len(X))[:size])
        self.mean_ = np.asarray(X, dtype=float).mean(axis=0)
        self.rows_ = np.asarray(X)[kept].astype(np.float32)
        self.cells_ = {column: [str(values[row]) for row in kept] for column, values in (cells or {}).items()}
        return self

    def check(self, n_genes: int, columns: Iterable[str]) -> None:
        """ValueError unless it is of so many genes, and of the covariates in `columns`."""
        fits = self.mean_.shape == (n_genes,) and self.rows_.shape == (len(self.rows_), n_genes)
        if not fits or any(len(self.cells_.get(column, ())) != len(self.rows_) for column in columns):
            raise ValueError(f"its panel is not of {n_genes} genes")

    def save(self, path: str | Path) -> None:
        """Write the panel to `path`."""
        arrays = {"mean": self.mean_, "rows": self.rows_}
        artefact.write(path, arrays, {"kind": KIND, "cells": self.cells_})


def load(path: str | Path) -> Panel:
    """The Panel stored at `path`."""
    arrays, settings = artefact.read(path, KIND)
    panel = Panel()
    panel.mean_, panel.rows_, panel.cells_ = arrays["mean"], arrays["rows"], settings["cells"]
    return panel


@dataclass
class Missing:
    """What new samples lack: genes (m, p) bool; cells {sheet column: (m,) bool} of covariates."""

    genes: np.ndarray
    cells: dict

    @classmethod
    def of(cls, genes: NDArray[np.bool_], cells: Mapping[str, Iterable[Any]] | None) -> Missing:
        """genes (m, p) bool; cells {sheet column: (m,) str} or None."""
        return cls(
            genes, {c: np.array([is_missing(v) for v in values]) for c, values in (cells or {}).items()}
        )

    def rows(self) -> NDArray[np.int64]:
        """Numbers of the samples that lack anything."""
        return np.flatnonzero(np.any([self.genes.any(axis=1), *self.cells.values()], axis=0))

    def of_rows(self, rows: NDArray[np.int64]) -> Missing:
        """The same of some samples."""
        return Missing(self.genes[rows], {column: gone[rows] for column, gone in self.cells.items()})

    def patterns(self) -> dict[tuple[bytes, tuple[str, ...]], list[int]]:
        """{missing genes and covariates: numbers of the samples that lack exactly these}."""
        rows_of_pattern: dict[tuple[bytes, tuple[str, ...]], list[int]] = {}
        for row, genes in enumerate(self.genes):
            gone = tuple(column for column, cells in self.cells.items() if cells[row])
            rows_of_pattern.setdefault((genes.tobytes(), gone), []).append(row)
        return rows_of_pattern


def interval(
    numbers: Callable[[NDArray[np.float64], Mapping[str, NDArray[Any]]], NDArray[np.float64]],
    panel: Panel,
    expression: NDArray[np.float64],
    cells: Mapping[str, NDArray[Any]] | None,
    missing: Missing,
) -> NDArray[np.float64]:
    """((m, c) lower, (m, c) upper) of what a model gives for samples, over draws of what they lack from the panel.

    numbers : function of expression (m, p) and cells that gives (m, c); missing : Missing of the same samples
    """
    drawn = []
    for number, row in enumerate(panel.rows_.astype(float)):
        filled = np.where(missing.genes, row, expression)
        covariates = {
            column: np.where(missing.cells[column], panel.cells_[column][number], values)
            for column, values in (cells or {}).items()
        }
        drawn.append(numbers(filled, covariates))
    return np.percentile(drawn, INTERVAL, axis=0)


def dependence(
    numbers: Callable[[NDArray[np.float64], Mapping[str, NDArray[Any]]], NDArray[np.float64]],
    panel: Panel,
    missing: Missing,
    row: int,
) -> float:
    """Share (0 to 1) of the variance of what a model gives, over the panel, that goes with what sample `row` of a Missing
    lacks; 0 where the model gives everybody the same, NaN where the panel has no two samples."""
    rows, size = panel.rows_.astype(float), len(panel.rows_)
    if size < 2:
        return np.nan
    own = numbers(rows, _cells(panel))
    whole = own.var(axis=0, ddof=1).sum()
    if whole < 1e-18:
        return 0.0
    changed = []
    for step in range(1, min(size, EXCHANGES + 1)):
        other = np.roll(np.arange(size), step)
        mixed = np.where(missing.genes[row], rows[other], rows)
        cells = {
            column: values[other] if missing.cells[column][row] else values
            for column, values in _cells(panel).items()
        }
        changed.append(((numbers(mixed, cells) - own) ** 2).mean(axis=0).sum() / 2)
    return float(min(np.mean(changed) / whole, 1.0))


def _cells(panel):
    return {column: np.array(values, dtype=object) for column, values in panel.cells_.items()}


def closest(
    numbers: Callable[[NDArray[np.float64], Mapping[str, NDArray[Any]]], NDArray[np.float64]],
    panel: Panel,
    gone: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Numbers (at most NAMED) of the columns in `gone` (p,) bool that go most with what the model gives, over the panel."""
    columns = np.flatnonzero(gone)
    if len(panel.rows_) < 2:
        return columns[:NAMED]
    rows, own = panel.rows_[:, columns].astype(float), numbers(panel.rows_.astype(float), _cells(panel))
    together = np.abs((rows - rows.mean(axis=0)).T @ (own - own.mean(axis=0)))
    spread = np.maximum(rows.std(axis=0), 1e-12)[:, None]
    return columns[np.argsort(-(together / spread).max(axis=1), kind="stable")[:NAMED]]
