"""Recalibration of a frozen model on the cohort that validates it: the model stays, its scale is moved.

Two updates, as in Steyerberg (2004) and Van Calster (2019): the intercept alone (the cohort has another prevalence, or another
level), and intercept and slope. `update` is [intercept, slope] of all samples, as one would use it; the metrics of an update
(calibration and scores) are out of sample: the line that moves a group was estimated on all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.evaluation import calibration_line, classification

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

MOST_LEFT_OUT = 200  # groups, each of which is left out alone; more are left out in PARTS
PARTS = 20
TOO_FEW = "not testable: without some group a class is missing or separated, or nothing varies"


def of(table: pd.DataFrame, task: str, groups: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """JSON of the recalibration of a scored table of predictions (serving.predict.validate), or None where there is none.

    classification : two classes; log odds of the positive one. regression : the predicted number
    """
    if not len(table):
        return None
    read: Any
    if task == "classification":
        read = classification.read(table, groups)
        if len(read.classes) != 2 or len(np.unique(read.truth)) < 2:
            return None
        logit, positive = calibration_line.logit(read.probabilities[:, 1]), read.truth == 1
        result = _compared(logit, positive, read.cluster, _logistic, _probability_scores)
        return {"of": read.classes[1], **result}
    if task == "regression":
        read = classification.regression.read(table, groups)
        return {
            "of": "predicted",
            **_compared(read.predicted, read.truth, read.cluster, _least_squares, _number_scores),
        }
    return None


def _compared(predicted, truth, cluster, fit, scores):
    everybody, without = np.ones((1, len(truth))), _left_out(cluster)
    result = {"scores": "out of sample: each update is estimated on the other groups", "n": len(truth)}
    result["before"] = {
        "update": [0.0, 1.0],
        **_calibration(predicted, truth, fit),
        **scores(predicted, truth),
    }
    for name, with_slope in (("intercept", False), ("intercept_and_slope", True)):
        line, lines = (fit(predicted, truth, weights, with_slope) for weights in (everybody, without))
        if not np.isfinite(lines).all():
            whole = line[0].tolist() if np.isfinite(line).all() else None
            result[name] = {"update": whole, "note": TOO_FEW}
            continue
        own = lines[np.argmin(without, axis=0)]  # the update that did not see the sample
        moved = own[:, 0] + own[:, 1] * predicted
        result[name] = {"update": line[0].tolist(), **_calibration(moved, truth, fit), **scores(moved, truth)}
    return result


def _calibration(predicted, truth, fit):
    """Intercept at slope 1 and slope of predictions; None where there is none."""
    everybody = np.ones((1, len(truth)))
    intercept = fit(predicted, truth, everybody, False)[0, 0]
    slope = fit(predicted, truth, everybody, True)[0, 1]
    coefficients = {"calibration_intercept": intercept, "calibration_slope": slope}
    return {name: float(value) if np.isfinite(value) else None for name, value in coefficients.items()}


def _left_out(cluster):
    """(B, n) 0 or 1: rows that each update is estimated on; every row is left out of exactly one."""
    clusters = cluster.max() + 1
    part = np.arange(clusters)
    if clusters > MOST_LEFT_OUT:
        part = np.random.default_rng(1).permutation(clusters) % PARTS
    return (part[cluster] != np.arange(part.max() + 1)[:, None]).astype(float)


def _logistic(logit, positive, weights, with_slope):
    """(B, 2) intercept and slope of log odds."""
    if with_slope:
        return calibration_line.line(logit, positive, weights)
    intercept = calibration_line.intercept(logit, positive, weights)
    return np.stack([intercept, np.ones(len(weights))], axis=1)


def _least_squares(predicted, truth, weights, with_slope):
    total = weights.sum(axis=1)
    middle, level = weights @ predicted / total, weights @ truth / total
    slope = np.ones(len(weights))
    if with_slope:
        away = predicted - middle[:, None]
        spread = (weights * away**2).sum(axis=1)
        together = (weights * away * (truth - level[:, None])).sum(axis=1)
        slope = np.divide(together, spread, out=np.full(len(weights), np.nan), where=spread > 1e-12 * total)
    return np.stack([level - slope * middle, slope], axis=1)


def _probability_scores(logit, positive):
    p = calibration_line.sigmoid(logit)
    both = np.stack([1.0 - p, p], axis=1)
    scores = classification.probability_metrics(both, positive.astype(int), np.ones((1, len(p))))
    return {name: float(values[0]) for name, values in scores.items()}


def _number_scores(predicted, truth):
    scores = classification.regression.pooled(truth, predicted, np.ones((1, len(truth))))
    return {
        name: float(scores[name][0]) if np.isfinite(scores[name][0]) else None
        for name in ("r2", "mae", "rmse")
    }
