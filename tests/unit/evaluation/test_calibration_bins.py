"""Reliability tables: what was predicted against what came, bin by bin."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from rna2model.evaluation import calibration_bins


def classified(n=300, repeats=1, seed=0):
    """Out-of-fold predictions of a model that is right about its probabilities."""
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    truth = np.where(rng.random(n) < p, "b", "a")
    parts = []
    for repeat in range(1, repeats + 1):
        probability = np.clip(p + (0.1 * (-1) ** repeat if repeats > 1 else 0.0), 0, 1)
        parts.append(
            pd.DataFrame({"sample": [f"s{i:03}" for i in range(n)], "split": f"r{repeat}f1", "truth": truth})
            .assign(
                predicted=np.where(probability > 0.5, "b", "a"), prob_a=1 - probability, prob_b=probability
            )
            .sample(frac=1, random_state=repeat)
        )
    return pd.concat(parts), p, truth == "b"


def test_bins_hold_equally_many_and_observe_what_was_predicted():
    frame, p, hit = classified(3000)
    table = calibration_bins.table(frame, "classification")
    assert list(table.columns) == calibration_bins.COLUMNS and set(table["outcome"]) == {"b"}
    assert table["n"].tolist() == [300] * 10 and table["bin"].tolist() == list(range(1, 11))
    order = np.argsort(p)[:300]
    assert_allclose(table.loc[0, ["predicted", "observed"]].tolist(), [p[order].mean(), hit[order].mean()])
    assert ((table["lower"] < table["predicted"]) & (table["predicted"] < table["upper"])).sum() >= 8


def test_repeats_are_averaged_so_that_a_sample_counts_once():
    frame, p, _ = classified(200, repeats=2)
    table = calibration_bins.table(frame, "classification")
    assert table["n"].sum() == 200
    inside = (p > 0.1) & (p < 0.9)
    assert_allclose((table["predicted"] * table["n"]).sum(), p[inside].sum() + p[~inside].sum(), atol=10)


def test_few_samples_have_few_bins_and_ties_stay_together():
    frame, *_ = classified(24)
    assert len(calibration_bins.table(frame, "classification")) == 2
    alike = frame.assign(prob_a=0.6, prob_b=0.4)
    assert calibration_bins.table(alike, "classification")["n"].tolist() == [24]


def test_each_of_three_classes_has_its_own_curve():
    frame, *_ = classified(60)
    frame = frame.assign(prob_b=frame["prob_b"] / 2, prob_c=frame["prob_b"] / 2)
    table = calibration_bins.table(frame, "classification")
    assert table.groupby("outcome")["n"].sum().to_dict() == {"a": 60, "b": 60, "c": 60}
    assert (table.loc[table["outcome"] == "c", "observed"] == 0).all()


def test_wilson_s_interval_is_the_published_one():
    """Newcombe 1998, table I, method 3."""
    assert_allclose(calibration_bins.wilson(81, 263)[1:], [0.2553, 0.3662], atol=5e-5)
    assert_allclose(calibration_bins.wilson(15, 148)[1:], [0.0624, 0.1605], atol=5e-5)
    assert_allclose(calibration_bins.wilson(0, 20)[1:], [0.0, 0.1611], atol=5e-5)
    assert_allclose(calibration_bins.wilson(29, 29)[1:], [0.8830, 1.0], atol=5e-5)


def test_numbers_have_the_mean_and_its_t_interval():
    from scipy.stats import ttest_1samp

    rng = np.random.default_rng(1)
    truth = rng.normal(10, 3, 50)
    frame = pd.DataFrame(
        {"sample": [f"s{i}" for i in range(50)], "split": "r1f1", "truth": truth.astype(str)}
    )
    table = calibration_bins.table(frame.assign(predicted=(truth + 1).astype(str)), "regression")
    lowest = np.sort(truth)[:10]
    interval = ttest_1samp(lowest, 0).confidence_interval(0.95)
    lowest_bin = table.loc[0, ["predicted", "observed", "lower", "upper"]].astype(float)
    assert_allclose(lowest_bin, [lowest.mean() + 1, lowest.mean(), *interval], atol=1e-6)


@pytest.mark.parametrize("at", [0.4, 1.1, 1.7])
def test_survival_equals_kaplan_meier_with_scikit_survival_s_log_log_interval(at):
    sksurv = pytest.importorskip("sksurv.nonparametric")
    rng = np.random.default_rng(2)
    life, lost = rng.exponential(1, 60).round(1) + 0.1, rng.exponential(2, 60).round(1) + 0.1
    time, event = np.minimum(life, lost), life <= lost
    survival_at = calibration_bins.survival_interval(time, event, at)
    times, survival, interval = sksurv.kaplan_meier_estimator(event, time, conf_type="log-log")
    place = np.searchsorted(times, at, side="right") - 1
    assert_allclose(survival_at, [survival[place], *interval[:, place]], rtol=1e-6)


def test_censored_samples_are_neither_events_nor_left_out():
    """Half of the samples are censored early: the share that is seen to survive would be far too low."""
    rng = np.random.default_rng(3)
    n, rate = 4000, 0.7
    life, lost = rng.exponential(1 / rate, n), np.where(rng.random(n) < 0.5, 0.3, 9.0)
    frame = pd.DataFrame({"sample": [f"s{i}" for i in range(n)], "split": "r1f1", "predicted": "0"})
    frame = frame.assign(
        time=np.minimum(life, lost), event=(life <= lost).astype(int), survival_1=np.exp(-rate)
    )
    table = calibration_bins.table(frame, "survival")
    assert table["outcome"].tolist() == ["survival_1"]
    assert table.loc[0, "observed"] == pytest.approx(np.exp(-rate), abs=0.03)
    assert table.loc[0, "lower"] < np.exp(-rate) < table.loc[0, "upper"]


def test_what_nobody_lived_to_see_is_left_empty():
    time, event = np.array([1.0, 2.0, 3.0]), np.array([True, False, False])
    assert np.isnan(calibration_bins.survival_interval(time, event, 5.0)).all()
    assert calibration_bins.survival_interval(time, np.array([True, True, True]), 5.0)[0] == 0.0
    assert calibration_bins.survival_interval(time, event, 0.5)[0] == 1.0
