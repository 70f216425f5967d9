"""Numbers and survival from a count matrix to predictions, on cohorts with a planted signal and on pure noise."""

import json

import numpy as np
import pytest
import yaml

from rna2model.serving import manifest as bundle_manifest
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow import cohorts
from tests.workflow.conftest import Run

REGRESSION = {"task": "regression", "target": "score", "group": "donor"}
SURVIVAL = {"task": "survival", "time": "months", "event": "died", "group": "donor"}
NEW = ["s060", "s061"]


def run_on(folder, design, effect, sheet=None, check=True, **evaluation):
    """Run the workflow on a made-up cohort; `sheet` changes its sheet."""
    table = cohorts.write(folder, effect)
    if sheet is not None:
        sheet(table).to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "design": design,
        "models": {"regression": ["ridge", "elastic_net"], "survival": ["cox_ridge"]}[design["task"]],
        "evaluation": {"folds": 3, "inner_folds": 3, "permutations": 30, **evaluation},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    text = snakemake(folder, *LOCAL, check=check).text
    return Run(folder, folder / "results", text)


@pytest.fixture(scope="module")
def regression(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    return run_on(folder, REGRESSION, 0.8, holdout="outside", learning_curve=[0.5])


@pytest.fixture(scope="module")
def survival(tmp_path_factory):
    design, folder = {**SURVIVAL, "batch": "site"}, tmp_path_factory.mktemp("survival")
    more = {"leave_one_batch_out": True, "permutations": 19, "permuted_models": ["cox_ridge"]}
    return run_on(folder, design, 0.8, holdout="outside", learning_curve=[0.5], **more)


@pytest.fixture(scope="module", params=[REGRESSION, SURVIVAL], ids=["regression", "survival"])
def noise(request, tmp_path_factory):
    return run_on(tmp_path_factory.mktemp("noise"), request.param, 0.0), request.param["task"]


def scores(run, model):
    return json.loads((run.results / f"models/{model}/metrics.json").read_text())


def test_a_planted_number_is_predicted_in_its_own_unit(regression):
    ridge = scores(regression, "ridge")
    assert ridge["r2"]["estimate"] > 0.6 and ridge["mae"]["estimate"] < 1.0
    assert ridge["permutation"]["metric"] == "spearman" and ridge["permutation"]["p"] < 0.05
    dummy = scores(regression, "dummy")
    assert dummy["r2"]["estimate"] < 0.1 and dummy["spearman"]["estimate"] is None
    comparison = regression.table("models/comparison.tsv")
    assert {"ridge", "elastic_net", "dummy"} == set(comparison["model"])
    table = regression.table("models/ridge/predictions.tsv")
    assert list(table.columns) == ["sample", "split", "truth", "predicted"]
    error = (table["truth"].astype(float) - table["predicted"].astype(float)).abs().mean()
    assert error == pytest.approx(ridge["mae"]["estimate"])
    new = regression.table("predictions.tsv")
    assert new["sample"].tolist() == NEW and new["predicted"].astype(float).between(0, 20).all()


def test_a_planted_risk_is_ranked_and_its_survival_predicted(survival):
    cox, dummy = scores(survival, "cox_ridge"), scores(survival, "dummy")
    assert cox["harrell_c"]["estimate"] > 0.65 and cox["uno_c"]["estimate"] > 0.65
    assert cox["integrated_brier"]["estimate"] < dummy["integrated_brier"]["estimate"]
    assert dummy["harrell_c"]["estimate"] == dummy["auc"]["estimate"] == 0.5
    assert cox["leave_one_batch_out"]["harrell_c"]["estimate"] > 0.6
    table, new = survival.table("models/cox_ridge/predictions.tsv"), survival.table("predictions.tsv")
    shown = [name for name in table if name.startswith("survival_")]
    assert list(table.columns) == ["sample", "split", "time", "event", "predicted", "risk_group", *shown]
    served = ["batch_policy", "ood_score", "flags"]
    assert list(new.columns) == ["sample", "predicted", "risk_group", *shown, *served] and len(shown) == 3
    assert new["sample"].tolist() == NEW
    for frame in (table, new):
        probabilities = frame[shown].to_numpy()
        assert (np.diff(probabilities, axis=1) <= 0).all() and (probabilities <= 1).all()
    assert list(survival.table("models/cox_ridge/leave_one_batch_out.tsv").columns) == list(table.columns)


@pytest.mark.parametrize("name", ["regression", "survival"])
def test_numbers_and_survival_have_bins_and_a_learning_curve_too(name, request):
    run = request.getfixturevalue(name)
    model, metric = {"regression": ("ridge", "spearman"), "survival": ("cox_ridge", "harrell_c")}[name]
    bins = run.table(f"models/{model}/calibration.tsv")
    outcomes = (
        {"value"} if name == "regression" else {n for n in run.table("predictions.tsv") if "survival_" in n}
    )
    assert set(bins["outcome"]) == outcomes and set(bins.groupby("outcome")["n"].sum()) == {48}
    curve = run.table(f"models/{model}/learning_curve.tsv").set_index(["fraction", "metric"])
    assert (curve["folds"] == 3).all() and set(curve.index.get_level_values(0)) == {0.5, 1.0}
    assert curve.loc[(1.0, metric), "estimate"] == pytest.approx(scores(run, model)[metric]["estimate"])
    assert curve.loc[(0.5, metric), "n_train"] == pytest.approx(16, abs=4)


def test_a_cox_regression_can_be_compared_with_shuffled_times(survival):
    permutation = scores(survival, "cox_ridge")["permutation"]
    assert permutation["metric"] == "harrell_c" and permutation["n"] == 19 and permutation["p"] <= 0.1
    assert 0.4 < permutation["mean"] < 0.6


@pytest.mark.parametrize("name", ["regression", "survival"])
def test_the_hold_out_is_scored_once_and_never_trained_on(name, request):
    run = request.getfixturevalue(name)
    model = {"regression": "ridge", "survival": "cox_ridge"}[name]
    outside = {f"s{i:03}" for i in range(48, 60)}
    assert set(run.table(f"models/{model}/holdout.tsv")["sample"]) == outside
    assert not outside & set(run.table(f"models/{model}/predictions.tsv")["sample"])
    manifest = run.table("splits/manifest.tsv")
    assert outside.isdisjoint(manifest[manifest["role"] == "train"]["sample"])
    made = bundle_manifest.read(run.results / "bundle")
    assert made["training"]["n"] == 48 and not bundle_manifest.trained(made, sorted(outside))
    held = scores(run, model)["holdout"]
    assert all(value["n"] == 12 for value in held.values())
    assert (held["r2"] if name == "regression" else held["harrell_c"])["estimate"] > 0.5


@pytest.mark.parametrize("name", ["regression", "survival"])
def test_report_and_model_card_speak_of_the_task(name, request):
    run = request.getfixturevalue(name)
    page, card = (run.results / "report.html").read_text(), (run.results / "bundle/MODEL_CARD.md").read_text()
    figure, metric = {"regression": ("predicted", "r2"), "survival": ("kaplan_meier", "harrell_c")}[name]
    assert f'id="figure-{figure}"' in page and 'id="figure-confusion"' not in page
    assert f"| {metric} |" in card and "On the fixed hold-out, scored once" in card


def test_noise_is_predicted_no_better_than_by_the_dummy(noise):
    run, task = noise
    if task == "regression":
        metrics = scores(run, "ridge")
        assert metrics["r2"]["estimate"] < 0.15 and metrics["permutation"]["p"] > 0.03
    else:
        harrell_c = scores(run, "cox_ridge")["harrell_c"]
        assert harrell_c["lower"] < 0.5 < harrell_c["upper"]
    page = (run.results / "report.html").read_text()
    assert "not clearly better than a model without genes" in page


def test_a_time_of_zero_stops_before_any_job(tmp_path):
    def break_times(sheet):
        sheet.loc[3, "months"], sheet.loc[5, "died"] = "0", "maybe"
        return sheet

    text = run_on(tmp_path, SURVIVAL, 0.8, sheet=break_times, check=False).log
    assert "row 5, column months, sample s003: '0': a time to event must be above 0" in text
    assert "sample s005: 'maybe' says neither event" in text
    assert "no job was started" in text and "Traceback" not in text
