"""Nearest neighbours: a sample gets the classes of the most similar training samples."""

from typing import ClassVar

import numpy as np

from rna2model.core import artefact
from rna2model.models import base
from rna2model.models.linear.rotation import Rotation


class NearestNeighbours(base.Model):
    """k nearest training samples by Euclidean distance of scaled expression (rotation.py); each has a vote of 1 / k.

    Distances are taken in the rotated coordinates, where they are those of all genes up to what no training sample
    varies in, which is the same for every neighbour. k is chosen by the log loss of pooled inner out-of-fold predictions, with
    one vote spread over the classes so that a unanimous vote is not certainty. Where classes are weighted
    (`imbalance`), a vote counts the more the rarer its class is.

    Attributes
    ----------
    axes_ : (r, p) float32, turns expression into coordinates with offset_ (r,); rows_ : (n, r); labels_ : (n,) int;
        vote_ : (n,) float64, what the vote of each row counts
    """

    name = "knn"
    SEARCH: ClassVar[dict] = {"neighbours": [1, 3, 5, 9, 15]}
    DEFAULT = 5

    def _fit(self, X, y, folds, log):
        rotation, k = Rotation(X), min(self.DEFAULT, len(y))
        if folds:
            least = min(len(train) for train, _ in folds)
            tried = [number for number in self.search["neighbours"] if number <= least] or [1]
            scores, held = self._inner_scores(tried, rotation, y, folds)
            k, self._inner = tried[int(np.argmax(scores))], held[int(np.argmax(scores))]
            self.settings_["candidates"] = [
                {"neighbours": number, "minus_log_loss": s} for number, s in zip(tried, scores, strict=True)
            ]
            log(f"knn: {k} neighbours of {tried}")
        self.settings_["neighbours"] = k
        self.axes_ = np.ascontiguousarray(rotation.to_genes(np.eye(rotation.Z.shape[1])).astype(np.float32))
        self.offset_ = -(self.axes_.astype(np.float64) @ rotation.mean)
        self.rows_, self.labels_, self.vote_ = rotation.Z, y.astype(np.int64), self._class_weights(y)

    def _inner_scores(self, tried, rotation, y, folds):
        """(minus the inner log loss of each number of neighbours, (number, m, K) their probabilities)."""
        probabilities = np.empty((len(tried), len(y), len(self.classes_)))
        for fold in folds:
            train, valid = fold
            Z = rotation.Z if fold.own is None else Rotation(fold.X).Z
            vote = self._class_weights(y[train])
            for row in valid:
                near = _nearest(Z[row], Z[train])
                for number, k in enumerate(tried):
                    probabilities[number, row] = self._votes(y[train][near[:k]], vote[near[:k]])
        rows = base.held_out(folds)
        weight, probabilities = self._class_weights(y[rows]), probabilities[:, rows]
        return [-base.log_loss(one, y[rows], weight) for one in probabilities], probabilities

    def _probabilities(self, X):
        self._axes = self.axes_.astype(np.float64)
        return super()._probabilities(X)

    def _scores(self, row):
        place = self._axes @ row.astype(np.float64) + self.offset_
        near = _nearest(place, self.rows_)[: self.settings_["neighbours"]]
        return self._votes(self.labels_[near], self.vote_[near])

    def _votes(self, labels, vote):
        votes = np.bincount(labels, weights=vote, minlength=len(self.classes_)) + 1 / len(self.classes_)
        return votes / votes.sum()

    def _arrays(self):
        return {name: getattr(self, f"{name}_") for name in ("axes", "offset", "rows", "labels", "vote")}

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        for name, array in arrays.items():
            setattr(self, f"{name}_", array)


def _nearest(place, rows):
    """Row numbers by distance from `place` (r,), ties by number."""
    return np.argsort(((rows - place) ** 2).sum(axis=1), kind="stable")
