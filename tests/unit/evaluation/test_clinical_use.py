"""Operating points, smooth calibration, decision curves and subgroups, held to R, scikit-learn and to what was simulated."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from rna2model.evaluation import decision_curve, operating_point, smooth_calibration, subgroups
from rna2model.inputs import config
from rna2model.inputs import design_checks as designs
from rna2model.inputs.sheet import Sample
from tests.unit.evaluation.test_classification import predictions

DESIGN = {"task": "classification", "target": "label"}


def in_r(code, **columns):
    """Numbers that R prints for `code`, which sees the columns as vectors."""
    if not shutil.which("Rscript"):
        pytest.skip("no R here")
    assignments = "".join(f"{k} <- c({','.join(map(repr, map(float, v)))});" for k, v in columns.items())
    process = subprocess.run(
        ["Rscript", "-e", f"options(digits=15);{assignments}cat({code})"], capture_output=True, text=True
    )
    return np.array(process.stdout.split(), dtype=float)


@pytest.mark.parametrize("n", [30, 400])
def test_the_curve_is_r_s_lowess_with_its_ici_e50_and_e90(n):
    table = predictions(n).sort_values(["split", "sample"], kind="stable")
    p, y = table["prob_b"].to_numpy(), (table["truth"] == "b").to_numpy().astype(float)
    fitted = smooth_calibration.lowess(p, y, np.ones((1, n)), np.sort(p))[0]
    np.testing.assert_allclose(fitted, in_r("lowess(p, y, iter = 0)$y", p=p, y=y), atol=1e-9)
    calibration, _ = smooth_calibration.measure(table, "classification", n_boot=20)
    away = np.abs(fitted - np.sort(p))
    assert calibration["ici"]["estimate"] == pytest.approx(away.mean())
    assert calibration["e50"]["estimate"] == pytest.approx(np.median(away))
    assert calibration["e90"]["estimate"] == pytest.approx(np.quantile(away, 0.9))
    assert calibration["calibration_in_the_large"]["estimate"] == pytest.approx(y.mean() - p.mean())


def test_a_resample_is_a_weighting_of_the_same_neighbourhoods_and_quantiles_count_copies():
    rng = np.random.default_rng(0)
    values, counts = rng.random(25), rng.integers(0, 3, (1, 25)).astype(float)
    copies = np.repeat(values, counts[0].astype(int))
    quantiles = smooth_calibration.quantiles(values[None], counts, (0.5, 0.9))
    assert [q[0] for q in quantiles] == pytest.approx([np.median(copies), np.quantile(copies, 0.9)])


def calibrated(n, shift=0.0, slope=1.0, seed=0):
    """Predictions whose truth has the log odds shift + slope x theirs."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.5, n)
    truth = rng.random(n) < 1 / (1 + np.exp(-(shift + slope * logit)))
    p = 1 / (1 + np.exp(-logit))
    table = pd.DataFrame(
        {"sample": [f"s{i}" for i in range(n)], "split": [f"r1f{i % 5 + 1}" for i in range(n)]}
    )
    table = table.assign(truth=np.where(truth, "b", "a"), predicted=np.where(p > 0.5, "b", "a"))
    return table.assign(prob_a=1 - p, prob_b=p)


def test_ici_is_near_zero_where_probabilities_come_true_and_what_was_put_in_where_not():
    """Log odds too low by 1: the mean of |p(x + 1) - p(x)| is .154; too extreme by a factor of 2: .107."""
    right, _ = smooth_calibration.measure(calibrated(5000), "classification", n_boot=20)
    low, curve = smooth_calibration.measure(calibrated(5000, shift=1.0), "classification", n_boot=100)
    extreme, _ = smooth_calibration.measure(calibrated(5000, slope=0.5), "classification", n_boot=20)
    logit = np.random.default_rng(1).normal(0, 1.5, 200_000)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    assert right["ici"]["estimate"] < 0.02
    assert low["ici"]["estimate"] == pytest.approx((sigmoid(logit + 1) - sigmoid(logit)).mean(), abs=0.02)
    assert extreme["ici"]["estimate"] == pytest.approx(
        np.abs(sigmoid(logit / 2) - sigmoid(logit)).mean(), abs=0.02
    )
    assert low["calibration_in_the_large"]["lower"] > 0.1 > abs(right["calibration_in_the_large"]["estimate"])
    middle = curve.iloc[(curve["predicted"] - 0.5).abs().argmin()]
    assert middle["lower"] < sigmoid(1) < middle["upper"] and middle["lower"] > 0.6


def test_predictions_without_variance_and_of_numbers_have_a_curve():
    table = calibrated(40).assign(prob_a=0.5, prob_b=0.5)
    calibration, curve = smooth_calibration.measure(table, "classification", n_boot=20)
    assert calibration["ici"]["estimate"] == pytest.approx(abs((table["truth"] == "b").mean() - 0.5))
    assert np.isfinite(curve["observed"]).all()
    x = np.linspace(0, 10, 200)
    numbers = table.iloc[np.arange(200) % 40].assign(
        sample=[f"s{i}" for i in range(200)], truth=x + 2, predicted=x
    )
    calibration, _ = smooth_calibration.measure(numbers, "regression", n_boot=20)
    assert (
        calibration["ici"]["estimate"]
        == pytest.approx(2.0)
        == calibration["calibration_in_the_large"]["estimate"]
    )
    assert smooth_calibration.measure(numbers, "survival")[0] == {}


def test_operating_points_equal_scikit_learn_and_follow_the_positive_class():
    table = predictions(120)
    points = operating_point.metrics(table, n_boot=50)
    truth, called = table["truth"] == "b", table["predicted"] == "b"
    expected = {
        "sensitivity": sk.recall_score(truth, called),
        "specificity": sk.recall_score(~truth, ~called),
    }
    expected |= {"ppv": sk.precision_score(truth, called), "npv": sk.precision_score(~truth, ~called)}
    other = operating_point.metrics(table, n_boot=50, positive="a")
    turned = {"sensitivity": "specificity", "specificity": "sensitivity", "ppv": "npv", "npv": "ppv"}
    for name, value in expected.items():
        assert points[name]["estimate"] == pytest.approx(value) == other[turned[name]]["estimate"]
        assert points[name]["lower_corrected"] < points[name]["lower"] < value < points[name]["upper"]
    three = operating_point.metrics(predictions(90, K=3, folds=3), n_boot=10)
    assert set(three) == {f"{name}_{c}" for name in operating_point.NAMES for c in "abc"}
    never = operating_point.metrics(table.assign(predicted="a"), n_boot=10)
    assert never["ppv"]["estimate"] is None and never["ppv"]["note"] == "no sample is called so"
    assert never["sensitivity"]["estimate"] == 0


def test_net_benefit_is_counted_by_hand_and_a_model_of_noise_is_no_better_than_the_defaults():
    table = predictions(200, signal=2.0)
    curve = decision_curve.table(table, n_boot=200).set_index("threshold")
    truth, called = (table["truth"] == "b").to_numpy(), (table["prob_b"] >= 0.3).to_numpy()
    value = (called & truth).mean() - (called & ~truth).mean() * 0.3 / 0.7
    row = curve.loc[0.3]
    assert row["net_benefit"] == pytest.approx(value) and row["everybody"] == pytest.approx(
        0.5 - 0.5 * 0.3 / 0.7
    )
    assert row["lower_corrected"] < row["lower"] < value < row["upper"] < row["upper_corrected"]
    assert (
        row["advantage"] == pytest.approx(value - row["everybody"]) and row["advantage_lower_corrected"] > 0
    )
    noise = decision_curve.table(predictions(200, signal=0.0), n_boot=200)
    assert (noise["advantage_lower_corrected"].dropna() <= 1e-12).all()


def site_study(n=200, seed=0):
    """A model that is right in 90 % at site x and in 50 % at site y, and 6 samples of a site z."""
    table, rng = predictions(n, seed=seed), np.random.default_rng(seed)
    site = np.array(["x", "y"])[np.arange(n) // 2 % 2]
    site[:6] = "z"
    right = rng.random(n) < np.where(site == "x", 0.9, 0.5)
    p = np.where(right == (table["truth"] == "b"), rng.uniform(0.6, 0.9, n), rng.uniform(0.1, 0.4, n))
    table = table.assign(prob_a=1 - p, prob_b=p, predicted=np.where(p > 0.5, "b", "a"))
    return table, dict(zip(table["sample"], site, strict=True))


def test_a_site_where_the_model_fails_is_seen_and_a_site_of_six_is_said_to_be_small():
    table, site = site_study()
    scores = subgroups.table(table, {"site": site}, DESIGN, n_boot=200)
    assert list(scores.columns) == subgroups.COLUMNS
    rows = scores.set_index(["level", "metric"])
    works, fails = rows.loc[("x", "balanced_accuracy")], rows.loc[("y", "balanced_accuracy")]
    assert (
        works["lower_corrected"] > 0.75 > 0.65 > fails["upper"] > fails["estimate"] > fails["lower_corrected"]
    )
    truth = table.set_index("sample")["truth"]
    for level in "xyz":
        names = [name for name, own in site.items() if own == level]
        row = rows.loc[(level, "sensitivity")]
        assert row["n"] == len(names) and row["events"] == (truth[names] == "b").sum()
    assert rows.loc[("z", "balanced_accuracy"), "note"].startswith("few: 6 samples, ")
    assert rows.loc[("x", "balanced_accuracy"), "note"] == ""


def test_a_level_of_one_class_or_of_one_sample_is_shown_without_what_it_cannot_say():
    table, _ = site_study()
    level = {
        name: "only" if truth == "b" else "rest"
        for name, truth in zip(table["sample"], table["truth"], strict=True)
    }
    level[table["sample"].iloc[0]] = ""
    scores = subgroups.table(table, {"site": level}, DESIGN, n_boot=50).set_index(["level", "metric"])
    assert pd.isna(scores.loc[("only", "balanced_accuracy"), "estimate"])
    assert "has no sample of a" in scores.loc[("only", "auroc"), "note"]
    assert scores.loc[("only", "sensitivity"), "estimate"] > 0.5
    assert scores.loc[(subgroups.NOT_GIVEN, "brier"), "n"] == 1
    assert list(dict.fromkeys(scores.index.get_level_values("level")))[-1] == subgroups.NOT_GIVEN


def test_levels_of_numbers_and_of_survival_have_scores():
    rng, n = np.random.default_rng(0), 60
    names = [f"s{i}" for i in range(n)]
    level = {name: "x" if i < 45 else "y" if i < 58 else "z" for i, name in enumerate(names)}
    numbers = pd.DataFrame({"sample": names, "split": [f"r1f{i % 5 + 1}" for i in range(n)]})
    truth = rng.normal(size=n)
    numbers = numbers.assign(truth=truth, predicted=truth + rng.normal(0, 0.3, n))
    scores = subgroups.table(numbers, {"site": level}, {"task": "regression"}, n_boot=50)
    assert set(scores["level"]) == {"x", "y", "z"} and scores["events"].isna().all()
    from rna2model.cohort.outcome import SURVIVAL

    time, event = np.exp(-truth) * 10, np.arange(n) % 3 > 0
    alive = numbers[["sample", "split"]].assign(time=time, event=event.astype(int), predicted=truth)
    for at in (2, 5, 9):
        alive[f"survival_{at}"] = alive[f"curve_{at}"] = np.exp(-at / time)
    training = {
        name: np.array(list(zip(time, event, strict=True)), dtype=SURVIVAL) for name in set(alive["split"])
    }
    scores = subgroups.table(alive, {"site": level}, {"task": "survival"}, n_boot=50, training=training)
    row = scores.set_index(["level", "metric"]).loc[("x", "harrell_c")]
    assert row["events"] == event[:45].sum() and row["estimate"] > 0.9


def problems_of(cells, subgroup="site", column="site"):
    settings = {"counts": "m.tsv", "samples": "s.tsv", "design": {"target": "label"}}
    settings["evaluation"] = {"folds": 2, "subgroups": [subgroup]}
    samples = {
        f"s{i}": Sample(f"s{i}", i + 2, "auto", "", {"label": "ab"[i % 2], column: cell})
        for i, cell in enumerate(cells)
    }
    return designs.check_columns("s.tsv", samples, config.complete(settings)[0])


def test_columns_that_have_no_levels_are_refused_before_any_job_with_what_to_do():
    assert problems_of(["x", "y"] * 10) == [] == problems_of(["1", "2", ""] * 6)
    (absent,) = problems_of(["x"] * 8, subgroup="sex")
    assert "evaluation.subgroups names column 'sex', which the sheet does not have" in absent
    (ages,) = problems_of([str(40 + i) for i in range(20)])
    assert "20 different numbers" in ages and "age_band" in ages
    (names,) = problems_of([f"patient {i}" for i in range(20)])
    assert "20 for 20 labelled samples" in names
    (target,) = problems_of(["x", "y"] * 5, subgroup="label")
    assert "is what is predicted" in target
    (empty,) = problems_of([""] * 10)
    assert "empty in every labelled sample" in empty
