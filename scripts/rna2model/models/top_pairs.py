"""Top scoring pairs: pairs of genes whose order within a sample tells the classes apart (Geman et al. 2004; Tan et al. 2005)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.stats import rankdata

from rna2model.core import artefact
from rna2model.models import base, platt
from rna2model.models.scores import two_sided

if TYPE_CHECKING:
    from numpy.typing import NDArray

GENES_AT_ONCE = 1024
COLUMNS = ("higher", "lower", "target", "score")


class TopScoringPairs(base.Model):
    """k-TSP: each of k pairs votes for the class in which its first gene is more often the higher one (Tan et al. 2005).

    Only the order of two values of one sample counts, so neither normalization nor batch correction is involved and a sample
    needs no other. Pairs have no gene in common; they are chosen by the difference between the classes in how often the one
    gene exceeds the other, equal ones by the rank-difference score. Equal values are half a vote. Of more than two classes each
    has pairs of its own, against all others (Marzouka & Eriksson 2021). Only the `genes` with the largest Wilcoxon statistics of
    ranks within samples are paired, half from either end, anew in each inner fold (switchBox, Afsari et al. 2015).
    The number of pairs has the least log loss of inner out-of-fold votes, calibrated (platt.py); those calibrate the
    probabilities, too. Without calibration k votes of k are a probability of (k + 0.5) / (k + 1).

    Attributes
    ----------
    pairs_ : {higher, lower, target: (m,) int, score: (m,) float64}; where column `higher` exceeds `lower`, the pair votes for
        class `target`
    slope_ : float, offsets_ : (T,), from votes to logits; T is 1 for two classes, towards the last, or their number
    """

    name, EXPRESSION = "ktsp", "within_sample"
    SEARCH: ClassVar[dict] = {"pairs": [1, 3, 5, 7, 9], "genes": [200]}
    DEFAULT = 5
    CALIBRATES = True

    def _fit(self, X, y, folds, log):
        ranks = within_sample_ranks(X)
        genes, k = self.search["genes"][0], self.DEFAULT
        slope = offsets = None
        if folds:
            tried, margins = self._inner_margins(ranks, X, y, folds)
            truth = y[base.held_out(folds)]
            fits = [_calibrated(margin, truth) for margin in margins]
            logits = [s * margin + o for margin, (s, o) in zip(margins, fits, strict=True)]
            scores = [-base.log_loss(base.softmax(two_sided(one)), truth) for one in logits]
            best = int(
                np.argmax(np.round(scores, 9))
            )  # of equally good ones the first, which has fewer pairs
            genes, k = tried[best]["genes"], tried[best]["pairs"]
            self.settings_["candidates"] = [
                {**one, "minus_log_loss": s} for one, s in zip(tried, scores, strict=True)
            ]
            if self.calibration in ("auto", "sigmoid"):
                (slope, offsets), self._at_shares = fits[best], True
                self._inner = base.softmax(two_sided(logits[best]))
            else:
                self._inner = base.softmax(two_sided(np.log(2 * k + 1) * margins[best]))
        self.pairs_ = top_pairs(ranks, y, self._targets, genes, k)
        self.slope_ = float(np.log(2 * k + 1)) if slope is None else slope
        self.offsets_ = np.zeros(len(self._targets)) if offsets is None else offsets
        self.settings_.update(pairs=k, genes=genes, calibration_slope=self.slope_)
        log(
            f"ktsp: {len(self.pairs_['score'])} pairs of {min(genes, X.shape[1])} genes, at most {k} for a class"
        )

    @property
    def _targets(self):
        """Numbers of the classes that pairs vote for: the last of two, or each of more."""
        return [1] if len(self.classes_) == 2 else list(range(len(self.classes_)))

    def _inner_margins(self, ranks, X, y, folds):
        """(candidates {genes, pairs}, the fewest pairs first; (m, T) votes of each for rows that inner folds hold out)."""
        numbers = sorted(int(number) for number in self.search["pairs"])
        tried = [{"genes": genes, "pairs": k} for k in numbers for genes in self.search["genes"]]
        margins = np.zeros((len(tried), len(y), len(self._targets)))
        for fold in folds:
            train, valid = fold
            own, seen = (ranks, X) if fold.own is None else (within_sample_ranks(fold.X), fold.X)
            for genes in self.search["genes"]:
                pairs = top_pairs(own[train], y[train], self._targets, genes, numbers[-1])
                for number, one in enumerate(tried):
                    if one["genes"] == genes:
                        fewer = first_pairs(pairs, self._targets, one["pairs"])
                        margins[number, valid] = votes(seen[valid], fewer, self._targets)
        return tried, margins[:, base.held_out(folds)]

    def _scores(self, row):
        logits = self.slope_ * votes(row[None], self.pairs_, self._targets) + self.offsets_
        return base.softmax(two_sided(logits))[0]

    def pair_votes(self) -> NDArray[np.float64]:
        """(T, p) share of a class's votes that goes with each gene: positive where it has to be the higher of its pair."""
        shares = np.zeros((len(self._targets), self.n_genes_))
        columns = np.arange(self.n_genes_) if self.columns_ is None else self.columns_
        for number, target in enumerate(self._targets):
            own = self.pairs_["target"] == target
            shares[number, columns[self.pairs_["higher"][own]]] = 1 / max(own.sum(), 1)
            shares[number, columns[self.pairs_["lower"][own]]] = -1 / max(own.sum(), 1)
        return shares

    def used(self) -> NDArray[np.int64]:
        columns = np.unique(np.concatenate([self.pairs_["higher"], self.pairs_["lower"]]))
        return columns if self.columns_ is None else self.columns_[columns]

    def signature(self) -> dict[str, Any]:
        columns = np.arange(self.n_genes_) if self.columns_ is None else self.columns_
        terms: list[Any] = []
        for target in self._targets:
            own = np.flatnonzero(self.pairs_["target"] == target)
            sides = (columns[self.pairs_[name][own]].tolist() for name in ("higher", "lower"))
            terms += [
                ("pair", self.classes_[target], *pair, 1 / len(own)) for pair in zip(*sides, strict=True)
            ]
        offsets = {self.classes_[t]: float(o) for t, o in zip(self._targets, self.offsets_, strict=True)}
        return {"kind": "pairs", "terms": terms, "slope": self.slope_, "offsets": offsets}

    def _arrays(self):
        return {
            **self.pairs_,
            "slope": np.array(self.slope_),
            "offsets": np.asarray(self.offsets_, dtype=float),
        }

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        self.pairs_ = {name: arrays[name] for name in COLUMNS}
        self.slope_, self.offsets_ = arrays["slope"].item(), arrays["offsets"]


def _calibrated(margins, truth):
    """(slope, (T,) offsets) that make logits of votes (m, T); where all have the same votes, of the shares of the classes."""
    if np.ptp(margins, axis=0).max() > 0:
        return platt.fit(margins, truth, np.ones(len(truth)))
    logs = np.log(np.bincount(truth) / len(truth))
    return 1.0, (logs[1:] - logs[:1] if len(logs) == 2 else logs)


def within_sample_ranks(X: NDArray[Any]) -> NDArray[np.float32]:
    """(n, p) rank of each value in its own sample, equal ones at their mean."""
    ranks = np.empty(X.shape, dtype=np.float32)  # halves, exact up to four million genes
    for row, values in enumerate(X):
        ranks[row] = rankdata(values)
    return ranks


def top_pairs(
    ranks: NDArray[np.float32], y: NDArray[np.int64], targets: list[int], genes: int, k: int
) -> dict[str, NDArray[Any]]:
    """The COLUMNS of at most k pairs for each class of `targets` against the others, the best first.

    ranks (n, p) within samples; y (n,) class numbers; genes : how many columns are paired
    """
    pairs = []
    for target, columns in zip(targets, _filtered(ranks, y, targets, genes), strict=True):
        chosen = _disjoint(rankdata(ranks[:, columns], axis=1), y == target, k)
        pairs += [(columns[i], columns[j], target, score) for i, j, score in chosen]
    table = zip(*pairs, strict=True) if pairs else ((), (), (), ())
    kinds = (np.int64, np.int64, np.int64, np.float64)
    return {name: np.array(values, kind) for name, values, kind in zip(COLUMNS, table, kinds, strict=True)}


def first_pairs(pairs: dict[str, NDArray[Any]], targets: list[int], k: int) -> dict[str, NDArray[Any]]:
    """The best k pairs for each class, of those of `top_pairs`."""
    kept = np.concatenate([np.flatnonzero(pairs["target"] == target)[:k] for target in targets])
    return {name: values[kept] for name, values in pairs.items()}


def votes(X: NDArray[Any], pairs: dict[str, NDArray[Any]], targets: list[int]) -> NDArray[np.float64]:
    """(n, T) mean vote for each class, 1 if all its pairs are for it, -1 if all are against it; X (n, p)."""
    out = np.zeros((len(X), len(targets)))
    for number, target in enumerate(targets):
        own = pairs["target"] == target
        if own.any():
            out[:, number] = np.sign(X[:, pairs["higher"][own]] - X[:, pairs["lower"][own]]).mean(axis=1)
    return out


def _filtered(ranks, y, targets, genes):
    """For each class the sorted columns (genes,) at both ends of the rank-sum statistic of ranks within samples."""
    p = ranks.shape[1]
    if genes >= p:
        return [np.arange(p)] * len(targets)
    members = np.stack([y == target for target in targets]).astype(float)
    sums = np.empty((len(targets), p))
    for first in range(0, p, GENES_AT_ONCE):
        block = slice(first, first + GENES_AT_ONCE)
        sums[:, block] = members @ rankdata(ranks[:, block], axis=0)
    orders = np.argsort(-sums, axis=1, kind="stable")
    upper = (genes + 1) // 2
    return [np.sort(np.concatenate([order[:upper], order[p - genes + upper :]])) for order in orders]


def _disjoint(ranks, member, k):
    """List of at most k (higher, lower, score) with no column twice, of ranks (n, f); member (n,) bool, the class voted for."""
    scores, moved = _scored(ranks, member)
    largest = 2.0 * member.sum() * (~member).sum()
    pairs: list[tuple[int, int, float]] = []
    while len(pairs) < min(k, ranks.shape[1] // 2) and scores.max() > 0:
        best = scores.max()
        i, j = np.nonzero(scores == best)
        at = int(np.argmax(np.abs(moved[i] - moved[j])))
        pairs.append((int(i[at]), int(j[at]), float(best / largest)))
        taken = [i[at], j[at]]
        scores[taken] = scores[:, taken] = 0
    return pairs


def _scored(ranks, member):
    """((f, f) scores as whole numbers, (f,) how far the mean rank moves between the classes, up to a factor).

    A score over 2 n_1 n_0 is the difference of the shares of samples in which one gene exceeds the other, equal values half.
    """
    weight = np.where(member, float((~member).sum()), -float(member.sum()))
    whole = np.int32 if len(member) < 2**15 else np.int64
    scores = np.zeros((ranks.shape[1],) * 2, dtype=whole)
    for i in range(ranks.shape[1] - 1):
        scores[i, i + 1 :] = weight @ np.sign(ranks[:, i, None] - ranks[:, i + 1 :])
        scores[i + 1 :, i] = -scores[i, i + 1 :]
    return scores, weight @ ranks
