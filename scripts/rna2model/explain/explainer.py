"""What explains one split's model: its effects, those of models of shuffled labels, and those of other seeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.explain import importance, null_models
from rna2model.models import penalty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from rna2model.expression.features.selection import Selector
    from rna2model.models.base import Model
    from rna2model.training.preprocessing import Preprocessing
    from rna2model.training.split_data import SplitData

MOST = 100  # training samples that SHAP values and gradients are averaged over


@dataclass
class Explained:
    """names (p,) of features; classes (C,); effects (C, p) and `how` they were computed; control (P, C, p) of shuffled labels
    or None; seeds, list of (C, p); residuals (n, p) expression of training samples less their class's mean, where asked; names of the
    samples it was `trained` on, and the model's `settings`."""

    names: list[str]
    classes: list[Any]
    effects: NDArray[Any]
    how: str
    control: NDArray[Any] | None = None
    seeds: list[NDArray[Any]] = field(default_factory=list)
    residuals: NDArray[Any] | None = None
    trained: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)


class Explainer:
    """Explains one model after the other, all with the same shuffled labels.

    design, seed : as in the config; shuffles : `auto` or a number; selector : a function of (features, what the model sees)
    to the selection.Selector of a model that is fitted again
    """

    outcomes: NDArray[Any] | None
    note: str | None

    def __init__(
        self,
        design: Mapping[str, Any],
        seed: int,
        shuffles: int | str,
        selector: Callable[[Any, str], Selector | None],
    ) -> None:
        self.design, self.seed, self.shuffles, self.selector = design, seed, shuffles, selector
        self.outcomes = self.note = None  # (P, m) of all training samples; why there are none

    def shuffle(self, data: SplitData, trained: Sequence[Sequence[str]], model: Model) -> None:
        """Draw the labels of SplitData `data`'s training samples; trained: names of each split's training samples."""
        place = {name: row for row, name in enumerate(data.full)}
        n, y = null_models.wanted(self.shuffles, model), data.outcome(data.full)
        if n:
            rows = [[place[name] for name in names] for names in trained]
            try:
                self.outcomes = null_models.draw(
                    self.design["task"], y, data.groups(data.full), rows, n, self.seed
                )
            except InputProblem as problem:
                self.note = str(problem)

    def explain(self, data: SplitData, model: Model, fitted: Preprocessing, final: bool = False) -> Explained:
        """The Explained of a model and the preprocessing.Preprocessing of its split."""
        fitted = fitted.shown_to(model)
        X, y, groups = data.expression(data.train, fitted), data.outcome(data.train), data.groups(data.train)
        rows = np.sort(np.random.default_rng(self.seed).permutation(len(X))[:MOST])
        again: dict[str, Any]
        shown, again = X[rows], {"groups": groups, "select": self.selector(fitted.features, model.SEES)}
        effects, how = importance.effects(model, shown, shown.mean(axis=0))
        explained = Explained(list(fitted.names), self._classes(model, len(effects)), effects, how)
        explained.trained, explained.settings = list(data.train), model.settings_
        if self.outcomes is not None:
            place = {name: row for row, name in enumerate(data.full)}
            outcomes = self.outcomes[:, [place[name] for name in data.train]]
            explained.control = null_models.effects(model, X, outcomes, shown, **again)
        if final:
            explained.seeds = null_models.of_other_seeds(model, X, y, shown, **again)
            explained.residuals = _residuals(X, data.labels(data.train))
        return explained

    def _classes(self, model, effects):
        return model.classes_ if effects > 1 else [outcome.quantity(self.design) or model.classes_[-1]]


def stability(folds: Sequence[Explained], final: Explained) -> dict[str, Any]:
    """Content of stability.json for the Explained of folds and final model: agreement over folds, of shuffled labels, over seeds."""
    summary: dict[str, Any] = {
        "note": None,
        "effect": final.how,
        "samples_at_most": MOST,
        "top": importance.TOP,
    }
    summary |= importance.agreement([(one.names, one.effects) for one in folds])
    summary["shared_training"] = shared([one.trained for one in folds])
    summary["penalty"] = penalty.summary(final.settings, [one.settings for one in folds])
    controls = [(one.names, one.control) for one in folds if one.control is not None]
    summary["shuffled_labels"] = null_models.agreement(controls) if controls else None
    seeds = [(final.names, effects) for effects in [final.effects, *final.seeds]]
    summary["seeds"] = importance.agreement(seeds) | {"n": len(seeds)} if final.seeds else None
    return summary


def shared(trained: Sequence[Iterable[str]]) -> float | None:
    """Mean share of its training samples (sets of names) that a fold has in common with another; None for fewer than two."""
    pairs = [(set(a), set(b)) for i, a in enumerate(trained) for j, b in enumerate(trained) if i != j and a]
    return round(float(np.mean([len(a & b) / len(a) for a, b in pairs])), 4) if pairs else None


def _residuals(X, labels):
    """X (n, p) less the mean of each class."""
    left = np.array(X, dtype=float)
    for label in np.unique(labels):
        left[labels == label] -= left[labels == label].mean(axis=0)
    return left
