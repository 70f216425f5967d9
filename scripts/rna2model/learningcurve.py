"""Would more samples help? The whole pipeline, trained on fewer and fewer of them and tested on the same held-out samples."""

import dataclasses
import re
from collections import Counter

import numpy as np
import pandas as pd

from rna2model import evaluation, outcome, pipeline, predictions
from rna2model.errors import InputProblem

COLUMNS = ["fraction", "n_train", "folds", "metric", "estimate", "lower", "upper"]
LEAST_GROUPS = 2  # of each class: fewer leave nothing to learn from


def subset(data, fraction, split, seed):
    """Names of the training samples that a `fraction` of their groups have, sorted; smaller fractions lie within larger ones.

    Groups (samples where there are none) are drawn among those whose commonest class is the same, so that the classes keep
    their shares; of each class at least LEAST_GROUPS. Numbers and survival have classes as their folds do (outcome.py).
    """
    labels = data.labels(data.train)
    groups = np.asarray(data.train) if data.groups(data.train) is None else data.groups(data.train)
    rng = np.random.default_rng([seed, *map(int, re.findall(r"\d+", split))])
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


def predict(data, split, fractions, fit, unseen, times, seed, log=print):
    """Predictions for the held-out samples of one split, with columns fraction and n_train, of models for each fraction.

    data : splitdata.SplitData; fit : function of a SplitData with fewer training samples that gives (model, artefacts) fitted
    on them alone; times : of predictions.table. A fraction that cannot be trained (a class is gone, a batch coincides with
    the target) is said in the log and left out.
    """
    parts = []
    for fraction in sorted(set(fractions) - {1.0}):
        fewer = dataclasses.replace(data, train=subset(data, fraction, split, seed))
        try:
            model, artefacts = fit(fewer)
        except InputProblem as problem:
            log(f"{split}: {len(fewer.train)} training samples (fraction {fraction:g}) left out: {problem}")
            continue
        expression = fewer.expression(fewer.test, *artefacts, unseen=unseen)
        table = predictions.table(fewer.test, model, expression, times)
        table = predictions.scored(table, split, fewer.outcome(fewer.test))
        table.insert(0, "n_train", len(fewer.train))
        table.insert(0, "fraction", f"{fraction:g}")
        parts.append(table)
        log(f"{split}: trained on {len(fewer.train)} of {len(data.train)} samples (fraction {fraction:g})")
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["fraction", "n_train", "split"])
    )


def table(curve, whole, n_train, shown, **options):
    """DataFrame of COLUMNS: the metrics `shown` at each fraction, with 95 % intervals, and at 1 those of the models themselves.

    curve : all tables of `predict`; whole : the models' own out-of-fold predictions; n_train : {split: training samples};
    folds : how many folds could be trained; options : as evaluation.metrics
    """
    given = [(fraction, part) for fraction, part in curve.groupby("fraction")] if len(curve) else []
    given.append(("1", whole.assign(n_train=whole["split"].map(n_train))))
    rows = []
    for fraction, part in sorted(given, key=lambda each: float(each[0])):
        size = part.groupby("split")["n_train"].first().astype(float).mean()
        found = evaluation.metrics(part.drop(columns=["fraction", "n_train"], errors="ignore"), **options)
        for name in (name for name in shown if name in found):
            value = [found[name][key] for key in ("estimate", "lower", "upper")]
            rows.append([f"{float(fraction):g}", round(size, 1), part["split"].nunique(), name, *value])
    return pd.DataFrame(rows, columns=COLUMNS)


def fitter(name, options, params, gene_sets=None, device="cpu", threads=None):
    """The `fit` of `predict`: normalizer, batch model, features and model `name`, all on the training samples given.

    params : expression, unit, features, covariates, seed, inner_folds, design (attributes), as the rules have them;
    gene_sets : GMT file
    """

    def fit(data):
        normalizer = pipeline.fit_normalizer(data, params.expression, params.unit)
        batch_model, _ = pipeline.fit_batch_model(data, normalizer, params.expression)
        fitted = None
        if gene_sets or params.covariates:
            fitted = pipeline.fit_features(
                data, normalizer, batch_model, params.features, params.covariates, gene_sets
            )
        artefacts = normalizer, batch_model, fitted
        model = pipeline.make_model(
            name,
            options,
            pipeline.seen(normalizer, fitted),
            seed=params.seed,
            inner_folds=params.inner_folds,
            device=device,
            threads=threads,
            task=params.design["task"],
        )
        pipeline.train(model, data, artefacts, params.features, params.seed, log=lambda *_: None)
        return model, artefacts

    return fit


def times(data, landmarks):
    """{column: time} at which survival is predicted, the same for all splits and fractions."""
    shown, curves = outcome.times(data.outcome(data.full), landmarks)
    return {**shown, **curves}
