"""Explanations of refitted models: on shuffled labels, as a null distribution, and with other seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.evaluation.permutation import any_model, exchangeable
from rna2model.explain import importance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rna2model.expression.features.selection import Selector
    from rna2model.models.base import Model

SHUFFLES = 100  # of linear models, where all are fitted in one batch
SEEDS = 3  # models of other seeds, where a model draws
QUANTILE = 0.95


def wanted(setting: Any, model: Model) -> int:
    """Number of shuffles: as configured; `auto` is SHUFFLES if all can be fitted in one batch, else 0. Survival has none."""
    if setting != "auto":
        return 0 if model.task == "survival" else setting
    return SHUFFLES if _in_one_batch(model) else 0


def draw(
    task: str,
    y: NDArray[Any],
    groups: NDArray[Any] | None,
    trained: Sequence[Sequence[int]],
    n: int,
    seed: int,
) -> NDArray[Any]:
    """(n, m) outcomes y (m,) shuffled as the permutation test does it: groups with one label exchange it as a whole.

    trained : row numbers of each training set; every one keeps two samples of each class. InputProblem where none can.
    """
    units = np.unique(np.arange(len(y)) if groups is None else groups, return_inverse=True)[1]
    if task == "classification" and any(
        np.unique(y[rows], return_counts=True)[1].min() < 2 for rows in trained
    ):
        raise InputProblem("labels cannot be shuffled: a training set has a single sample of a class")
    exchangeable.check(task, y, units)
    return np.array(any_model.draw(task, y, units, trained, n, np.random.default_rng(seed)))


def effects(
    model: Any,
    X: NDArray[Any],
    outcomes: NDArray[Any],
    shown: NDArray[Any],
    groups: NDArray[Any] | None = None,
    select: Selector | None = None,
) -> NDArray[np.float32]:
    """(P, C, p) float32 effects (importance.effects on rows `shown`) of models like `model`, fitted to the rows X (n, p).

    outcomes : (P, n) labels or numbers. The settings that were chosen for `model` are kept: tuned to shuffled labels, a
    penalty shrinks everything to nothing and whatever the true model does would exceed that.
    """
    if _in_one_batch(model):
        targets = (
            outcomes
            if model.task == "regression"
            else np.array([outcome.class_numbers(model.classes_, y) for y in outcomes])
        )
        return (model.refit(X, targets) * shown.std(axis=0)).astype(np.float32)
    return np.stack([_again(model, model.settings_["seed"], X, y, shown, groups, select) for y in outcomes])


def of_other_seeds(
    model: Model,
    X: NDArray[Any],
    y: NDArray[Any],
    shown: NDArray[Any],
    groups: NDArray[Any] | None = None,
    select: Selector | None = None,
) -> list[NDArray[np.float32]]:
    """List of (C, p) effects of SEEDS models like `model` that differ in their seed; empty for a model that does not draw."""
    if model.coefficients() is not None:
        return []
    seeds = range(model.settings_["seed"] + 1, model.settings_["seed"] + 1 + SEEDS)
    return [_again(model, seed, X, y, shown, groups, select) for seed in seeds]


def limit(control: NDArray[Any], final: NDArray[Any]) -> NDArray[np.float64]:
    """(C, p) what a feature's |effect| reaches in 95 of 100 models of shuffled labels, in the unit of the final model.

    control (P, C, p); final (C, p). Models are brought to the same mean |effect| first: what counts is how much of a model
    a feature is, not how large the coefficients of a model happen to be.
    """
    size = np.abs(control).mean(axis=(1, 2), keepdims=True)
    share = np.divide(np.abs(control), size, out=np.zeros(control.shape), where=size > 0)
    return np.quantile(share, QUANTILE, axis=0) * np.abs(final).mean()


def agreement(folds: Sequence[tuple[Sequence[str], NDArray[Any]]]) -> dict[str, float] | None:
    """{mean, upper, n}: stability over folds of models of shuffled labels, and its 95 % quantile.

    folds : list of (feature names, (P, C, p) effects); shuffle i is the same in all folds
    """
    stabilities: list[Any] = [
        importance.agreement([(names, parts[i]) for names, parts in folds])["stability"]
        for i in range(len(folds[0][1]))
    ]
    stabilities = [value for value in stabilities if value is not None]
    if not stabilities:
        return None
    return {
        "mean": round(float(np.mean(stabilities)), 4),
        "upper": round(float(np.quantile(stabilities, QUANTILE)), 4),
        "n": len(stabilities),
    }


def _in_one_batch(model):
    return hasattr(model, "refit") and model.columns_ is None and "imbalance" not in model.settings_


def _again(model, seed, X, y, shown, groups, select):
    """(C, p) effects of a model of the same kind and settings."""
    kept = {key: [model.settings_[key]] for key in model.SEARCH if key in model.settings_}
    again = models.make(
        model.name,
        seed=seed,
        inner_folds=max(2, model.settings_["inner_folds"]),
        search=kept,
        task=model.task,
        imbalance=model.settings_.get("imbalance", "auto"),
        positive=model.positive,
        own=getattr(model, "code", None),
        **({"names": model.names} if hasattr(model, "names") else {}),
    )
    again.fit(X, y, groups=groups, select=select, log=lambda *_: None)
    return importance.effects(again, shown, shown.mean(axis=0))[0].astype(np.float32)
