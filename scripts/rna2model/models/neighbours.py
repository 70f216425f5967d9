"""Nearest neighbours: a sample is what the training samples most like it are."""

from typing import ClassVar

import numpy as np

from rna2model import artefact
from rna2model.models import base
from rna2model.models.rotation import Rotation


class NearestNeighbours(base.Model):
    """k nearest training samples by Euclidean distance of scaled expression (rotation.py); each has a vote of 1 / k.

    Distances are taken in the rotated coordinates, where they are those of all genes up to what no training sample
    varies in, which is the same for every neighbour. k is chosen by the log loss of pooled inner out-of-fold predictions, with
    one vote spread over the classes so that a unanimous vote is not certainty.

    Attributes
    ----------
    axes_ : (r, p) float32, turns expression into coordinates with offset_ (r,); rows_ : (n, r); labels_ : (n,) int
    """

    name = "knn"
    SEARCH: ClassVar[dict] = {"neighbours": [1, 3, 5, 9, 15]}
    DEFAULT = 5

    def _fit(self, X, y, folds, log):
        rotation, k = Rotation(X), min(self.DEFAULT, len(y))
        if folds:
            least = min(len(train) for train, _ in folds)
            tried = [number for number in self.search["neighbours"] if number <= least] or [1]
            scores = self._inner_scores(tried, rotation, y, folds)
            k = tried[int(np.argmax(scores))]
            self.settings_["candidates"] = [
                {"neighbours": number, "minus_log_loss": s} for number, s in zip(tried, scores, strict=True)
            ]
            log(f"knn: {k} neighbours of {tried}")
        self.settings_["neighbours"] = k
        self.axes_ = np.ascontiguousarray(rotation.to_genes(np.eye(rotation.Z.shape[1])).astype(np.float32))
        self.offset_ = -(self.axes_.astype(np.float64) @ rotation.mean)
        self.rows_, self.labels_ = rotation.Z, y.astype(np.int64)

    def _inner_scores(self, tried, rotation, y, folds):
        probabilities = np.empty((len(tried), len(y), len(self.classes_)))
        for fold in folds:
            train, valid = fold
            Z = rotation.Z if fold.X is None else Rotation(fold.X).Z
            for row in valid:
                near = _nearest(Z[row], Z[train])
                for number, k in enumerate(tried):
                    probabilities[number, row] = self._votes(y[train][near[:k]])
        return [-base.log_loss(one, y) for one in probabilities]

    def _probabilities(self, X):
        self._axes = self.axes_.astype(np.float64)
        return super()._probabilities(X)

    def _scores(self, row):
        place = self._axes @ row.astype(np.float64) + self.offset_
        return self._votes(self.labels_[_nearest(place, self.rows_)[: self.settings_["neighbours"]]])

    def _votes(self, labels):
        votes = np.bincount(labels, minlength=len(self.classes_)) + 1 / len(self.classes_)
        return votes / votes.sum()

    def _arrays(self):
        return {name: getattr(self, f"{name}_") for name in ("axes", "offset", "rows", "labels")}

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        for name, array in arrays.items():
            setattr(self, f"{name}_", array)


def _nearest(place, rows):
    """Row numbers by distance from `place` (r,), ties by number."""
    return np.argsort(((rows - place) ** 2).sum(axis=1), kind="stable")
