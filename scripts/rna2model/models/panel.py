"""A panel of a few genes, as log ratios to reference genes of the same sample: what a bench can measure."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.models import base
from rna2model.models.linear import batched_newton, stable_genes
from rna2model.models.linear.logistic import logistic_targets
from rna2model.models.scores import two_sided


@dataclass
class Ratios:
    """A fitted panel: genes (k,) and references (r,) columns; weights (M, k) per log2 ratio; intercept (M,)."""

    genes: NDArray[np.int64]
    references: NDArray[np.int64]
    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]

    def logits(self, X: NDArray[Any]) -> NDArray[np.float64]:
        """(n, M) of log2 values X (n, p): for the last of two classes, or for each of more."""
        return log_ratios(X, self.references)[:, self.genes] @ self.weights.T + self.intercept


class Panel(base.Model):
    """At most `size` genes by stability selection, refitted as a ridge (logistic) on log2 ratios to reference genes.

    References are well expressed genes that vary least between the training samples (stable_genes.references). Genes are
    those that lasso paths of halves of the samples take first most often (stable_genes.order; Meinshausen & Buehlmann 2010). Both are
    chosen anew in each inner fold. C has the least inner log loss; the size is the smallest whose balanced accuracy is within one
    standard error, over inner folds, of the best (Breiman et al. 1984). A new sample needs no cohort: only ratios within it count.

    Attributes
    ----------
    panels_ : {size: Ratios}, of every size that was tried; size_ : the one that predicts
    """

    name, EXPRESSION = "panel", "within_sample"
    SEARCH: ClassVar[dict] = {"size": [5, 10, 20, 50], "references": [5], "C": [0.01, 0.1, 1, 10, 100]}
    DEFAULT: ClassVar[dict] = {"C": 0.1}

    def _fit(self, X, y, folds, log):
        sizes = sorted({int(size) for size in self.search["size"]})
        chosen = {"size": sizes[0], "references": int(self.search["references"][0]), **self.DEFAULT}
        best = dict.fromkeys(sizes, chosen)
        if folds:
            tried, held = self._inner_losses(X, y, folds, sizes)
            best = {size: max((c for c in tried if c["size"] == size), key=_worth) for size in sizes}
            top = max(best.values(), key=lambda one: one["balanced_accuracy"])  # of equal ones the smallest
            least = top["balanced_accuracy"] - top["se"] - 1e-9
            chosen = next(best[size] for size in sizes if best[size]["balanced_accuracy"] >= least)
            self.settings_["candidates"] = tried
            self.settings_["frontier"] = [best[size] for size in sizes]
            self._inner = held[tried.index(chosen)]
        self.size_, self.panels_ = chosen["size"], {}
        for references in sorted({one["references"] for one in best.values()}):
            own = [size for size in sizes if best[size]["references"] == references]
            selected = Selected(X, y, references, own, self.seed)
            for size in own:
                Cs = np.array([best[size]["C"]])
                self.panels_[size] = selected.fit(size, y, self._class_weights(y), Cs)[0]
        self.settings_.update({name: chosen[name] for name in self.SEARCH})
        self.settings_["n_genes_chosen"] = len(self.panels_[self.size_].genes)
        log(
            f"panel: {self.settings_['n_genes_chosen']} genes of at most {sizes[-1]}, {chosen['references']} references"
        )

    def _inner_losses(self, X, y, folds, sizes):
        """(candidates {size, references, C, minus_log_loss, balanced_accuracy, se}, (m, K) probabilities of each) of the rows that
        folds hold out; se : of the balanced accuracy, over folds."""
        Cs = np.sort(np.asarray(self.search["C"], dtype=float))
        many = sorted({int(number) for number in self.search["references"]})
        tried = [{"size": s, "references": r, "C": float(C)} for s in sizes for r in many for C in Cs]
        held = np.zeros((len(tried), len(y), len(self.classes_)))
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            weight = self._class_weights(y[train])
            for references in many:
                selected = Selected(own[train], y[train], references, sizes, self.seed)
                for size in sizes:
                    for C, one in zip(Cs, selected.fit(size, y[train], weight, Cs), strict=True):
                        at = tried.index({"size": size, "references": references, "C": float(C)})
                        held[at, valid] = base.softmax(two_sided(one.logits(own[valid])))
        for one, probabilities in zip(tried, held, strict=True):
            rows = base.held_out(folds)
            one["minus_log_loss"] = -base.log_loss(probabilities[rows], y[rows], self._class_weights(y)[rows])
            right = [
                base.balanced_accuracy(self.decide(probabilities[valid]), y[valid]) for _, valid in folds
            ]
            one["balanced_accuracy"] = float(np.mean(right))
            one["se"] = float(np.std(right, ddof=1) / np.sqrt(len(right))) if len(right) > 1 else 0.0
        return tried, held[:, base.held_out(folds)]

    def at_size(self, size: int) -> Self:
        """The same model with the panel of another size that was tried; without calibrator and tuned threshold."""
        other = copy.copy(self)
        other.size_, other.calibrator_, other.threshold_ = size, None, None
        return other

    def _scores(self, row):
        return base.softmax(two_sided(self.panels_[self.size_].logits(row[None])))[0]

    def _weights(self):
        """A gene's weight; a reference has its share of minus the sum of them."""
        one = self.panels_[self.size_]
        width = self.n_genes_ if self.columns_ is None else len(self.columns_)
        weights = np.zeros((len(one.weights), width))
        weights[:, one.genes] = one.weights
        if len(one.references):
            weights[:, one.references] -= one.weights.sum(axis=1, keepdims=True) / len(one.references)
        return weights

    def used(self) -> NDArray[np.int64]:
        one = self.panels_[self.size_]
        columns = np.sort(np.concatenate([one.genes, one.references]))
        return columns if self.columns_ is None else self.columns_[columns]

    def signature(self) -> dict[str, Any]:
        one = self.panels_[self.size_]
        columns = np.arange(self.n_genes_) if self.columns_ is None else self.columns_
        named = self.classes_[-len(one.weights) :]
        terms: list[Any] = [
            ("gene", label, int(columns[gene]), None, float(weight))
            for label, weights in zip(named, one.weights, strict=True)
            for gene, weight in zip(one.genes, weights, strict=True)
        ]
        terms += [("reference", "", int(columns[gene]), None, None) for gene in one.references]
        offsets = dict(zip(named, one.intercept.tolist(), strict=True))
        return {"kind": "ratios", "terms": terms, "slope": 1.0, "offsets": offsets}

    def _arrays(self):
        parts = {
            f"{size}.{name}": array for size, one in self.panels_.items() for name, array in vars(one).items()
        }
        return parts | {"size": np.array([self.size_])}

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        self.size_ = int(arrays["size"].item())
        names = ("genes", "references", "weights", "intercept")
        sizes = sorted({int(name.split(".")[0]) for name in arrays if "." in name})
        self.panels_ = {size: Ratios(*(arrays[f"{size}.{name}"] for name in names)) for size in sizes}


class Selected:
    """References, ratios to them, and the order of genes, of training rows X (n, p) with class numbers y (n,)."""

    def __init__(
        self, X: NDArray[Any], y: NDArray[np.int64], references: int, sizes: list[int], seed: int
    ) -> None:
        self.references = stable_genes.references(X, references)
        self.ratios = log_ratios(X, self.references)
        free = np.setdiff1d(np.arange(X.shape[1]), self.references)
        targets = logistic_targets(y)[1][:, 0]  # (n, M): signs, or one column for each class
        order = stable_genes.order(self.ratios[:, free], targets, y, sizes, seed)
        self.genes = {size: np.sort(free[columns]) for size, columns in order.items()}

    def fit(
        self, size: int, y: NDArray[np.int64], weight: NDArray[np.float64], Cs: NDArray[np.float64]
    ) -> list[Ratios]:
        """The Ratios of the genes of this size, one for each C; ratios are standardised while they are fitted."""
        genes = self.genes[size]
        Z = self.ratios[:, genes]
        mean, sd = Z.mean(axis=0), Z.std(axis=0)
        sd = np.where(sd > 1e-9, sd, np.inf)
        loss, targets = logistic_targets(y)
        members = (len(y), len(Cs))
        w, intercept = batched_newton.solve(
            loss,
            (Z - mean) / sd,
            np.broadcast_to(targets, (*members, targets.shape[2])),
            np.broadcast_to(weight[:, None], members),
            Cs,
        )
        fits = []
        for number in range(len(Cs)):
            weights = np.ascontiguousarray(w[:, number].T / sd)
            fits.append(Ratios(genes, self.references, weights, intercept[number] - weights @ mean))
        return fits


def log_ratios(X: NDArray[Any], references: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n, p) log2 values X less the mean of the references in the same sample; X where there are none."""
    return X - X[:, references].mean(axis=1, keepdims=True) if len(references) else np.asarray(X, dtype=float)


def _worth(candidate):
    return round(candidate["minus_log_loss"], 9)
