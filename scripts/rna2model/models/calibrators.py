"""Calibration of probabilities and choice of the predicted class, both learned from predictions of held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.models import platt
from rna2model.models.scores import softmax, two_sided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEAST = 1e-6  # probabilities closer to 0 or 1 are taken as this before a logarithm
TIED = 1e-9  # probabilities closer than this are equal
ENOUGH_FOR_ISOTONIC = 1000  # samples; below, steps follow chance (Niculescu-Mizil & Caruana 2005)


class Prevalence:
    """Brings probabilities of classes that were weighted, or filled up, in training back to the classes' shares there.

    factors : (K,) what each probability is multiplied by before they are scaled to a sum of one. Of a model that gave
    every class the same total these are its shares (Elkan 2001; Saerens et al. 2002).
    """

    def __init__(self, factors: Sequence[float] | NDArray[np.float64]) -> None:
        self.factors = np.asarray(factors, dtype=float)

    def fit(self, probabilities: NDArray[np.float64], shares: NDArray[np.float64]) -> Prevalence:
        """Choose the factors so that (n, K) probabilities of held-out rows have the mean `shares` (K,), all above 0.

        A penalised fit with weights says of new rows less than of its own, and the shares alone would leave that in.
        """
        raised = np.maximum(probabilities, LEAST)
        for _ in range(1000):  # matrix scaling: rows sum to one, columns to the shares
            scaled = raised * self.factors
            step = shares / (scaled / scaled.sum(axis=1, keepdims=True)).mean(axis=0)
            self.factors = self.factors * step / step[0]
            if np.abs(np.log(step / step[0])).max() < 1e-10:
                break
        return self

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, K) probabilities as of the training shares; each row by itself."""
        scaled = probabilities * self.factors
        return scaled / scaled.sum(axis=1, keepdims=True)


class Sigmoid:
    """One positive slope and an offset per class on the logits (Platt 1999, platt.py): keeps the order of samples.

    Attributes
    ----------
    slope : float > 0;  offsets : (1,) for two classes, towards the last, or (K,)
    """

    kind = "sigmoid"

    def __init__(self, slope: float = 1.0, offsets: Sequence[float] | NDArray[np.float64] = (0.0,)) -> None:
        self.slope, self.offsets = slope, np.asarray(offsets, dtype=float)

    def fit(
        self, probabilities: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> Sigmoid:
        """Learn from (n, K) probabilities of held-out rows, their class numbers y (n,) and weights (n,)."""
        logits = self._logits(probabilities)
        self.offsets = np.zeros(logits.shape[1])
        # constant probabilities leave nothing to learn
        if np.ptp(logits, axis=0).max() > 1e-9:
            self.slope, self.offsets = platt.fit(logits, y, weight)
        return self

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, K) calibrated probabilities; each row by itself."""
        logits = self.slope * self._logits(probabilities) + self.offsets
        return softmax(two_sided(logits))

    def described(self) -> dict[str, Any]:
        """JSON-able; `restore` makes the calibrator of it again."""
        return {"kind": self.kind, "slope": self.slope, "offsets": self.offsets.tolist()}

    def _logits(self, probabilities):
        logs = np.log(np.clip(probabilities, LEAST, 1.0))
        return logs[:, 1:] - logs[:, :1] if logs.shape[1] == 2 else logs


class Isotonic:
    """A rising step line per class (Zadrozny & Elkan 2002), of more than two classes one against the rest and then scaled
    to a sum of one. Kept away from 0 and 1 by what so few samples can say, 1 / (n + 2).

    Attributes
    ----------
    lines : list of (probabilities (m,), calibrated (m,)), for the last of two classes or for each of more
    """

    kind = "isotonic"

    def __init__(self, lines: Iterable[Any] = ()) -> None:
        self.lines: list[Any] = [tuple(np.asarray(part, dtype=float) for part in line) for line in lines]

    def fit(
        self, probabilities: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> Isotonic:
        """Learn from (n, K) probabilities of held-out rows, their class numbers y (n,) and weights (n,)."""
        from sklearn.isotonic import IsotonicRegression

        least = 1.0 / (len(y) + 2.0)
        for k in [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1]):
            line = IsotonicRegression(y_min=least, y_max=1.0 - least)
            line.fit(probabilities[:, k], (y == k).astype(float), sample_weight=weight)
            self.lines.append((line.X_thresholds_.astype(float), line.y_thresholds_.astype(float)))
        return self

    def apply(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, K) calibrated probabilities; each row by itself."""
        if probabilities.shape[1] == 2:
            last = np.interp(probabilities[:, 1], *self.lines[0])
            return np.column_stack([1.0 - last, last])
        each = np.column_stack(
            [np.interp(p, *line) for p, line in zip(probabilities.T, self.lines, strict=True)]
        )
        return each / each.sum(axis=1, keepdims=True)

    def described(self) -> dict[str, Any]:
        """JSON-able; `restore` makes the calibrator of it again."""
        return {"kind": self.kind, "lines": [[part.tolist() for part in line] for line in self.lines]}


CALIBRATORS = {"sigmoid": Sigmoid, "isotonic": Isotonic}


def restore(described: Mapping[str, Any] | None) -> Sigmoid | Isotonic | None:
    """The calibrator with the settings `described`; None for None."""
    if described is None:
        return None
    parameters = {key: value for key, value in described.items() if key != "kind"}
    return CALIBRATORS[described["kind"]](**parameters)


def by_share(probabilities: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,) 1 where the probability of the last of two classes is above its share in training, else 0.

    With classes of equal weight the most probable would be the same. probabilities (n, 2), shares (2,). A model that knows
    nothing says the share itself: then the commoner class, and the first of two equally common ones.
    """
    away = probabilities[:, 1] - shares[1]
    return np.where(np.abs(away) <= TIED, probabilities.argmax(axis=1), away > 0).astype(int)


def best_threshold(probability: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The probability of class 1 from which to predict it, for the best balanced accuracy on held-out rows.

    probability (n,) of class 1; y (n,) 0 or 1. Thresholds lie half way between neighbouring probabilities; of equally
    good ones the nearest to the share of class 1 is taken, which is also the answer where all probabilities are the same.
    """
    share = float(np.mean(y))
    levels, at = np.unique(probability, return_inverse=True)
    if len(levels) < 2:
        return share
    positive, total = np.bincount(at, weights=y), np.bincount(at)
    sensitivity = 1.0 - np.cumsum(positive)[:-1] / positive.sum()  # of class 1, above each cut
    spared = np.cumsum(total - positive)[:-1] / (total - positive).sum()
    score, cuts = np.round((sensitivity + spared) / 2.0, 12), (levels[:-1] + levels[1:]) / 2.0
    best = cuts[score == score.max()]
    return float(best[np.abs(best - share).argmin()])
