"""Survival: Cox regression and every metric held to scikit-survival; nothing learned from held-out samples."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from rna2model.evaluation import classification, predictions, survival
from rna2model.models.linear import cox, rotation

theirs = pytest.importorskip("sksurv.metrics", reason="scikit-survival is not installed")


def quiet(*_):
    pass


def make(name="cox_ridge", **options):
    return models.make(name, task="survival", **options)


def cohort(n=80, p=120, effect=1.0, seed=0, ties=False):
    """log2 expression in which 15 genes move with the log hazard; times in months, about a third censored."""
    genes, rng = np.random.default_rng(99), np.random.default_rng(seed)
    hazard, levels = rng.normal(size=n), genes.normal(5, 2, p)
    X = levels + rng.normal(size=(n, p))
    X[:, :15] += effect * hazard[:, None]
    time, censored = rng.exponential(20 * np.exp(-1.5 * hazard)) + 0.1, rng.uniform(1, 80, n)
    y = np.zeros(n, dtype=outcome.SURVIVAL)
    y["time"], y["event"] = np.minimum(time, censored), time <= censored
    if ties:
        y["time"] = np.ceil(y["time"] / 4)
    return X, y


def after_events(y):
    """The same, censored just after what happens at their time: scikit-survival's G(T) of events is then G(T-)."""
    later = structured(y)
    later["time"] += np.where(later["event"], 0.0, 1e-6)
    return later


def brier(frame, training, at):
    """Integrated Brier score of Graf et al. (1999), sample by sample and time by time, over the sum of their weights."""

    def uncensored(y, t, before):
        """Probability to be uncensored just before t, or at t; events come before censorings of the same time."""
        left = 1.0
        for u in np.unique(y["time"][~y["event"]]):
            if u < t or (u == t and not before):
                lost, gone = (y["time"] == u) & ~y["event"], (y["time"] == u) & y["event"]
                left *= 1 - lost.sum() / ((y["time"] >= u).sum() - gone.sum())
        return left

    scores = []
    for t in at:
        errors, weights = [], []
        for _, row in frame.iterrows():
            y, beyond = training[row["split"]], row["time"] > t
            if beyond or row["event"]:
                errors.append((row[f"curve_{t:.9g}"] - beyond) ** 2)
                weights.append(1 / uncensored(y, t if beyond else row["time"], before=not beyond))
        scores.append(np.average(errors, weights=weights))
    return np.trapezoid(scores, at) / (at[-1] - at[0])


def structured(y):
    """As scikit-survival wants it: the event first."""
    return np.array(list(zip(y["event"], y["time"], strict=True)), dtype=[("event", bool), ("time", float)])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("genes", [20, 120])
@pytest.mark.parametrize("ratio", [0.05, 1.0, 50.0])
def test_cox_ridge_equals_scikit_survival(ratio, genes, ties):
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    X, y = cohort(p=genes, ties=ties)
    model = make(search={"alpha_over_genes": [ratio]}).fit(X, y, log=quiet)
    Z, _, scale = rotation.scaled(X)
    reference = CoxPHSurvivalAnalysis(alpha=ratio * genes, ties="breslow", tol=1e-12, n_iter=200).fit(
        Z, structured(y)
    )
    assert_allclose(model.coefficients()[0] * scale, reference.coef_, atol=1e-7)
    assert_allclose(model.predict(X), reference.predict(Z) - reference.predict(Z).mean(), atol=1e-6)
    times = np.array([2.0, 5.0, 9.0])
    curves = reference.predict_survival_function(Z[:5])
    assert_allclose(
        model.survival(model.predict(X[:5]), times),
        [[curve(t) for t in times] for curve in curves],
        atol=1e-6,
    )


def test_inner_folds_fitted_at_once_are_those_fitted_alone():
    X, y = cohort(ties=True)
    order = np.argsort(y["time"], kind="stable")
    Z, rows = rotation.scaled(X)[0][order], np.arange(80) % 4 > 0
    loss = cox.PartialLikelihood(y[order])
    both = cox.solve(loss, Z, np.stack([rows, np.ones(80)], axis=1).astype(float), np.array([60.0, 500.0]))
    alone = cox.solve(cox.PartialLikelihood(y[order][rows]), Z[rows], np.ones((60, 1)), np.array([60.0]))
    assert_allclose(both[:, 0], alone[:, 0], atol=1e-6)


@pytest.mark.parametrize("name", models.for_task("survival"))
def test_a_model_predicts_and_reloads_identically(name, tmp_path):
    X, y = cohort()
    new, _ = cohort(seed=1, n=30)
    model = make(name).fit(X, y, log=quiet)
    model.save(tmp_path / "one")
    make(name).fit(X, y, log=quiet).save(tmp_path / "two")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    again, times = models.load(tmp_path / "one"), {"survival_5": 5.0, "curve_5": 5.0}
    names = [f"s{i}" for i in range(30)]
    frame = predictions.table(names, model, new, times)
    assert frame.equals(predictions.table(names, again, new, times))
    assert frame.iloc[7].tolist() == predictions.table(["s7"], again, new[7:8], times).iloc[0].tolist()
    assert set(frame["risk_group"]) <= {"low", "high"}
    assert again.settings_ == json.loads(json.dumps(model.settings_))


def test_the_planted_risk_is_found_and_the_dummy_ranks_nobody():
    X, y = cohort()
    new, truth = cohort(seed=1, n=100)
    risks = {n: make(n).fit(X, y, log=quiet).predict(new) for n in models.for_task("survival")}
    assert theirs.concordance_index_censored(truth["event"], truth["time"], risks["cox_ridge"])[0] > 0.68
    assert_array_equal(risks["dummy"], 0.0)


def test_the_dummy_predicts_the_survival_of_the_training_samples():
    from sksurv.nonparametric import nelson_aalen_estimator

    X, y = cohort(ties=True)
    times, hazard = nelson_aalen_estimator(y["event"], y["time"])
    assert_allclose(
        make("dummy").fit(X, y, log=quiet).survival(np.zeros(1), times)[0], np.exp(-hazard), atol=1e-12
    )


def test_noise_is_predicted_at_chance():
    concordances = []
    for seed in range(20):
        X, y = cohort(n=90, effect=0.0, seed=seed)
        risk = make().fit(X[:60], y[:60], log=quiet).predict(X[60:])
        concordances.append(theirs.concordance_index_censored(y["event"][60:], y["time"][60:], risk)[0])
    assert 0.44 < np.mean(concordances) < 0.56


def test_held_out_samples_change_neither_model_nor_cut_points():
    """The gene that gives time away in test rows only is not used; risk groups depend on the training rows alone."""
    X, y = cohort(effect=0.0)
    X[:, -1] = 4.0
    leaking = X.copy()
    leaking[60:, -1] = y["time"][60:]
    model = make().fit(X[:60], y[:60], log=quiet)
    assert_array_equal(model.predict(X[60:]), model.predict(leaking[60:]))
    assert model.cut_[0] == pytest.approx(np.median(model.predict(X[:60])))
    high = model.risk_group(np.array([model.cut_[0] + 1.0] * 20))  # a test set of high risks has no low half
    assert set(high) == {"high"}


def test_what_cannot_be_trained_is_refused():
    X, y = cohort()
    y["event"] = False
    with pytest.raises(InputProblem, match="none of the 80 training samples has an event"):
        make().fit(X, y)
    y["event"], y["time"][3] = True, 0.0
    with pytest.raises(InputProblem, match="above 0"):
        make().fit(X, y)


def held_out(ties=False, n=80, folds=2):
    """Out-of-fold predictions with curves, and {split: training survival}."""
    X, y = cohort(n=n, ties=ties)
    shown, curves = outcome.times(y)
    fold, parts, training = np.arange(n) % folds, [], {}
    for k in range(folds):
        split = f"r1f{k + 1}"
        model = make().fit(X[fold != k], y[fold != k], log=quiet)
        names = [f"s{i:02}" for i in np.flatnonzero(fold == k)]
        frame = predictions.table(names, model, X[fold == k], {**shown, **curves})
        parts.append(predictions.scored(frame, split, y[fold == k]))
        training[split] = y[fold != k]
    return pd.concat(parts, ignore_index=True), training


@pytest.mark.parametrize("ties", [False, True])
def test_metrics_equal_scikit_survival(ties):
    frame, training = held_out(ties)
    metrics = classification.metrics(frame, task="survival", training=training, n_boot=50)
    at = [float(name.removeprefix("curve_")) for name in frame if name.startswith("curve_")]
    landmarks = [float(name.removeprefix("survival_")) for name in frame if name.startswith("survival_")]
    each, pairs = {"harrell_c": [], "uno_c": [], "auc": []}, []
    summed, weights = [], []
    for split, part in frame.groupby("split"):
        test, train = structured(part.to_records()), after_events(training[split])
        test["event"] = part["event"] == 1
        test["time"] = part["time"]
        risk = part["predicted"].to_numpy()
        concordance = theirs.concordance_index_censored(test["event"], test["time"], risk)
        each["harrell_c"].append(concordance[0])
        pairs.append(
            (concordance[1] + 0.5 * concordance[3], concordance[1] + concordance[2] + concordance[3])
        )
        each["uno_c"].append(theirs.concordance_index_ipcw(train, test, risk, tau=at[-1])[0])
        each["auc"].append(theirs.cumulative_dynamic_auc(train, test, risk, landmarks)[0])
        curves = part[[f"curve_{t:.9g}" for t in at]].to_numpy()
        for parts, predicted in ((summed, curves), (weights, np.full_like(curves, 0.5))):
            scores = theirs.brier_score(structured(training[split]), test, predicted, at)[1]
            parts.append(scores * len(part))
    integrated = brier(frame, training, at)
    assert metrics["integrated_brier"]["estimate"] == pytest.approx(integrated, abs=1e-9)
    if not ties:  # where G(T-) is G(T); the error of a constant half is a quarter of the weights
        scores = sum(summed) / sum(weights) / 4
        assert integrated == pytest.approx(np.trapezoid(scores, at) / (at[-1] - at[0]), abs=1e-9)
    for name in ("harrell_c", "uno_c"):
        assert metrics[name]["plain_mean"] == pytest.approx(np.mean(each[name]), abs=1e-9), name
    assert metrics["auc"]["plain_mean"] == pytest.approx(np.mean(each["auc"]), abs=1e-9)
    right = [right for right, _ in pairs], [all_pairs for _, all_pairs in pairs]
    assert metrics["harrell_c"]["estimate"] == pytest.approx(np.sum(right[0]) / np.sum(right[1]), abs=1e-9)
    aucs = [metrics[f"auc_at_{t:g}"]["estimate"] for t in landmarks]
    assert aucs == pytest.approx(np.mean(each["auc"], axis=0), abs=0.02)
    assert metrics["auc"]["estimate"] == pytest.approx(np.mean(aucs))
    for value in metrics.values():
        assert value["lower"] <= value["estimate"] <= value["upper"] and value["n"] == 80


def test_a_resample_is_a_weighting():
    """A row of weight 2 counts as two equal rows, which are no pair."""
    frame, training = held_out(ties=True)
    table = survival.read(frame[frame["split"] == "r1f1"], None, training)
    times = np.random.default_rng(0).integers(0, 3, 40)
    values, _ = table.one_repeat(np.arange(40), times[None].astype(float), None)
    again = np.repeat(np.arange(40), times)
    y = structured(np.array(list(zip(table.time, table.event, strict=True)), dtype=outcome.SURVIVAL)[again])
    risk = table.risk[again]
    assert values["harrell_c"][0] == pytest.approx(
        theirs.concordance_index_censored(y["event"], y["time"], risk)[0]
    )
    uno = theirs.concordance_index_ipcw(after_events(training["r1f1"]), y, risk, tau=table.last)[0]
    assert values["uno_c"][0] == pytest.approx(uno)


def test_censoring_weights_come_from_the_training_rows():
    frame, training = held_out()
    changed = {split: y.copy() for split, y in training.items()}
    for y in changed.values():
        y["event"][::2] = False
    one, other = (
        classification.metrics(frame, task="survival", training=t, n_boot=2) for t in (training, changed)
    )
    assert one["integrated_brier"]["estimate"] != other["integrated_brier"]["estimate"]
    assert one["harrell_c"]["estimate"] == other["harrell_c"]["estimate"]


def test_a_fold_without_comparable_samples_is_skipped_and_json_has_no_nan():
    frame, training = held_out()
    frame.loc[frame["split"] == "r1f2", "event"] = 0
    metrics = classification.metrics(frame, task="survival", training=training, n_boot=20)
    assert metrics["harrell_c"]["folds_skipped"] == 1 and metrics["harrell_c"]["estimate"] is not None
    frame["event"] = 0
    metrics = classification.metrics(frame, task="survival", training=training, n_boot=20)
    assert metrics["uno_c"]["estimate"] is None and "known to live longer" in metrics["uno_c"]["note"]
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


@pytest.mark.parametrize("censoring", [False, True])
def test_kaplan_meier_equals_scikit_survival(censoring):
    from sksurv.nonparametric import kaplan_meier_estimator

    _, y = cohort(ties=True)
    times, probability = kaplan_meier_estimator(y["event"], y["time"], reverse=censoring)
    ours = survival.kaplan_meier(y["time"], y["event"], censoring)
    assert_allclose(ours[0], times)
    assert_allclose(ours[1], probability, atol=1e-12)


def test_landmarks_are_quartiles_of_the_event_times_or_those_given():
    _, y = cohort()
    shown, curves = outcome.times(y)
    assert_allclose(list(shown.values()), np.percentile(y["time"][y["event"]], [25, 50, 75]), rtol=0.005)
    assert len(curves) == 17 and outcome.times(y, [12, 24])[0] == {"survival_12": 12.0, "survival_24": 24.0}
    assert outcome.times(np.array(["a", "b"])) == ({}, {})
