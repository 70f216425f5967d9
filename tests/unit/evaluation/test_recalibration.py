"""External sets: recalibration out of sample, DeLong's interval, and the calibration slope of risks; held to R."""

import numpy as np
import pandas as pd
import pytest

from rna2model.evaluation import classification, cox_slope, delong, ranking, recalibration

ROW = np.arange(1, 61)
X = np.sin(ROW) + np.cos(ROW * ROW) / 2


def table(probability, positive):
    names = [f"s{i}" for i in range(len(positive))]
    frame = pd.DataFrame({"sample": names, "split": "external", "truth": np.where(positive, "b", "a")})
    frame["predicted"] = np.where(probability > 0.5, "b", "a")
    return frame.assign(prob_a=1 - probability, prob_b=probability)


def study(n, intercept, slope, seed=1):
    """Table of predictions whose truth has log odds intercept + slope x those predicted."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, n)
    positive = rng.random(n) < 1 / (1 + np.exp(-intercept - slope * logit))
    return table(1 / (1 + np.exp(-logit)), positive)


def test_intercept_and_slope_equal_r():
    """R 4.2: glm(y ~ logit, binomial) and glm(y ~ 1, binomial, offset = logit)."""
    recalibrated = recalibration.of(table(1 / (1 + np.exp(-X)), (ROW * 7) % 10 < 5 + 2 * X), "classification")
    assert recalibrated["intercept_and_slope"]["update"] == pytest.approx(
        [0.494169388430, 0.937222620877], abs=1e-6
    )
    assert recalibrated["intercept"]["update"] == pytest.approx([0.494712935306, 1.0], abs=1e-6)
    assert recalibrated["before"]["calibration_slope"] == recalibrated["intercept_and_slope"]["update"][1]
    assert recalibrated["before"]["calibration_intercept"] == recalibrated["intercept"]["update"][0]


def test_recalibration_finds_what_was_put_in_and_lowers_log_loss():
    """Truth at log odds 1 + 0.5 x those predicted, 2,000 samples: log loss .70 before, .62 after, as the truth has it."""
    frame = study(2000, 1.0, 0.5)
    recalibrated = recalibration.of(frame, "classification")
    assert recalibrated["intercept_and_slope"]["update"] == pytest.approx([1.0, 0.5], abs=0.12)
    assert recalibrated["intercept_and_slope"]["calibration_slope"] == pytest.approx(1.0, abs=0.03)
    assert recalibrated["intercept"]["calibration_intercept"] == pytest.approx(0.0, abs=0.01)
    losses = [recalibrated[name]["log_loss"] for name in ("before", "intercept", "intercept_and_slope")]
    assert losses[0] > losses[1] > losses[2]
    logit = np.log(frame["prob_b"] / frame["prob_a"])
    truth = 1 / (1 + np.exp(-1 - 0.5 * logit))
    best = -np.mean(np.log(np.where(frame["truth"] == "b", truth, 1 - truth)))
    assert losses[2] == pytest.approx(best, abs=0.005)


def test_a_calibrated_model_is_not_said_to_gain_by_recalibration():
    """Out of sample: on 40 samples of calibrated predictions an update costs on average; the apparent scores would gain."""
    gain = []
    for seed in range(60):
        recalibrated = recalibration.of(study(40, 0.0, 1.0, seed), "classification")
        gain.append(
            recalibrated["before"]["log_loss"] - recalibrated["intercept_and_slope"].get("log_loss", np.nan)
        )
    assert np.nanmean(gain) < -0.01


def test_groups_are_left_out_as_a_whole():
    """Each of 20 donors twice: what updates one sample of a donor has not seen the other."""
    one = study(20, 1.0, 0.5)
    twice = pd.concat([one, one.assign(sample=one["sample"] + "again")])
    groups = {name: name.removesuffix("again") for name in twice["sample"]}
    alone = recalibration.of(one, "classification")
    both = recalibration.of(twice, "classification", groups)
    assert both["intercept"]["log_loss"] == pytest.approx(alone["intercept"]["log_loss"], abs=1e-9)


def test_many_groups_are_left_out_in_parts_each_once():
    without = recalibration._left_out(np.arange(900) % 450)
    assert without.shape == (20, 900) and (without.sum(axis=0) == 19).all()
    assert (without[:, :450] == without[:, 450:]).all()


def test_numbers_are_recalibrated_by_a_line_and_other_tasks_say_nothing():
    rng = np.random.default_rng(1)
    predicted = rng.normal(50, 10, 400)
    frame = pd.DataFrame({"sample": [f"s{i}" for i in range(400)], "split": "external"})
    frame["truth"], frame["predicted"] = 10 + 0.7 * predicted + rng.normal(0, 3, 400), predicted
    recalibrated = recalibration.of(frame, "regression")
    assert recalibrated["intercept_and_slope"]["update"] == pytest.approx([10, 0.7], abs=1.5)
    assert recalibrated["intercept_and_slope"]["rmse"] == pytest.approx(3.0, abs=0.3)
    assert (
        recalibrated["before"]["rmse"]
        > recalibrated["intercept"]["rmse"]
        > recalibrated["intercept_and_slope"]["rmse"]
    )
    assert recalibration.of(frame, "survival") is None
    assert recalibration.of(frame[:0], "classification") is None


def test_separated_classes_have_a_note():
    recalibrated = recalibration.of(study(12, 0.0, 60.0), "classification")
    assert (
        "not testable" in recalibrated["intercept_and_slope"]["note"]
        and recalibrated["before"]["brier"] < 0.3
    )


# DeLong


def test_delong_equals_its_definition():
    """Every pair of samples compared, ties as a half (DeLong et al. 1988, equations 4 to 6)."""
    scores, positive = np.round(X, 1), (ROW * 7) % 10 < 5 + 2 * X
    pairs = (scores[positive][:, None] > scores[~positive]) + 0.5 * (
        scores[positive][:, None] == scores[~positive]
    )
    variance = (
        pairs.mean(axis=1).var(ddof=1) / positive.sum() + pairs.mean(axis=0).var(ddof=1) / (~positive).sum()
    )
    area, error, lower, upper = delong.interval(scores, positive)
    assert area == pytest.approx(pairs.mean()) and error == pytest.approx(np.sqrt(variance))
    assert (lower, upper) == pytest.approx((area - 1.959964 * error, area + 1.959964 * error), abs=1e-6)
    ones = np.ones((1, len(scores)))
    assert area == pytest.approx(ranking.Ranking(scores, positive).auroc(ones)[0])


def test_samples_given_twice_in_their_group_tell_no_more_than_once():
    """Obuchowski's variance of pairs of equal samples is DeLong's of one of each; DeLong's alone would be half of it."""
    scores, positive = X, (ROW * 7) % 10 < 5 + 2 * X
    once = delong.interval(scores, positive)
    twice = [np.tile(values, 2) for values in (scores, positive, ROW)]
    assert delong.interval(*twice) == pytest.approx(once)
    assert delong.interval(*twice[:2])[1] < 0.75 * once[1]
    assert delong.interval(scores, positive, ROW) == pytest.approx(once)


@pytest.mark.parametrize("per_donor", [1, 4])
def test_the_interval_covers_the_truth(per_donor):
    """AUROC .76 of normal scores one standard deviation apart; with four samples of a donor, by donors."""
    rng, covered, truth = np.random.default_rng(2), [], 0.76025
    for _ in range(400):
        positive = np.repeat(rng.permutation(40) < 20, per_donor)
        own = np.repeat(rng.normal(0, np.sqrt(0.8), 40), per_donor)
        scores = positive + own + rng.normal(0, np.sqrt(0.2), len(own))
        _, _, lower, upper = delong.interval(scores, positive, np.repeat(np.arange(40), per_donor))
        covered.append(lower <= truth <= upper)
    assert 0.90 < np.mean(covered) <= 0.98


def test_the_metrics_say_which_interval_they_have():
    frame = study(60, 0.0, 1.0)
    metrics = classification.metrics(frame, n_boot=50)
    auroc = delong.replace(metrics, classification.read(frame))["auroc"]
    assert auroc["interval"] == "DeLong" and auroc["estimate"] == metrics["auroc"]["estimate"]
    assert (auroc["bootstrap_lower"], auroc["bootstrap_upper"]) == (
        metrics["auroc"]["lower"],
        metrics["auroc"]["upper"],
    )
    groups = {f"s{i}": str(i // 2) for i in range(60)}
    assert "Obuchowski" in delong.replace(metrics, classification.read(frame, groups))["auroc"]["interval"]
    three = study(60, 0.0, 1.0).assign(prob_c=0.0)
    three.loc[0, "truth"] = "c"
    kept = delong.replace(classification.metrics(three, n_boot=50), classification.read(three))["auroc"]
    assert kept["interval"] == "bootstrap" and "bootstrap_lower" not in kept


# Risks


def test_the_slope_of_risks_equals_coxph():
    """survival 3.5-3: coxph(Surv(time, event) ~ x + strata(f), ties = "breslow"); and with weights, without strata."""
    time, event = np.ceil(10 * np.exp(-0.6 * X + np.sin(3 * ROW))), ROW % 4 > 0
    ones = np.ones((1, 60))
    assert cox_slope.slope(X, time, event, ROW % 3, ones)[0] == pytest.approx(0.916241432794, abs=1e-8)
    weighted = cox_slope.slope(X, time, event, np.zeros(60), 1.0 + (ROW % 2)[None])[0]
    assert weighted == pytest.approx(1.00853528069, abs=1e-8)
    shifted = cox_slope.slope(X + 5 * (ROW % 3), time, event, ROW % 3, ones)[0]
    assert shifted == pytest.approx(0.916241432794, abs=1e-8)  # a fold's own level says nothing


def test_risks_that_are_twice_too_extreme_have_a_slope_of_a_half():
    rng = np.random.default_rng(3)
    risk = rng.normal(size=2000)
    time, end = rng.exponential(np.exp(-risk)), rng.uniform(0, 3, 2000)
    observed = np.minimum(time, end), time <= end, np.arange(2000) % 5, np.ones((1, 2000))
    assert cox_slope.slope(2 * risk, *observed)[0] == pytest.approx(0.5, abs=0.05)
    assert cox_slope.slope(risk, *observed)[0] == pytest.approx(1.0, abs=0.1)
    assert np.isnan(cox_slope.slope(np.zeros(2000), *observed)[0])
    assert np.isnan(
        cox_slope.slope(-observed[0], observed[0], np.ones(2000, bool), *observed[2:])[0]
    )  # orders all events
