"""Batch and label effects in a cohort's expression before and after correction; no model reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import splits
from rna2model.explore import pca
from rna2model.expression.batch import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COMPONENTS = 10  # principal components that are looked at
MOST = 2000  # samples; of a larger cohort as many are drawn, since neighbours are found by all distances
NEIGHBOURS = 5
LEAST_NEIGHBOURHOOD, LEVEL = 10, 0.05  # kBET: samples of a neighbourhood, significance
FOLDS, REPEATS = 5, 10  # of the cross-validation of labels by batch


def compare(
    views: Mapping[str, NDArray[Any]], batches: NDArray[Any] | None, labels: NDArray[Any]
) -> dict[str, Any]:
    """Diagnostics of {view: (n, g) log2 expression}.

    batches : (n,) str or None where the design has none; labels : (n,) str, empty for samples without one
    Returns a JSON-able dict: `design` (batch against label) and for each view the numbers of `describe`.
    """
    chosen = np.sort(np.random.default_rng(1).permutation(len(labels))[:MOST])
    labels, batches = np.asarray(labels)[chosen], None if batches is None else np.asarray(batches)[chosen]
    views = {name: values[chosen] for name, values in views.items()}
    known = labels != ""
    diagnostics: dict[str, Any] = {
        "samples": len(labels),
        "labelled": int(known.sum()),
        "design": None,
        "views": {},
    }
    if batches is not None and known.any():
        design = registry.confounding(batches[known], labels[known])
        diagnostics["design"] = design | {
            "label_from_batch": label_from_batch(batches[known], labels[known]),
            "batch_only_auc": batch_only_auc(batches[known], labels[known]),
        }
    for name, values in views.items():
        diagnostics["views"][name] = describe(values, batches, labels, known)
    return diagnostics


def describe(
    values: NDArray[Any], batches: NDArray[Any] | None, labels: NDArray[Any], known: NDArray[np.bool_]
) -> dict[str, Any]:
    """{batch, target: {silhouette, neighbours, chance}, variance: shares} on the first principal components.

    silhouette : mean silhouette width (Rousseeuw 1987), 1 apart, 0 mixed
    neighbours : balanced accuracy of naming a sample's batch (label) from its nearest others; chance : 1 / groups
    kbet : see `kbet`, for batches only
    """
    scores, shares = components(values)
    numbers: dict[str, Any] = {"batch": None, "target": _separation(scores[known], labels[known])}
    if batches is not None:
        numbers["batch"] = _separation(scores, batches)
        if numbers["batch"]:
            numbers["batch"]["kbet"] = kbet(scores, batches)
    numbers["variance"] = None
    if known.sum() > 1:
        own = batches[known] if batches is not None else None
        numbers["variance"] = _variance(scores[known], shares, own, labels[known])
    return numbers


def label_from_batch(batches: NDArray[Any], labels: NDArray[Any]) -> float:
    """Balanced accuracy of guessing each label as the commonest one in its batch: the accuracy of a model that sees no gene.

    Ties count their share, and a batch of one sample counts as chance. A design without confounding gives 1 / classes.
    """
    classes = sorted(set(labels.tolist()))
    right = np.empty(len(labels))
    for name in set(batches.tolist()):
        own = labels[batches == name]
        counts = np.array([(own == label).sum() for label in classes])
        best = [label for label, count in zip(classes, counts, strict=True) if count == counts.max()]
        right[batches == name] = np.isin(own, best) / len(best) if len(own) > 1 else 1 / len(classes)
    return round(float(np.mean([right[labels == label].mean() for label in classes])), 4)


def batch_only_auc(batches: NDArray[Any], labels: NDArray[Any]) -> float | None:
    """Cross-validated AUROC of the share of each label in a sample's batch, one label against the rest: 0.5 gives nothing away.

    None where a label has fewer than two samples. Folds are stratified by batch and label together: held-out samples would
    else be missing from their batch's shares, which alone makes an AUROC below one half.
    """
    from sklearn.metrics import roc_auc_score

    classes, label = np.unique(labels, return_inverse=True)
    names, place = np.unique(batches, return_inverse=True)
    folds = min(FOLDS, np.bincount(label).min())
    if len(classes) < 2 or folds < 2:
        return None
    reached = []
    for repeat in range(REPEATS):
        cell = place * len(classes) + label
        fold = splits.assign(cell, np.arange(len(cell)), folds, np.random.default_rng([1, repeat]))
        for held in range(folds):
            train, test = fold != held, fold == held
            counts = np.zeros((len(names), len(classes)))
            np.add.at(counts, (place[train], label[train]), 1)
            counts += (
                counts.sum(axis=0) / counts.sum()
            )  # one sample of the whole cohort's mixture, for a batch unseen
            shares = (counts / counts.sum(axis=1, keepdims=True))[place[test]]
            for k in range(len(classes) if len(classes) > 2 else 1):
                own = label[test] == k
                if 0 < own.sum() < len(own):
                    reached.append(roc_auc_score(own, np.round(shares[:, k], 9)))
    return round(float(np.mean(reached)), 4) if reached else None


def kbet(scores: NDArray[Any], groups: NDArray[Any]) -> float | None:
    """Share of samples whose neighbourhood has another mixture of groups than the whole (kBET, Buettner et al. 2019).

    A neighbourhood is a sample and its nearest others, as many as a group has on average (at least ten); its mixture is
    compared by Pearson's chi squared at the level of 0.05. So 0.05 or less is mixed, 1 is apart. None where a neighbourhood
    would be more than half of the samples.
    """
    from scipy.stats import chi2

    names, number = np.unique(groups, return_inverse=True)
    size = max(LEAST_NEIGHBOURHOOD, len(groups) // len(names))
    if len(names) < 2 or 2 * size > len(groups):
        return None
    near = np.argsort(_distances(scores), axis=1, kind="stable")[:, : size - 1]
    near = np.column_stack([np.arange(len(groups)), near])
    counts = (number[near][:, :, None] == np.arange(len(names))).sum(axis=1)
    expected = size * np.bincount(number) / len(number)
    statistic = ((counts - expected) ** 2 / expected).sum(axis=1)
    return round(float((chi2.sf(statistic, len(names) - 1) < LEVEL).mean()), 4)


def _distances(scores):
    """(n, n) squared distances; infinite to oneself."""
    squares = (scores**2).sum(axis=1)
    distance = squares[:, None] + squares - 2 * scores @ scores.T
    np.fill_diagonal(distance, np.inf)
    return distance


def components(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """(n, k) principal component scores and the (k,) variance of each."""
    left, scale = pca.decompose(values)
    kept = max(1, min(COMPONENTS, len(scale) - 1))
    return left[:, :kept] * scale[:kept], scale[:kept] ** 2


def _separation(scores, groups):
    """Silhouette and nearest-neighbour balanced accuracy of groups; None where there is one, or none with two samples."""
    from sklearn.metrics import silhouette_score

    names, counts = np.unique(groups, return_counts=True)
    usable = np.isin(groups, names[counts > 1])
    scores, groups = scores[usable], groups[usable]
    names = sorted(set(groups.tolist()))
    if len(names) < 2 or len(names) == len(groups):
        return None
    nearest = groups[np.argsort(_distances(scores), axis=1, kind="stable")[:, :NEIGHBOURS]]
    votes = np.stack([(nearest == name).sum(axis=1) for name in names], axis=1)
    right = np.array(names)[votes.argmax(axis=1)] == groups
    return {
        "silhouette": round(float(silhouette_score(scores, groups)), 4),
        "neighbours": round(float(np.mean([right[groups == name].mean() for name in names])), 4),
        "chance": round(1 / len(names), 4),
    }


def _variance(scores, weights, batches, labels):
    """Shares of variance on the components (weighted by theirs, in the manner of PVCA, Li et al. 2009): what batch alone
    explains, what target alone, what either would, and the rest."""
    target = _explained(scores, labels)
    if batches is None:
        shares = {"target": target, "rest": 1 - target}
    else:
        own = _explained(scores, batches)
        both = _explained(scores, batches, labels)
        shares = {
            "batch": both - target,
            "target": both - own,
            "shared": own + target - both,
            "rest": 1 - both,
        }
    weights = weights / max(weights.sum(), np.finfo(float).tiny)
    return {name: round(float(weights @ share), 4) for name, share in shares.items()}


def _explained(scores, *factors):
    """(k,) R squared of each component on indicator columns of the factors."""
    columns = [factor == name for factor in factors for name in sorted(set(factor.tolist()))]
    design = np.column_stack([np.ones(len(scores)), *columns]).astype(float)
    fitted = design @ np.linalg.lstsq(design, scores, rcond=None)[0]
    total = ((scores - scores.mean(axis=0)) ** 2).sum(axis=0)
    left = ((scores - fitted) ** 2).sum(axis=0)
    return 1 - np.divide(left, total, out=np.ones_like(left), where=total > 0)
