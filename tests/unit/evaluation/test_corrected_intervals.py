"""Intervals that cover what they promise also where the training set is another: simulated cohorts of 30 and 60 samples."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from rna2model.cohort import splits
from rna2model.evaluation import classification, corrected_intervals, paired_differences
from tests.unit.evaluation.test_classification import predictions

GENES, INFORMATIVE = 300, 20
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def ridge_logistic(X, y, penalty):
    """(coefficients, intercept) of a logistic regression, solved in as many unknowns as there are samples."""
    mean, n = X.mean(axis=0), len(y)
    kernel, alpha = (X - mean) @ (X - mean).T, np.zeros(n + 1)
    for _ in range(25):
        p = 1 / (1 + np.exp(-(kernel @ alpha[:n] + alpha[n])))
        weight = np.maximum(p * (1 - p), 1e-6)
        target = kernel @ alpha[:n] + alpha[n] + (y - p) / weight
        system = np.ones((n + 1, n + 1))
        system[:n, :n], system[n, n] = kernel + penalty * np.diag(1 / weight), 0
        alpha = np.linalg.solve(system, np.r_[target, 0])
    coefficients = (X - mean).T @ alpha[:n]
    return coefficients, alpha[n] - mean @ coefficients


def performance(coefficients, intercept, shift):
    """What a linear model is worth on new samples: classes differ by `shift`, genes have a variance of 1."""
    sd, apart = np.linalg.norm(coefficients), coefficients @ shift
    scores = {"auroc": norm.cdf(apart / (np.sqrt(2) * sd))}
    scores["balanced_accuracy"] = (norm.cdf(-intercept / sd) + norm.cdf((intercept + apart) / sd)) / 2
    below, above = intercept + sd * NODES, intercept + apart + sd * NODES
    scores["log_loss"] = (np.logaddexp(0, below) @ WEIGHTS + np.logaddexp(0, -above) @ WEIGHTS) / 2
    return scores


def cohort(n, seed, effect=0.35, folds=5, repeats=1):
    """Out-of-fold predictions of one cohort, and what its folds' models are worth on new samples."""
    rng, y = np.random.default_rng(seed), np.arange(n) % 2
    shift = np.where(np.arange(GENES) < INFORMATIVE, effect, 0.0)
    X, names = rng.normal(size=(n, GENES)) + y[:, None] * shift, np.array([f"s{i:03d}" for i in range(n)])
    classes = np.array(["a", "b"])
    manifest = splits.make(list(names), classes[y], folds=folds, repeats=repeats, seed=seed)
    parts, worth = [], []
    for (repeat, fold), rows in manifest[manifest["role"] == "test"].groupby(["repeat", "fold"]):
        test = np.isin(names, rows["sample"])
        model = ridge_logistic(X[~test], y[~test], GENES / 5)
        worth.append(performance(*model, shift))
        p = 1 / (1 + np.exp(-(X[test] @ model[0] + model[1])))
        part = {"sample": names[test], "split": f"r{repeat}f{fold}", "truth": classes[y[test]]}
        part |= {"predicted": classes[(p >= 0.5).astype(int)], "prob_a": 1 - p, "prob_b": p}
        parts.append(pd.DataFrame(part))
    return pd.concat(parts), pd.DataFrame(worth).mean()


def coverage(n, cohorts, n_boot=300, **options):
    """{metric: (share of cohorts whose interval today, and corrected, holds the mean worth of such models)}."""
    tables, worth = zip(*(cohort(n, seed, **options) for seed in range(cohorts)), strict=True)
    truth = pd.DataFrame(worth).mean()
    scores = [classification.metrics(table, seed=seed, n_boot=n_boot) for seed, table in enumerate(tables)]
    return {
        name: tuple(
            np.mean([one[name][f"lower{kind}"] <= truth[name] <= one[name][f"upper{kind}"] for one in scores])
            for kind in ("", "_corrected")
        )
        for name in truth.index
    }


@pytest.mark.parametrize("n", [30, 60])
def test_corrected_intervals_cover_the_choice_of_training_samples(n):
    """120 cohorts: 95 % intervals hold the truth in about 85 % by percentiles, in about 96 % when corrected."""
    for metric, (percentile, corrected) in coverage(n, 120, n_boot=200).items():
        assert 0.74 <= percentile <= 0.93, metric
        assert corrected >= 0.93 - 2 * np.sqrt(0.95 * 0.05 / 120) and corrected > percentile, metric


def test_with_five_folds_an_interval_is_half_again_as_wide_around_the_same_estimate():
    """sqrt(1 + 5 / 4) = 1.5, and Student's t of 119 degrees instead of 1.96; of errors on the scale of their logarithm."""
    metrics = classification.metrics(predictions(120))
    by, value = 1.5 * 1.980100 / 1.959964, metrics["balanced_accuracy"]
    for end in ("lower", "upper"):
        wanted = value["estimate"] + by * (value[end] - value["estimate"])
        assert value[f"{end}_corrected"] == pytest.approx(wanted, rel=1e-5)
    assert "Nadeau & Bengio" in value["correction"] and "1.52 times" in value["correction"]
    loss = metrics["log_loss"]
    ratio = np.log(loss["upper_corrected"] / loss["estimate"]) / np.log(loss["upper"] / loss["estimate"])
    assert ratio >= by - 1e-6


def test_errors_that_differ_more_between_folds_than_within_have_the_variance_between_folds():
    """Two of five folds have twice the error of the others: S2 (1 / 5 + 1 / 4) is more than 2.25 times the bootstrap's variance."""
    table = predictions(200).assign(truth="b", predicted="b")
    p = np.where(table["split"].isin(["r1f1", "r1f2"]), 0.5, 0.8) + np.random.default_rng(0).normal(
        0, 0.01, 200
    )
    table = table.assign(prob_a=1 - p, prob_b=p)
    table.loc[::40, "truth"] = "a"
    read = classification.read(table)
    values = corrected_intervals.resampling.bootstrap(read, 1, 300)[0]
    alone, by_fold = corrected_intervals.parts(read, 1, ["log_loss", "brier"])
    assert alone == [] and len(by_fold["brier"]) == 5
    inflation = corrected_intervals.inflations(values, read, alone, by_fold)
    expected = by_fold["brier"].var(ddof=1) * 0.45 / np.var(values["brier"][1:])
    assert inflation["brier"] == pytest.approx(max(1, expected))


def test_repeats_do_not_narrow_the_correction():
    """Of a metric that all repeats give alike the factor is that of one; where repeats differ, it is larger."""
    one, five = (classification.read(predictions(60, repeats=r)) for r in (1, 5))
    assert corrected_intervals.factor(one) == corrected_intervals.factor(five)
    assert corrected_intervals.factor(five, 2 * 1.45) / corrected_intervals.factor(one) == pytest.approx(
        np.sqrt(2.9 / 2.25)
    )
    copies = pd.concat(
        [predictions(60).assign(split=lambda t, r=r: t["split"].str.replace("r1", f"r{r}")) for r in (1, 2)]
    )
    again, once = (classification.metrics(table, n_boot=200) for table in (copies, predictions(60)))
    assert again["auroc"]["upper_corrected"] == pytest.approx(once["auroc"]["upper_corrected"])


def test_ranking_within_small_folds_is_covered_also_with_repeats():
    """30 samples, 5 x 5 folds: percentiles hold the AUROC in about 78 % of cohorts."""
    percentile, corrected = coverage(30, 60, n_boot=200, repeats=5)["auroc"]
    assert percentile < 0.88 and corrected >= 0.93 - 2 * np.sqrt(0.95 * 0.05 / 60)


def test_groups_not_samples_are_the_degrees_of_freedom():
    table = predictions(60)
    groups = {name: f"g{int(name[1:]) // 10}" for name in table["sample"]}
    few, many = (corrected_intervals.factor(classification.read(table, g)) for g in (groups, None))
    assert few / many == pytest.approx(2.570582 / 2.000995, rel=1e-5)  # t of 5 and of 59 degrees


def test_intervals_keep_to_the_range_of_their_metric_and_a_fixed_hold_out_has_no_correction():
    table = predictions(40, signal=3.0)
    for name, value in classification.metrics(table).items():
        least, most = corrected_intervals._range(name)
        if value.get("lower_corrected") is not None:
            assert least <= value["lower_corrected"] <= value["lower"] <= value["upper"]
            assert value["upper"] <= value["upper_corrected"] <= most
    held_out = classification.metrics(table.assign(split="full"))
    assert not any("lower_corrected" in value for value in held_out.values())
    assert (
        corrected_intervals._range("auc_at_12") == (0, 1)
        and corrected_intervals._range("calibration_slope")[1] == np.inf
    )


def test_every_model_less_every_anchor_has_log_loss_both_intervals_and_the_number_of_comparisons():
    one = predictions(80, signal=2.0)
    noise = one.assign(prob_a=0.5, prob_b=0.5, predicted="a")
    differences = paired_differences.differences(
        {"good": one, "dummy": noise}, ["dummy"], {"task": "classification"}, n_boot=200
    )
    assert list(differences.columns) == paired_differences.COLUMNS and differences[
        "comparisons"
    ].unique().tolist() == [3]
    both = {"good": one, "other": predictions(80, signal=1.0)}
    again = paired_differences.differences(both, ["good", "other"], {"task": "classification"}, n_boot=20)
    assert len(again) == 6 and again["comparisons"].unique().tolist() == [3]
    row = differences.set_index(["model", "against", "metric"]).loc[("good", "dummy", "log_loss")]
    alone = classification.paired_difference(one, noise, "log_loss", n_boot=200)
    assert row["difference"] == pytest.approx(alone["estimate"]) and row["difference"] < 0
    for end in ("lower", "upper", "lower_corrected", "upper_corrected"):
        assert row[end] == pytest.approx(alone[end])
    assert row["lower_corrected"] < row["lower"] < row["upper"] < row["upper_corrected"]


def test_a_covariate_model_without_the_genes_that_matter_is_beaten_and_one_with_the_same_is_not():
    """What genes add to covariates: the difference to `clinical` in log loss and AUROC, with the sign that each has."""
    genes, clinical = predictions(200, signal=2.0), predictions(200, signal=0.5, seed=0)
    tables = {"logistic_l2": genes, "clinical": clinical, "genes_only": genes}
    differences = paired_differences.differences(tables, ["clinical"], {"task": "classification"}, n_boot=300)
    differences = differences[differences["model"] == "logistic_l2"].set_index("metric")
    assert differences.loc["log_loss", "upper_corrected"] < 0 < differences.loc["auroc", "lower_corrected"]
