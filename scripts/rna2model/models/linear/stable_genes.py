"""Genes for a small panel: references that hardly vary, and genes that halves of the samples choose again and again."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HALVES = (
    40  # random halves of the samples, in complementary pairs (Shah & Samworth 2013), shared by the classes
)
SCREENED = 200  # genes with the largest F that the paths may take
WELL_EXPRESSED = 0.75  # quantile of mean expression above which a gene can be a reference


def references(X: NDArray[Any], count: int) -> NDArray[np.int64]:
    """Sorted columns of at most `count` genes of X (n, p) log2 values that are well expressed and vary least between samples.

    How much of a sample there is comes off first: the median over genes of its difference from the mean sample. At most half
    of the genes are references. Labels are not used; a gene that differs between the classes varies.
    """
    level = X.mean(axis=0)
    spread = (X - level - np.median(X - level, axis=1, keepdims=True)).std(axis=0)
    well = np.flatnonzero(level >= np.quantile(level, WELL_EXPRESSED))
    count = min(count, X.shape[1] // 2)
    if len(well) < count:
        well = np.arange(X.shape[1])
    return np.sort(well[np.argsort(np.round(spread[well], 12), kind="stable")[:count]])


def order(
    X: NDArray[Any],
    targets: NDArray[np.float64],
    y: NDArray[np.int64],
    sizes: Sequence[int],
    seed: int,
) -> dict[int, NDArray[np.int64]]:
    """{size: columns of X (n, p), at most so many, the most often chosen first}.

    Of each half of the samples and each column of targets (n, M) a least-angle path (Efron et al. 2004) takes one gene after the
    other; a gene is chosen where it is among the first size / M. Equally often chosen ones go by the F statistic of the classes y (n,).
    """
    strength = f_statistic(X, y)
    screened = np.argsort(-strength, kind="stable")[: min(SCREENED, X.shape[1])]
    screened = screened[strength[screened] > 0] if (strength > 0).any() else screened
    first = {size: max(1, size // targets.shape[1]) for size in sizes}
    times = {size: np.zeros(len(screened)) for size in sizes}
    for half in _halves(y, max(HALVES // targets.shape[1], 10), seed):
        for target in targets[half].T:
            path = _path(X[np.ix_(half, screened)], target, max(first.values()))
            for size in sizes:
                times[size][path[: first[size]]] += 1
    # the sort is stable, and the columns are in the order of F already
    return {size: screened[np.argsort(-times[size], kind="stable")[:size]] for size in sizes}


def f_statistic(X: NDArray[Any], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """(p,) variance between the classes y over that within; 0 where a gene does not vary."""
    overall, between, within = X.mean(axis=0), np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for label in np.unique(y):
        own = X[y == label]
        between += len(own) * (own.mean(axis=0) - overall) ** 2
        within += ((own - own.mean(axis=0)) ** 2).sum(axis=0)
    varies = between + within > 1e-12 * len(X)
    least = (
        np.median(within[varies]) * 0.1 if varies.any() else 1.0
    )  # a gene is not good for being nearly constant
    return np.where(varies, between / (within + max(least, 1e-12)), 0.0)


def _halves(y, count, seed):
    """Rows of `count` random halves, each class halved, in pairs without a common row."""
    rng = np.random.default_rng(seed)
    for _ in range(count // 2):
        one = np.zeros(len(y), dtype=bool)
        for label in np.unique(y):
            rows = rng.permutation(np.flatnonzero(y == label))
            one[rows[: (len(rows) + int(rng.integers(2))) // 2]] = True
        yield from (half for half in (np.flatnonzero(one), np.flatnonzero(~one)) if len(half))


def _path(X, target, steps):
    """Columns of X (n, p) in the order in which a least-angle path of `target` (n,) takes them; at most `steps`."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path

    centred, sd = X - X.mean(axis=0), X.std(axis=0)
    columns = np.flatnonzero(sd > 1e-9)
    target = target - target.mean()
    if not len(columns) or not np.abs(target).max() > 0:
        return columns[:0]
    steps = min(steps, len(columns), len(X) - 1)
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", ConvergenceWarning
        )  # genes that are copies of each other are left out
        warnings.simplefilter("ignore", RuntimeWarning)
        _, active, _ = lars_path(
            centred[:, columns] / sd[columns], target, method="lar", max_iter=steps, return_path=False
        )
    return columns[np.asarray(active, dtype=int)]
