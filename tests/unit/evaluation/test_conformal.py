"""Prediction sets: they hold the truth as often as they say where samples are exchangeable, by groups where there are some."""

import json

import numpy as np
import pandas as pd
import pytest

from rna2model.evaluation import conformal


def quantile(scores, n):
    """The textbook's threshold: the ceil(0.9 (n + 1))-th smallest score."""
    place = int(np.ceil(0.9 * (n + 1)))
    return np.sort(scores)[place - 1] if place <= n else np.inf


@pytest.mark.parametrize("n", [5, 8, 9, 10, 37, 99, 100, 250])
def test_the_threshold_of_single_samples_is_the_textbook_s(n):
    scores = np.random.default_rng(n).random(n)
    assert conformal.threshold(scores, np.arange(n)) == quantile(scores, n)
    twice = np.tile(scores, 2), np.tile(np.arange(n), 2)  # repeats of the same score tell nothing new
    assert conformal.threshold(*twice) == quantile(scores, n)
    assert np.isinf(conformal.threshold(scores, np.zeros(n)))  # one donor


def cohort(n, seed, share=0.3, per_donor=1, folds=5, spread=1.0):
    """(out-of-fold table of calibrated predictions of two classes, {sample: donor}); samples of a donor are alike."""
    rng = np.random.default_rng(seed)
    donors = n // per_donor
    positive = rng.random(donors) < share
    own = rng.normal(0, spread, donors) * (0.0 if per_donor == 1 else 1.0)
    rows = np.repeat(np.arange(donors), per_donor)
    x = 2 * positive[rows] + own[rows] + rng.normal(0, 1, len(rows))
    p = 1 / (1 + np.exp(-(2 * x - 2 + np.log(share / (1 - share)))))
    names = [f"s{i}" for i in range(len(rows))]
    frame = pd.DataFrame({"sample": names, "split": [f"r1f{d % folds + 1}" for d in rows]})
    frame["truth"] = np.where(positive[rows], "case", "control")
    frame["predicted"] = np.where(p > 0.5, "case", "control")
    frame = frame.assign(prob_case=p, prob_control=1 - p)
    return frame, dict(zip(names, [f"d{d}" for d in rows], strict=True))


def held(frame, cells):
    return np.array([t in c.split("|") for t, c in zip(frame["truth"], cells, strict=True)])


def test_sets_of_new_samples_hold_nine_in_ten_of_each_class():
    """60 samples, 30 % cases: on average over 100 cohorts 90 to 95 % of new samples, of either class."""
    coverage = {"case": [], "control": []}
    for seed in range(100):
        settings = json.loads(
            json.dumps(conformal.fit(cohort(60, seed)[0], "classification"), allow_nan=False)
        )
        new, _ = cohort(200, 1000 + seed)
        right = held(new, conformal.columns(conformal.read(settings), new, "classification")["set_90"])
        for name, parts in coverage.items():
            parts.append(right[new["truth"] == name].mean())
    for name, parts in coverage.items():
        assert 0.89 < np.mean(parts) < 0.96, name


def test_samples_of_a_donor_are_one_and_sets_of_new_donors_hold_nine_in_ten():
    """30 donors with 8 samples: taken as 240 samples, sets of new donors hold fewer than they say."""
    by_donor, by_sample = [], []
    for seed in range(80):
        frame, groups = cohort(240, seed, share=0.5, per_donor=8, spread=2.0)
        new, _ = cohort(400, 5000 + seed, share=0.5, per_donor=8, spread=2.0)
        for donors, parts in ((groups, by_donor), (None, by_sample)):
            thresholds = conformal.read(conformal.fit(frame, "classification", donors))
            parts.append(held(new, conformal.columns(thresholds, new, "classification")["set_90"]).mean())
    assert 0.895 < np.mean(by_donor) < 0.96
    assert np.mean(by_sample) < np.mean(by_donor) - 0.02


def test_coverage_out_of_fold_is_that_of_new_samples():
    out_of_fold, true = [], []
    for seed in range(60):
        frame, _ = cohort(100, seed)
        settings = conformal.fit(frame, "classification")
        out_of_fold.append(settings["out_of_fold"]["coverage"])
        new, _ = cohort(300, 9000 + seed)
        true.append(
            held(new, conformal.columns(conformal.read(settings), new, "classification")["set_90"]).mean()
        )
    assert np.mean(out_of_fold) == pytest.approx(np.mean(true), abs=0.02)
    out = settings["out_of_fold"]
    assert (
        out["lower"] < out["coverage"] < out["upper"]
        and out["n"] == 100
        and set(out["of_class"]) == {"case", "control"}
    )


def test_coverage_of_noise_is_the_same_and_sets_name_both_classes():
    """Predictions that know nothing: still nine in ten, by sets that name both."""
    frame, _ = cohort(200, 1, share=0.5)
    rng = np.random.default_rng(1)
    frame["prob_case"] = rng.uniform(0.3, 0.7, 200)
    frame["prob_control"] = 1 - frame["prob_case"]
    out = conformal.fit(frame, "classification")["out_of_fold"]
    assert out["coverage"] > 0.85 and out["size"] > 1.7


def test_too_few_of_a_class_are_never_left_out_of_a_set():
    frame, _ = cohort(60, 3)
    rare = frame[(frame["truth"] == "control") | (frame.groupby("truth").cumcount() < 8)]
    settings = conformal.fit(rare, "classification")
    assert settings["thresholds"]["case"] is None and settings["groups"]["case"] == 8
    sets = conformal.columns(conformal.read(settings), frame, "classification")["set_90"]
    assert all("case" in cell.split("|") for cell in sets)


def test_a_sample_without_prediction_has_no_set_and_none_is_empty():
    frame, _ = cohort(60, 4)
    thresholds = {"case": 0.01, "control": 0.01}  # both are out
    assert conformal.columns(thresholds, frame, "classification")["set_90"] == frame["predicted"].tolist()
    frame.loc[0, ["predicted", "prob_case", "prob_control"]] = ["", np.nan, np.nan]
    assert conformal.columns(thresholds, frame, "classification")["set_90"][0] == ""


def numbers(n, seed):
    rng = np.random.default_rng(seed)
    predicted = rng.normal(50, 10, n)
    frame = pd.DataFrame(
        {"sample": [f"s{i}" for i in range(n)], "split": [f"r1f{i % 5 + 1}" for i in range(n)]}
    )
    return frame.assign(truth=predicted + rng.standard_t(3, n), predicted=predicted)


def test_intervals_of_numbers_hold_nine_in_ten():
    share = []
    for seed in range(60):
        settings = conformal.fit(numbers(50, seed), "regression")
        new = numbers(300, 700 + seed)
        new = new.assign(**conformal.columns(conformal.read(settings), new, "regression"))
        share.append(conformal.coverage(new, "regression")["coverage"])
    assert 0.89 < np.mean(share) < 0.93
    few = conformal.fit(numbers(8, 1), "regression")
    assert few["thresholds"] == {"predicted": None} and few["out_of_fold"]["width"] is None
    json.dumps(few, allow_nan=False)


def test_survival_and_bundles_of_before_have_no_sets():
    assert conformal.fit(numbers(20, 1), "survival") is None
    assert conformal.columns(conformal.read(None), numbers(20, 1), "regression") == {}
    assert conformal.coverage(numbers(20, 1), "regression") is None
