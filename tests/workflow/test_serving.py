"""A bundle and a sheet are all that serving needs; a frozen bundle is tested by new labels instead of trained by them."""

import json
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.command import REPOSITORY
from tests.conftest import snakemake
from tests.workflow.conftest import Run

PER_SAMPLE = {"prepare_reads", "trim_fastp", "align_star", "count_featurecounts", "tally_fragments"}
NEVER_SERVING = {
    "train",
    "train_torch",
    "fit_normalizer",
    "fit_batch_model",
    "assign_folds",
    "evaluate",
    "bundle",
}


def predict(folder, check=True, **variables):
    """`make predict` as a user types it, in `folder`; without looking whether the set-up is complete."""
    if not (REPOSITORY / ".venv/bin/python").exists():
        pytest.skip("make predict runs in the .venv that make setup makes")
    command = ["make", "-f", REPOSITORY / "Makefile", "-o", "setup", "predict"]
    command += [f"{name}={value}" for name, value in variables.items()]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, env=environment
    )
    done.text = done.stdout + done.stderr
    assert (done.returncode == 0) == check, done.text[-5000:]
    return done


@pytest.fixture(scope="module")
def served(demo, tmp_path_factory):
    """Two samples of the demo under other names, in a folder with only the bundle and the sheet."""
    folder = tmp_path_factory.mktemp("core facility")
    shutil.copytree(demo.results / "bundle", folder / "bundle")
    rows = [
        {"sample": f"patient{i}", "batch": batch}
        | {f"fastq_{mate}": demo.folder / f"reads/new_{i}_R{mate}.fastq.gz" for mate in (1, 2)}
        for i, batch in ((1, "b1"), (3, "b9"))
    ]
    pd.DataFrame(rows).to_csv(folder / "sheet.tsv", sep="\t", index=False)
    done = predict(folder, BUNDLE="bundle", SAMPLES="sheet.tsv")
    return Run(folder, folder / "results", done.text)


def test_reads_get_the_predictions_of_the_run_that_trained(served, demo):
    table, before = (run.table("predictions.tsv").set_index("sample") for run in (served, demo))
    assert float(table.loc["patient1", "prob_treated"]) == pytest.approx(
        float(before.loc["new_1", "prob_treated"]), abs=1e-9
    )
    assert list(table["batch_policy"]) == ["corrected", "uncorrected"]
    assert "a sample with the same counts" not in table.loc["patient1", "flags"]
    assert "batch 'b9' was not in training" in table.loc["patient3", "flags"]
    counts = pd.read_csv(served.results / "counts/patient1.tsv", sep="\t", index_col=0)["count"]
    assert counts.equals(demo.matrix()["new_1"].loc[counts.index].rename("count"))


def test_all_that_the_demo_wrote_can_be_read_by_whom_the_umask_lets(demo):
    mask = os.umask(0)
    os.umask(mask)
    for path in demo.results.rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o777 if path.is_dir() else 0o666) & ~mask, path


def test_the_status_tells_a_lims_how_far_each_sample_is(served):
    status = json.loads((served.results / "status.json").read_text())
    assert status["exit_code"] == 0 and status["counts"]["predicted"] == 2 and status["state"] == "finished"
    times = status["samples"]["patient1"]["times"]
    assert status["started"] <= times["queued"] <= times["running"] <= times["predicted"] <= status["ended"]


def test_only_the_samples_own_steps_and_the_prediction_ran(served):
    ran = {path.name for path in (served.results / "logs").iterdir()}
    assert ran >= PER_SAMPLE | {"predict"} and not ran & {
        *NEVER_SERVING,
        "index_star",
        "multiqc",
        "view_cohort",
    }
    assert not (served.results / "models").exists() and not (served.results / "splits").exists()


def test_the_matrix_of_a_run_is_served_and_checked_like_its_reads(demo, served, tmp_path):
    for name in ("matrix.tsv.gz", "matrix.json"):
        shutil.copy(demo.results / f"counts/{name}", tmp_path / name)
    predict(tmp_path, BUNDLE=served.folder / "bundle", COUNTS="matrix.tsv.gz")
    table = Run(tmp_path, tmp_path / "results").table("predictions.tsv").set_index("sample")
    assert set(table.index) == set(demo.matrix().columns)
    new = [name for name in table.index if name.startswith("new_")]
    held = pd.to_numeric(table.loc[new, "ood_score"])
    assert held.max() < 2 and "counted elsewhere" not in "".join(table["flags"])
    assert (
        "was in training" in table.loc["d05_b1", "flags"]
        and "was in training" not in table.loc["new_1", "flags"]
    )

    facts = json.loads((tmp_path / "matrix.json").read_text())
    facts["counting"]["quantification"]["tool"] = "htseq"
    (tmp_path / "matrix.json").write_text(json.dumps(facts))
    refused = predict(tmp_path, False, BUNDLE=served.folder / "bundle", COUNTS="matrix.tsv.gz").text
    assert "quantification.tool: the bundle says 'featurecounts', these samples 'htseq'" in refused
    assert "no job was started" in refused and "Traceback" not in refused


def test_columns_of_a_matrix_that_are_no_samples_are_named_at_the_end(demo, served, tmp_path):
    table = demo.matrix()
    table.insert(0, "Length", np.arange(1000, 1000 + len(table)))
    table[["Length", "new_1", "new_2"]].to_csv(tmp_path / "matrix.tsv", sep="\t")
    (tmp_path / "sheet.tsv").write_text("sample\tbatch\nnew_1\tb1\n")
    done = predict(tmp_path, BUNDLE=served.folder / "bundle", SAMPLES="sheet.tsv", COUNTS="matrix.tsv")
    assert "matrix.tsv: columns that describe genes left out (1): Length" in done.stdout, done.text
    assert "new_2" in done.stdout  # in the matrix, and in no line of the sheet
    held = Run(tmp_path, tmp_path / "results").table("predictions.tsv").set_index("sample")["prob_treated"]
    before = demo.table("predictions.tsv").set_index("sample")["prob_treated"]
    assert list(held.index) == ["new_1"]
    assert float(held["new_1"]) == pytest.approx(float(before["new_1"]), abs=1e-9)


def test_another_annotation_and_a_training_folder_are_refused_before_any_job(demo, served, tmp_path):
    reference = tmp_path / "reference"
    reference.mkdir()
    for path in (demo.folder / "genome.fa", demo.folder / "annotation.gtf"):
        shutil.copy(path, reference)
    lines = (reference / "annotation.gtf").read_text().splitlines(keepends=True)
    (reference / "annotation.gtf").write_text("".join(lines[: len(lines) // 2]))
    arguments = {
        "BUNDLE": "bundle",
        "SAMPLES": "sheet.tsv",
        "REFERENCE": reference,
        "RESULTS": tmp_path / "out",
    }
    refused = predict(served.folder, False, **arguments).text
    assert (
        "annotation: the bundle was made with annotation.gtf" in refused and "no job was started" in refused
    )
    arguments["RESULTS"] = demo.results
    assert "holds a run that trained" in predict(served.folder, False, **arguments).text


# A frozen bundle in the project that trained it


@pytest.mark.parametrize("retrain", ["never", "auto"])
def test_new_labels_train_or_test(demo, retrain):
    """A dry run with one more donor's sample."""
    settings = yaml.safe_load((demo.folder / "config.yaml").read_text())
    table = pd.read_csv(demo.folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    for mate in (1, 2):
        shutil.copy(
            demo.folder / f"reads/new_1_R{mate}.fastq.gz", demo.folder / f"reads/later_R{mate}.fastq.gz"
        )
    row = {"sample": "later", "condition": "treated", "batch": "b1", "donor": "d77"}
    row |= {f"fastq_{mate}": f"reads/later_R{mate}.fastq.gz" for mate in (1, 2)}
    table = pd.concat([table, pd.DataFrame([row])]).fillna("")
    table.to_csv(demo.folder / "later.tsv", sep="\t", index=False)
    settings |= {"samples": str(demo.folder / "later.tsv"), "training": {"retrain": retrain}}
    (demo.folder / "later.yaml").write_text(yaml.safe_dump(settings))
    text = snakemake(demo.folder, "-n", "--quiet", "rules", config="later.yaml", check=True).text
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", text, re.M)}
    assert {rule: jobs.get(rule) for rule in PER_SAMPLE} == dict.fromkeys(PER_SAMPLE, 1)
    if retrain == "never":
        assert jobs["validate_externally"] == 1 and not NEVER_SERVING & set(jobs)
    else:
        assert {"train", "train_torch", "bundle"} <= set(jobs) and "validate_externally" not in jobs


def test_labelled_samples_validate_a_frozen_bundle(demo, tmp_path):
    """Of a matrix: the labelled samples of training are left out, the new ones with their true labels are not."""
    counts = demo.matrix()
    labels = pd.read_csv(demo.folder / "truth/labels.tsv", sep="\t", index_col=0)["condition"]
    new = [f"new_{i}" for i in range(1, 5)]
    table = counts[["d05_b1", *new]].rename(columns={"d05_b1": "renamed"})
    table.to_csv(tmp_path / "counts.tsv", sep="\t")
    sheet = pd.DataFrame({"sample": table.columns, "condition": ["control", *labels[new]]})
    sheet["batch"], sheet["donor"] = ["b1", "b1", "b1", "b2", "b2"], ["x1", "x2", "x3", "x4", "d01"]
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    settings = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["logistic_l2"]}
    settings["training"] = {"retrain": "never", "bundle": str(demo.results / "bundle")}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(tmp_path, check=True)
    run = Run(tmp_path, tmp_path / "results")
    validation = json.loads((run.results / "external_validation.json").read_text())
    assert validation["samples"] == new[:3] == list(run.table("external_validation.tsv")["sample"])
    assert validation["left_out"] == {
        "renamed": "a sample with the same counts was in training",
        "new_4": "other samples of 'd01' were in training",
    }
    table = run.table("external_validation.tsv")
    assert (table["truth"] == list(labels[new[:3]])).all()
    accuracy = validation["metrics"]["accuracy"]
    assert accuracy["n"] == 3 and accuracy["estimate"] == np.mean(table["truth"] == table["predicted"])
    assert table["flags"].str.contains("counted elsewhere").all()
    assert not (run.results / "predictions.tsv").exists() and not (run.results / "models").exists()
    page = (run.results / "report.html").read_text()
    assert "3 samples validate the bundle" in page and "3 of 3 validated samples carry a flag" in page
