"""Explain the prediction of one sample by a linear surrogate around it (LIME; Ribeiro, Singh & Guestrin 2016).

Features of the sample are put back to the training mean at random, the model predicts each such copy, and a weighted ridge
regression of the predictions on what was put back says how much each feature's own value adds. For any model, and for genes
that vary together only a local description: association, not cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.explain import importance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.models.base import Model

FEATURES = 100  # strongest of the model, that are put back; the others stay as they are
COPIES, CHECKED = 1000, 200  # copies of a sample that are fitted, that fidelity is judged on
WIDTH, PENALTY = 0.75, 0.01  # of the kernel, in shares of the features put back; of the ridge regression
SHOWN = 20  # features of a sample in the table
LEAST = 1e-6  # probability, so that log odds stay finite
COLUMNS = [
    "sample",
    "split",
    "explained",
    "feature",
    "symbol",
    "value",
    "training_mean",
    "weight",
    "fidelity",
]


def candidates(model: Model, X: NDArray[Any]) -> NDArray[np.int64]:
    """(k,) columns of the FEATURES strongest features of a model on training rows X (n, p); of a model that gives them no
    effects, the most variable ones."""
    try:
        strength = np.abs(importance.effects(model, X, X.mean(axis=0))[0]).max(axis=0)
    except InputProblem:
        strength = X.std(axis=0)
    first = np.argsort(-strength, kind="stable")[:FEATURES]
    return np.sort(first[strength[first] > 0])


def score(model: Model, X: NDArray[Any], k: int | None = None) -> NDArray[Any]:
    """(n,) what is explained: log odds of class number k against all others, a predicted number, or a log hazard ratio."""
    if k is None:
        return model.predict(X)
    p = np.clip(model.predict_proba(X)[:, k], LEAST, 1 - LEAST)
    return np.log(p / (1 - p))


def explain(
    model: Model,
    row: NDArray[Any],
    mean: NDArray[Any],
    columns: NDArray[Any],
    k: int | None = None,
    seed: int = 1,
) -> tuple[NDArray[Any], float]:
    """((len(columns),) weights, fidelity) of one sample `row` (p,): by how much each feature's value, instead of its training
    `mean` (p,), raises the score; fidelity is the weighted R² on copies that the surrogate did not see."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(seed)
    share = rng.uniform(0, 1, (COPIES + CHECKED, 1))
    kept = rng.uniform(size=(len(share), len(columns))) >= share
    copies = np.tile(np.asarray(row, dtype=float), (len(share), 1))
    copies[:, columns] = np.where(kept, row[columns], mean[columns])
    reached = score(model, copies, k)
    weight = np.exp(-(((~kept).mean(axis=1) / WIDTH) ** 2))
    fitted = Ridge(alpha=PENALTY).fit(kept[:COPIES], reached[:COPIES], sample_weight=weight[:COPIES])
    if np.ptp(reached[COPIES:]) == 0:
        return fitted.coef_, 1.0  # the prediction depends on none of these features, and the surrogate agrees
    approximated = fitted.predict(kept[COPIES:])
    return fitted.coef_, float(r2_score(reached[COPIES:], approximated, sample_weight=weight[COPIES:]))


def table(
    model: Model,
    samples: Sequence[str],
    X: NDArray[Any],
    training: NDArray[Any],
    names: Sequence[str],
    symbols: Mapping[str, str],
    split: str,
    explained: str | None,
    seed: int = 1,
) -> pd.DataFrame:
    """DataFrame of COLUMNS, SHOWN rows for each sample, the strongest first.

    X (n, p) what the model sees of `samples`; training (m, p) of its training samples; names (p,); symbols {feature: symbol}
    explained : what the score is of, for a model without classes; otherwise each sample's predicted class
    """
    import pandas as pd

    columns, mean, rows = candidates(model, training), training.mean(axis=0), []
    classes = model.decide(model.predict_proba(X)) if model.classes_ else [None] * len(X)
    for sample, row, k in zip(samples, X, classes, strict=True):
        weights, fidelity = explain(model, row, mean, columns, k, seed)
        what = explained if k is None else model.classes_[k]
        for place in np.argsort(-np.abs(weights), kind="stable")[:SHOWN]:
            name, column = names[columns[place]], columns[place]
            values = row[column], mean[column], weights[place], fidelity
            rows.append((sample, split, what, name, symbols.get(name, ""), *values))
    return pd.DataFrame(rows, columns=COLUMNS)
