"""`batch_correction: auto`: chosen on the training samples, by predicting each of their batches from the others.

No method suits every design: batches balanced in the label gain much from correction, studies with different mixtures of
classes lose by it. What is chosen is chosen on training rows only, anew in every split.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rna2model.expression.batch.base import BatchModel

CANDIDATES = ("none", "center", "combat")  # in order of preference when they do equally well
MARGIN = 0.02  # balanced accuracy by which a correction must beat doing nothing


def fit(
    method: str,
    X: NDArray[Any],
    batches: NDArray[Any],
    labels: NDArray[Any],
    protect: bool = False,
    groups: NDArray[Any] | None = None,
    **settings: Any,
) -> tuple[BatchModel, dict[str, float | None] | None]:
    """(fitted batch model, {candidate: balanced accuracy} or None where there was no choice).

    X (n, g) log2 expression, batches (n,), labels (n,), groups (n,) or None of training samples; settings as in batch.registry.make
    """
    scores: dict[str, float | None] | None = None
    if method == "auto":
        size = settings.get("adapt_samples", registry.ADAPT_SAMPLES)
        method, scores, protect = *choose(X, batches, labels, size, groups), False
    elif method != "none":
        registry.check_confounding(batches, labels)
    model = registry.make(method, **settings)
    return model.fit(X, batches, protect=labels if protect else None), scores


def settings(expression: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `fit` in the config's `expression`."""
    keys = {"reference": "reference_batch", "mean_only": "mean_only", "adapt_samples": "adapt_samples"}
    return {name: expression[key] for name, key in keys.items()} | {"protect": expression["protect_target"]}


def choose(
    X: NDArray[Any],
    batches: NDArray[Any],
    labels: NDArray[Any],
    adapt_samples: int = registry.ADAPT_SAMPLES,
    groups: NDArray[Any] | None = None,
) -> tuple[str, dict[str, float | None]]:
    """(name of the best candidate, {candidate: balanced accuracy over all held-out batches; None where not to be had}).

    Each batch in turn is held out, corrected as a new batch that arrives as a whole, and predicted by logistic_l2, which
    does not train on samples of a group (donor) that the batch has, too.
    """
    batches, labels = np.asarray(batches).astype(str), np.asarray(labels).astype(str)
    scores = {name: _held_out(name, X, batches, labels, adapt_samples, groups) for name in CANDIDATES}
    known = {name: score for name, score in scores.items() if score is not None}
    best = max(known, key=known.__getitem__, default="none")
    if known.get(best, 0) < known.get("none", 0) + MARGIN:
        best = "none"
    return best, scores


def _held_out(name, X, batches, labels, adapt_samples, groups):
    """Balanced accuracy of samples predicted from other batches, None when no batch could be held out."""
    right = np.full(len(labels), np.nan)
    for held in sorted(set(batches.tolist())):
        out = batches == held
        others = ~out if groups is None else ~np.isin(groups, np.asarray(groups)[out])
        if len(set(labels[others].tolist())) < 2:
            continue
        try:
            model = registry.make(name, adapt_samples=adapt_samples).fit(X[others], batches[others])
            learner = models.make("logistic_l2", inner_folds=3)
            learner.fit(
                model.transform(X[others], batches[others]),
                labels[others],
                groups=None if groups is None else np.asarray(groups)[others],
                log=lambda *_: None,
            )
            right[out] = learner.predict(model.transform(X[out], batches[out], unseen="adapt")) == labels[out]
        except InputProblem:
            continue  # too few samples of a class outside this batch
    recalls = [right[(labels == label) & ~np.isnan(right)] for label in sorted(set(labels.tolist()))]
    if not all(len(recall) for recall in recalls):
        return None
    return round(float(np.mean([recall.mean() for recall in recalls])), 4)
