"""Survival in whole months with a known truth: what the metrics must say of it, in numbers."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import outcome
from rna2model.evaluation import classification
from rna2model.evaluation import survival as survival_metrics

MONTHS = np.arange(1.0, 13.0)


def months(n, seed, random=True, last=18):
    """(log hazard (n,), survival times without censoring, outcome.SURVIVAL) in whole months: censored at `last`, and with
    `random` at any month before."""
    rng = np.random.default_rng(seed)
    hazard = rng.normal(size=n)
    true = np.ceil(rng.exponential(8 * np.exp(-hazard)))
    end = rng.integers(1, last + 1, n) if random else np.full(n, last)
    y = np.zeros(n, dtype=outcome.SURVIVAL)
    y["time"], y["event"] = np.minimum(true, end), true <= end
    return hazard, true, y


def table(hazard, y, survival, times=MONTHS, landmarks=(4, 8)):
    """Predictions of one split, as a model writes them."""
    columns = {"sample": [f"s{i}" for i in range(len(y))], "split": "r1f1"}
    columns |= {"time": y["time"], "event": y["event"].astype(int), "predicted": hazard}
    columns |= {f"survival_{t:g}": 0.5 for t in landmarks}
    return pd.DataFrame(columns | {f"curve_{t:g}": survival[:, k] for k, t in enumerate(times)})


def true_survival(hazard, times=MONTHS):
    return np.exp(-times / (8 * np.exp(-hazard))[:, None])


def scores(frame, y):
    metrics = classification.metrics(frame, task="survival", training={"r1f1": y}, n_boot=2)
    return {name: value["estimate"] for name, value in metrics.items()}


@pytest.mark.parametrize("random", [False, True])
def test_whole_months_give_the_brier_score_and_uno_s_c_of_nobody_censored(random):
    """2,000 samples: censoring in whole months, at the end of the study or at any time, moves no score."""
    hazard, true, y = months(2000, 1, random)
    survival, training = true_survival(hazard), months(2000, 2, random)[2]
    everything = np.zeros(2000, dtype=outcome.SURVIVAL)
    everything["time"], everything["event"] = true, True
    whole = scores(table(hazard, everything, survival), everything)
    censored = scores(table(hazard, y, survival), training)
    assert censored["integrated_brier"] == pytest.approx(whole["integrated_brier"], abs=0.005)
    assert censored["uno_c"] == pytest.approx(whole["uno_c"], abs=0.01)
    assert censored["auc"] == pytest.approx(whole["auc"], abs=0.015)


@pytest.mark.parametrize("random", [False, True])
def test_a_constant_half_scores_a_quarter(random):
    """Whether the weights come from the samples themselves or from others."""
    hazard, _, y = months(300, 3, random)
    half = table(hazard, y, np.full((300, 12), 0.5))
    for training in (y, months(300, 11, random)[2]):
        assert scores(half, training)["integrated_brier"] == pytest.approx(0.25, abs=1e-12)


def test_without_censoring_a_constant_half_scores_exactly_a_quarter():
    hazard, true, y = months(100, 4)
    y["time"], y["event"] = true, True
    assert scores(table(hazard, y, np.full((100, 12), 0.5)), y)["integrated_brier"] == pytest.approx(0.25)


def test_times_beyond_the_training_samples_are_left_out_of_the_brier_score():
    """Training ends at month 6: what is later has no weight, and no later time takes part (.25 again, not less)."""
    hazard, _, y = months(400, 5, random=False)
    metrics = scores(table(hazard, y, np.full((400, 12), 0.5)), months(400, 6, random=False, last=6)[2])
    assert metrics["integrated_brier"] == pytest.approx(0.25, abs=1e-9)
    metrics = scores(table(hazard, y, np.full((400, 12), 0.5)), months(400, 6, random=False, last=1)[2])
    assert metrics["integrated_brier"] is None and metrics["harrell_c"] is not None


def test_uno_s_c_in_whole_months_equals_r():
    """survival 3.5-3: concordance(Surv(time, event) ~ x, timewt = "n/G2", reverse = TRUE, ymax = 11)."""
    i = np.arange(1, 41)
    y = np.zeros(40, dtype=outcome.SURVIVAL)
    y["time"], y["event"] = (7 * i) % 13 + 1, (i * i) % 3 > 0
    x = np.sin(i)
    frame = table(x, y, np.full((40, 12), 0.5), times=np.arange(1.0, 12.5))
    uno = survival_metrics.read(frame, None, {"r1f1": y})
    assert uno.last == 12.0
    assert uno.one_repeat(np.arange(40), np.ones((1, 40)), "uno_c")[0]["uno_c"][0] == pytest.approx(
        0.575032483372
    )


def test_a_landmark_beyond_follow_up_does_not_empty_the_mean():
    """Landmarks 4, 8 and 60 in a study of 18 months: the mean is that of 4 and 8, and says which was left out."""
    hazard, _, y = months(200, 7)
    with_it = table(hazard, y, true_survival(hazard), landmarks=(4, 8, 60))
    metrics = classification.metrics(with_it, task="survival", training={"r1f1": y}, n_boot=50)
    assert metrics["auc"]["estimate"] == np.mean([metrics[f"auc_at_{t}"]["estimate"] for t in (4, 8)])
    assert metrics["auc"]["landmarks_left_out"] == ["auc_at_60"] and metrics["auc"]["folds_skipped"] == 0
    assert metrics["auc_at_60"]["estimate"] is None and metrics["auc"]["lower"] < metrics["auc"]["upper"]
    without = classification.metrics(
        table(hazard, y, true_survival(hazard)), task="survival", training={"r1f1": y}, n_boot=50
    )
    assert without["auc"] == {k: v for k, v in metrics["auc"].items() if k != "landmarks_left_out"}


def test_curves_are_predicted_and_compared_at_the_same_time():
    """Weeks of whole days have no short decimal: the time that is asked is the time in the column's name."""
    y = np.array([(day / 7, True) for day in range(1, 60)], dtype=outcome.SURVIVAL)
    assert all(float(name.partition("_")[2]) == time for name, time in outcome.times(y)[1].items())
