"""Distance of a sample from the training samples; far outside of them a prediction is unreliable.

Principal components of the training samples' expression divide what a sample is into a part that they know and a rest. In
few samples of many genes the rest is where foreign samples show; within the components are those that are extreme in a
direction that training knew. Both distances are divided by what they are for training samples that the components did not
know (cross-validation, whole groups left out), and the larger counts (as the combined index of process monitoring, Yue & Qin 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from rna2model.core import artefact
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KIND = "ood"
LEVEL = 0.02  # share of samples like those of training that lie beyond the limit
MOST_COMPONENTS = 10
FOLDS = 10
LARGEST_EXACT = 2000  # samples and genes, up to which components are exact
PIECE = 1_000_000  # values (rows x genes) whose distances are in work at a time
FEWEST = 8  # samples, below which no limit can be learned
LEARNED = ("mean_", "axes_", "spread_", "usual_")


class OutOfDistribution:
    """Scores a sample's expression; 1 is the limit.

    Attributes
    ----------
    mean_ : (p,) of the training samples; axes_ : (k, p) their principal axes; spread_ : (k,) sd of their scores
    usual_ : (2,) median of both distances over training samples, each left out once; limit_ : of the larger of the two over it
    """

    def fit(
        self, X: NDArray[np.float64], groups: Sequence[str] | NDArray[Any] | None = None
    ) -> OutOfDistribution:
        """Learn from training rows X (n, p) log2 expression; groups (n,) are left out as a whole, or None."""
        X = np.asarray(X, dtype=float)
        self.n_ = len(X)
        self.mean_, self.axes_, self.spread_ = own = _components(X)
        if len(X) < FEWEST:
            self.usual_, self.limit_ = np.ones(2), np.inf
            return self
        distances = _all_distances(X, *own)
        for out in _folds(X, groups):
            others = _components(X[~out])
            # of a cohort without structure, components fit their own samples: those must not look foreign either
            distances[out] = np.maximum(distances[out], _all_distances(X[out], *others))
        self.usual_ = np.maximum(np.median(distances, axis=0), 1e-12)
        self.limit_ = _limit((distances / self.usual_).max(axis=1))
        return self

    def score(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m,) of X (m, p), each row by itself; above 1 a sample is unlike the training samples. NaN without a limit."""
        if X.shape[1] != len(self.mean_):
            raise InputProblem(f"the score expects {len(self.mean_)} genes, the samples have {X.shape[1]}.")
        if not np.isfinite(self.limit_):
            return np.full(len(X), np.nan)
        own = self.mean_, self.axes_, self.spread_
        return np.array(
            [(_distances(np.array(row, float), *own) / self.usual_).max() / self.limit_ for row in X]
        )

    def save(self, path: str | Path) -> None:
        """Write the fitted score to `path`."""
        arrays = {name: getattr(self, name) for name in LEARNED} | {"limit_": np.array(self.limit_)}
        artefact.write(path, arrays, {"kind": KIND, "n": self.n_, "level": LEVEL})


def load(path: str | Path) -> OutOfDistribution:
    """The fitted OutOfDistribution stored at `path`."""
    arrays, settings = artefact.read(path, KIND)
    fitted = OutOfDistribution()
    for name in LEARNED:
        setattr(fitted, name, arrays[name])
    fitted.limit_, fitted.n_ = arrays["limit_"].item(), settings["n"]
    return fitted


def _components(X):
    """(mean (p,), axes (k, p), sd of the scores (k,)) of rows X (n, p): at most a fifth as many components as rows.

    Exact by the smaller of the two matrices of products, samples or genes; where both are large, by random projections.
    """
    mean = X.mean(axis=0)
    centred = X - mean
    count = max(1, min(MOST_COMPONENTS, len(X) // 5))
    scale, axes = _leading(centred, count) if min(X.shape) > LARGEST_EXACT else _exact(centred, count)
    strong = scale**2 > 1e-9 * max((scale**2).max(initial=0), 1e-12)
    axes = axes[strong].astype(np.float32).astype(float)
    return mean, np.ascontiguousarray(axes), scale[strong] / np.sqrt(max(len(X) - 1, 1))


def _exact(centred, count):
    """(singular values (count,), axes (count, p)) of rows (n, p), largest first."""
    n, p = centred.shape
    gram = centred.T @ centred if p < n else centred @ centred.T
    values, vectors = eigh(gram, subset_by_index=[max(len(gram) - count, 0), len(gram) - 1])
    scale, vectors = np.sqrt(np.maximum(values[::-1], 0)), vectors[:, ::-1]
    if p < n:
        return scale, vectors.T
    return scale, (centred.T @ (vectors / np.where(scale > 0, scale, 1))).T


def _leading(centred, count):
    """The same by random projections (Halko et al. 2011), in time and memory linear in samples and genes.

    Components that stand out are exact; of noise alone, which has no leading direction, their sd come out up to 5 % lower.
    """
    from sklearn.utils.extmath import randomized_svd

    _, scale, axes = randomized_svd(centred, count, n_oversamples=20, n_iter=4, random_state=1)
    return scale, axes


def _all_distances(X, mean, axes, spread):
    """(n, 2) what _distances gives for each row, to rounding: a piece of rows at a time."""
    rows = max(1, PIECE // X.shape[1])
    distances = [np.empty((0, 2))]
    for start in range(0, len(X), rows):
        centred = X[start : start + rows] - mean
        scores = centred @ axes.T
        centred -= scores @ axes
        within = np.sqrt(((scores / spread) ** 2).sum(axis=1))
        distances.append(
            np.column_stack([within, np.sqrt(np.einsum("ij,ij->i", centred, centred) / X.shape[1])])
        )
    return np.concatenate(distances)


def _distances(row, mean, axes, spread):
    """(2,) of one sample: Mahalanobis distance within the components, length of the rest (per gene)."""
    centred = row - mean
    scores = axes @ centred
    rest = centred - scores @ axes
    return np.array([np.sqrt(((scores / spread) ** 2).sum()), np.sqrt((rest**2).mean())])


def _folds(X, groups):
    """(n,) bool of the rows left out, one array for each fold; groups stay whole."""
    units = (
        np.arange(len(X))
        if groups is None
        else np.unique(np.asarray(groups).astype(str), return_inverse=True)[1]
    )
    count = units.max() + 1 if len(units) else 0
    if count < 2:
        return
    fold_of = np.random.default_rng(1).permutation(count) % min(FOLDS, count)
    for fold in range(min(FOLDS, count)):
        yield fold_of[units] == fold


def _limit(scores):
    """What a share LEVEL of samples from the same distribution exceed: with enough samples the rank that holds for any
    distribution (conformal prediction, Vovk et al. 2005), with fewer the prediction limit of a log-normal one, at half the level:
    tails are heavier, and simulated cohorts of 12 to 24 samples then flag about as many as larger ones."""
    from scipy import stats

    n = len(scores)
    rank = int(np.ceil((n + 1) * (1 - LEVEL)))
    if rank <= n:
        return float(np.sort(scores)[rank - 1])
    logs = np.log(np.maximum(scores, 1e-12))
    return float(
        np.exp(logs.mean() + stats.t.ppf(1 - LEVEL / 2, n - 1) * logs.std(ddof=1) * np.sqrt(1 + 1 / n))
    )
