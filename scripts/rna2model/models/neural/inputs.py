"""What a torch model sees of expression: principal axes of the training rows, scaled genes, or chosen genes.

All are learned without labels, from the rows given as `train` (axes, choice) and from all rows of the split's training
samples (scale of a gene, rotation.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rna2model.models.linear import rotation

LARGEST_RANK = 3000  # beyond it, finding axes takes longer than training on the genes themselves


class Source:
    """Expression X (n, p) whose scaling and rotation are computed once for all folds that share it."""

    _rotation: rotation.Rotation | None
    _scaled: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]] | None

    def __init__(self, X: NDArray[np.float64]) -> None:
        self.X, self._rotation, self._scaled = X, None, None

    def axes(self, train: NDArray[np.int64]) -> Axes | Genes:
        """The coordinates for a first layer that is linear: `Axes`, or `Genes` where there are too many axes."""
        if min(self.X.shape) > LARGEST_RANK:
            return Genes(*self.scaled())
        if self._rotation is None:
            self._rotation = rotation.Rotation(self.X)
        return Axes(self._rotation, train)

    def scaled(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """(rows (n, p) float32, mean (p,), scale (p,)), as `rotation.scaled`."""
        if self._scaled is None:
            Z, mean, scale = rotation.scaled(self.X)
            self._scaled = Z.astype(np.float32), mean, scale
        return self._scaled

    def most_variable(self, train: NDArray[np.int64], number: int) -> NDArray[np.int64]:
        """(m,) the columns of the `number` genes that vary most over the training rows, in the order of the genes."""
        variance = self.X[train].var(axis=0)
        return np.sort(np.argsort(-variance, kind="stable")[:number])


class Axes:
    """Rows in principal axes of the rows trained on, each divided by the square root of its sd (see `principal_axes`).

    All axes are kept, so nothing is dropped; strong ones still count for more, but technical ones do not drown the
    rest. Axes that knew the validation rows too would make them look unrelated to the training rows.

    Attributes
    ----------
    rows : (n, k) float32, mean square about one over the rows trained on
    """

    def __init__(self, turned: rotation.Rotation, train: NDArray[np.int64]) -> None:
        self.turned, self.mean, self.centre = turned, turned.mean, turned.Z[train].mean(axis=0)
        self.axes = principal_axes(turned.Z[train])
        self.rows = ((turned.Z - self.centre) @ self.axes).astype(np.float32)

    def to_genes(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """(h, p) weights per unit of log2 expression, from (k, h)."""
        return self.turned.to_genes(self.axes @ weights)

    def intercept(self, genes: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
        """(h,) bias for log2 expression with gene weights (h, p); only of axes of all rows, whose centre is zero."""
        return self.turned.intercept(genes, bias)

    def start(
        self, genes: NDArray[np.float64], bias: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(weights (k, h), bias (h,)) that give the training rows what gene weights (h, p) and bias (h,) give them."""
        squared = np.where(np.isfinite(self.turned.scale), self.turned.scale, 0.0) ** 2
        dual = self.turned.rotate(self.turned.mean + genes * squared).T
        inverse = self.axes.T / np.maximum((self.axes**2).sum(axis=0), 1e-30)[:, None]
        return inverse @ dual, bias + genes @ self.turned.mean + self.centre @ dual


class Genes:
    """Rows as scaled genes; the interface of `Axes`."""

    def __init__(
        self, rows: NDArray[np.float32], mean: NDArray[np.float64], scale: NDArray[np.float64]
    ) -> None:
        self.rows, self.mean, self.scale = rows, mean, scale

    def to_genes(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return weights.T / self.scale

    def intercept(self, genes: NDArray[np.float64], bias: NDArray[np.float64]) -> NDArray[np.float64]:
        return bias - genes @ self.mean

    def start(
        self, genes: NDArray[np.float64], bias: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scale = np.where(np.isfinite(self.scale), self.scale, 0.0)
        return (genes * scale).T, bias + genes @ self.mean


class Chosen:
    """Scaled expression of some genes, for networks whose input is genes.

    Attributes
    ----------
    rows : (n, k) float32;  genes : (k,) columns;  mean, scale : (k,) float64, scale infinite for a constant gene
    """

    def __init__(self, source: Source, genes: NDArray[np.int64]) -> None:
        rows, mean, scale = source.scaled()
        self.genes, self.rows, self.mean, self.scale = genes, rows[:, genes], mean[genes], scale[genes]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a prediction needs: {genes (k,) int64, mean (k,), per_scale (k,), 1 / scale}."""
        return {"genes": self.genes.astype(np.int64), "mean": self.mean, "per_scale": 1.0 / self.scale}


def principal_axes(Z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(r, k) principal axes of rows Z (m, r), each divided by the square root of its sd, or of the mean sd if that is more.

    An axis hardly any training row moves along is mostly chance, and new rows move along it more: with about as many
    genes as samples, dividing by so small an sd would let it decide the prediction (R2 of an MLP -0.9, now 0.7).
    """
    centred = Z - Z.mean(axis=0)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    keep = size > 1e-5 * max(size.max(initial=0.0), 1e-12)
    sd = size[keep] / np.sqrt(len(Z))
    return axes[keep].T / np.sqrt(np.maximum(sd, sd.mean()) * sd.mean()) if keep.any() else axes[:1].T * 0.0
