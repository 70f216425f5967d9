"""Sample sizes as published by Riley et al., and honest words where there are more genes than samples."""

import math

import numpy as np
import pytest

from rna2model.cohort.outcome import SURVIVAL
from rna2model.evaluation import sample_size


def whole(minimum_sizes):
    return [math.ceil(value - 1e-9) for value in minimum_sizes.values()]


def test_two_classes_need_what_the_published_example_needs():
    """24 parameters, Cox-Snell R2 .288, prevalence .174 (COPD example of BMJ 2020;368:m441): 623, 662, 221."""
    assert whole(sample_size.binary(24, 0.174, 0.288)) == [623, 662, 221]


def test_survival_needs_what_the_published_example_needs():
    """30 parameters, R2 .051, 0.065 events per year, 2.07 years followed (venous thromboembolism): 5,143 by the first criterion."""
    share = 0.065 * 2.07
    sizes = whole(sample_size.survival(30, share, 0.051, 0.065, 2.0))
    assert sizes[0] == 5143 and sizes[1] == 1039 and sizes[2] < 5143


def test_numbers_need_what_the_published_example_needs():
    """25 parameters, R2 .2, mean 1.9, sd .6: 918, 401, 259, and the last by the intercept."""
    sizes = whole(sample_size.numbers(25, 0.2, 1.9, 0.6))
    assert sizes[:3] == [918, 401, 259] and sizes[3] <= 259


def test_the_largest_r2_of_balanced_classes_is_three_quarters():
    assert sample_size.largest_r2(0.5) == pytest.approx(0.75)
    assert sample_size.largest_r2(0.05) == pytest.approx(0.33, abs=0.005)  # BMJ 2020: 0.33 for 5 %


def test_thousands_of_genes_and_sixty_samples_are_told_as_they_are():
    y = np.array(["a", "b"] * 30)
    adequacy = sample_size.table(
        y, "classification", {"genes and covariates": 15003, "covariates alone": 3}, r2_reached=0.3
    )
    genes = adequacy[
        (adequacy["candidates"] == "genes and covariates")
        & (adequacy["r2_from"] != "out-of-fold predictions")
    ]
    first = genes.iloc[0]
    assert first["events"] == 30 and first["events_per_parameter"] == pytest.approx(30 / 15003)
    assert first["minimum_n"] == math.ceil(15003 / (-0.1 * math.log(1 - 0.15 * 0.75 / 0.9)))
    assert first["most_parameters"] == math.floor(60 * -0.1 * math.log(1 - 0.15 * 0.75 / 0.9)) == 0
    assert first["met"] == "no" and set(adequacy["r2_from"]) == {
        "15% of the largest possible",
        "out-of-fold predictions",
    }
    assert genes[genes["criterion"].str.startswith("overall")]["most_parameters"].isna().all()
    with_genes, clinical = sample_size.sentences(adequacy)
    assert (
        "15,003 candidate parameters, 60 independent samples (30 events, 0.002 per candidate)" in with_genes
    )
    assert "allow 0 candidate parameters" in with_genes and "do not replace a larger cohort" in with_genes
    assert "more candidates than samples" not in clinical


def test_a_cohort_that_is_large_enough_is_said_to_be_and_donors_count_once():
    y = np.array(["a", "b"] * 1000)
    adequacy = sample_size.table(y, "classification", {"covariates alone": 3})
    assert (adequacy["met"] == "yes").all() and (adequacy["most_parameters"].dropna() >= 3).all()
    donors = np.arange(2000) // 20
    assert sample_size.table(y, "classification", {"covariates alone": 3}, donors)["n"].unique() == [100]
    noise = sample_size.table(y, "classification", {"genes": 9}, r2_reached=-0.2)
    assert len(noise["r2_from"].unique()) == 1


def test_what_predictions_reached_is_the_r2_of_their_log_loss():
    y = np.array(["a", "b"] * 20)
    scores = {"log_loss": {"estimate": math.log(2) - 0.1}, "r2": {"estimate": 0.4}}
    assert sample_size.reached(scores, y, "classification") == pytest.approx(1 - math.exp(-0.2))
    assert (
        sample_size.reached(scores, y, "regression") == 0.4
        and sample_size.reached(scores, y, "survival") is None
    )


def test_numbers_and_survival_have_tables():
    rng = np.random.default_rng(0)
    adequacy = sample_size.table(rng.normal(50, 10, 80), "regression", {"genes": 5000}, r2_reached=0.3)
    assert (
        set(adequacy["met"]) == {"no"} | ({"yes"} & set(adequacy["met"])) and adequacy["events"].isna().all()
    )
    by = adequacy.set_index(["criterion", "r2_from"])["most_parameters"].dropna()
    assert len(by) == 4 and (by < 80).all()  # of shrinkage and optimism, for both R2
    (sentence,) = sample_size.sentences(adequacy)
    assert (
        f"allow {int(by.xs('15% of the largest possible', level=1).min())} candidate parameters" in sentence
    )
    centred = sample_size.table(rng.normal(0, 1, 80), "regression", {"genes": 50})
    assert "mean within 10 %" not in set(centred["criterion"])
    y = np.array(list(zip(rng.exponential(10, 80), rng.random(80) < 0.6, strict=True)), dtype=SURVIVAL)
    adequacy = sample_size.table(y, "survival", {"genes": 5000})
    assert adequacy["events"].iloc[0] == y["event"].sum() and (adequacy["minimum_n"] > 0).all()
    assert sample_size.sentences(adequacy)
