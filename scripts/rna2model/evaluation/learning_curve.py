"""Learning curves: the whole pipeline trained on subsets of the training samples and tested on the same held-out samples."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.evaluation import classification, predictions
from rna2model.training import pipeline, preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from rna2model.training.split_data import SplitData

COLUMNS = ["fraction", "n_train", "folds", "metric", "estimate", "lower", "upper"]
COLUMNS += ["subsets", "sd", "change", "change_lower", "change_upper"]
OWN = ["fraction", "subset", "n_train", "fold"]  # columns of a curve that tables of predictions do not have
Z95 = 1.959963984540054  # of a standard normal, for 95 %
LEAST_GROUPS = 2  # of each class: fewer leave nothing to learn from


def subset(data: SplitData, fraction: float, split: str, seed: int, number: int = 1) -> list[str]:
    """Names of the training samples that a `fraction` of their groups have, sorted; smaller fractions lie within larger ones
    of the same `number` (1 ...), each of which is drawn by itself.

    Groups (samples where there are none) are drawn among those whose commonest class is the same, so that the classes keep
    their shares; of each class at least LEAST_GROUPS. Numbers and survival have classes as their folds do (outcome.py).
    """
    labels = data.labels(data.train)
    groups: Any = np.asarray(data.train) if data.groups(data.train) is None else data.groups(data.train)
    rng = np.random.default_rng(
        [seed, *map(int, re.findall(r"\d+", split)), *([number] if number > 1 else [])]
    )
    names = sorted(set(groups))
    main = np.array(
        [min(Counter(labels[groups == name]).items(), key=lambda c: (-c[1], c[0]))[0] for name in names]
    )
    chosen = []
    for label in sorted(set(main)):
        members = rng.permutation(np.flatnonzero(main == label))
        chosen += members[: max(LEAST_GROUPS, round(fraction * len(members)))].tolist()
    kept = {names[i] for i in chosen}
    return sorted(name for name, group in zip(data.train, groups, strict=True) if group in kept)


def predict(
    data: SplitData,
    split: str,
    fractions: Iterable[float],
    fit: Callable[[SplitData], tuple[Any, Any]],
    unseen: str,
    times: Mapping[str, float] | None,
    seed: int,
    log: Callable[..., None] = print,
    subsets: int = 1,
) -> pd.DataFrame:
    """Predictions for the held-out samples of one split, with columns fraction, subset and n_train, of models for each fraction
    of so many `subsets`.

    data : split_data.SplitData; fit : function of a SplitData with fewer training samples that gives (model, Preprocessing) fitted
    on them alone; times : of predictions.table. A fraction that cannot be trained (a class is gone, a batch coincides with
    the target) is left out, and the log says so.
    """
    parts = []
    for fraction, number in itertools.product(sorted(set(fractions) - {1.0}), range(1, subsets + 1)):
        fewer = dataclasses.replace(data, train=subset(data, fraction, split, seed, number))
        subset_name = f"fraction {fraction:g}, subset {number} of {subsets}"
        try:
            model, fitted = fit(fewer)
        except InputProblem as problem:
            log(f"{split}: {len(fewer.train)} training samples ({subset_name}) left out: {problem}")
            continue
        expression = fewer.expression(fewer.test, fitted, unseen=unseen)
        table = predictions.table(fewer.test, model, expression, times)
        table = predictions.scored(table, split, fewer.outcome(fewer.test))
        table.insert(0, "n_train", len(fewer.train))
        table.insert(0, "subset", number)
        table.insert(0, "fraction", f"{fraction:g}")
        parts.append(table)
        log(f"{split}: trained on {len(fewer.train)} of {len(data.train)} samples ({subset_name})")
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["fraction", "subset", "n_train", "split"])
    )


def table(
    curve: pd.DataFrame,
    whole: pd.DataFrame,
    n_train: Mapping[str, int],
    shown: Sequence[str],
    training: Mapping[str, NDArray[Any]] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: the metrics `shown` at each fraction, with 95 % intervals, and at 1 those of the models themselves.

    curve : all tables of `predict`; whole : the models' own out-of-fold predictions; n_train : {split: training samples};
    training, options : as classification.metrics. `folds`: how many folds could be trained. Subsets of a fraction are averaged as
    repeats are; `sd` is their standard deviation. `change`, at 1: from the largest fraction below it (`change_to_all`).
    """
    parts = (
        [(fraction, _as_repeats(part)) for fraction, part in curve.groupby("fraction")] if len(curve) else []
    )
    parts = sorted(parts, key=lambda each: float(each[0]))
    last = parts[-1][1] if parts else None
    parts.append(("1", _as_repeats(whole.assign(n_train=whole["split"].map(n_train), subset=1))))
    rows = []
    for fraction, part in parts:
        scored = {"training": _of_subsets(training, part), **options}
        metrics = classification.metrics(part.drop(columns=OWN), **scored)
        subsets = [
            classification.metrics(one.drop(columns=OWN), **scored | {"n_boot": 1})
            for _, one in part.groupby("subset")
        ]
        size = part.groupby("fold")["n_train"].first().astype(float).mean()
        for name in (name for name in shown if name in metrics):
            value = [metrics[name][key] for key in ("estimate", "lower", "upper")]
            each = [
                one[name]["estimate"] for one in subsets if name in one and one[name]["estimate"] is not None
            ]
            spread = np.std(each, ddof=1) if len(each) > 1 else None
            change: list[float | None] = [None] * 3
            if fraction == "1" and last is not None:
                change = change_to_all(last, whole, name, training, **options)
            counted = part["fold"].nunique(), name, *value, len(subsets), spread, *change
            rows.append([f"{float(fraction):g}", round(size, 1), *counted])
    return pd.DataFrame(rows, columns=COLUMNS)


def _as_repeats(part):
    """Predictions in which each subset of a split becomes a repeat of the cross-validation (split r1x2f3); `fold` keeps the split's name."""
    part = part.assign(fold=part["split"], fraction=part.get("fraction", "1"))
    number = part["subset"].astype(str)
    return part.assign(split=[f.replace("f", f"x{s}f") for f, s in zip(part["fold"], number, strict=True)])


def _of_subsets(training, part):
    """`training` under the split names that `_as_repeats` makes."""
    if training is None:
        return None
    return {split: training[fold] for split, fold in zip(part["split"], part["fold"], strict=True)}


def change_to_all(
    part: pd.DataFrame,
    whole: pd.DataFrame,
    metric: str,
    training: Mapping[str, NDArray[Any]] | None = None,
    **options: Any,
) -> list[float | None]:
    """[estimate, lower, upper] of what a metric gains from a fraction's subsets (`_as_repeats`) to all training samples.

    The same held-out samples and resamples on both sides (classification.paired_difference); the variance of the mean over subsets
    is added to that of the resamples where there are several subsets.
    """
    every = [whole[whole["split"].isin(one["fold"])].assign(subset=s) for s, one in part.groupby("subset")]
    both = _as_repeats(pd.concat(every)).drop(columns=OWN, errors="ignore"), part.drop(columns=OWN)
    scored = {"training": _of_subsets(training, part), **options}
    difference = classification.paired_difference(*both, metric, **scored)
    if difference["estimate"] is None or difference["lower"] is None:
        return [difference["estimate"], None, None]
    numbers, estimate = both[0]["split"].str.extract(r"x(\d+)f")[0], difference["estimate"]
    gains = []
    for number in sorted(set(numbers)):
        one, other = (side[side["split"].str.contains(f"x{number}f")] for side in both)
        gains.append(
            classification.paired_difference(one, other, metric, **scored | {"n_boot": 1})["estimate"]
        )
    gains = [gain for gain in gains if gain is not None]
    reach = Z95 * np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    lower, upper = estimate - difference["lower"], difference["upper"] - estimate
    return [estimate, estimate - np.hypot(lower, reach), estimate + np.hypot(upper, reach)]


def fitter(
    name: str,
    options: Mapping[str, Any],
    params: Any,
    gene_sets: str | Path | None = None,
    device: str = "cpu",
    threads: int | None = None,
    weights: Callable[..., Any] | None = None,
) -> Callable[[SplitData], tuple[Any, Any]]:
    """The `fit` of `predict`: preprocessing and model `name`, both on the training samples given.

    params : expression, unit, features, covariates, seed, inner_folds, design (attributes), as the rules have them;
    gene_sets : GMT file; weights : as pipeline.make_model
    """

    def fit(data):
        fitted = preprocessing.Preprocessing().fit(
            data, params.expression, params.unit, params.features, params.covariates, gene_sets
        )
        model = pipeline.make_model(
            name,
            options,
            fitted.names,
            weights,
            seed=params.seed,
            inner_folds=params.inner_folds,
            device=device,
            threads=threads,
            task=params.design["task"],
        )
        pipeline.train(model, data, fitted, params.features, params.seed, log=lambda *_: None)
        return model, fitted.shown_to(model)

    return fit


def times(data: SplitData, landmarks: Sequence[float] | None) -> dict[str, float]:
    """{column: time} at which survival is predicted, the same for all splits and fractions."""
    shown, curves = outcome.times(data.outcome(data.full), landmarks)
    return {**shown, **curves}
