"""Runs after the first: only what depends on a change is done again."""

import re
import shutil

import pandas as pd
import pytest
import yaml

from tests.conftest import snakemake

PER_SAMPLE = {
    "prepare_reads",
    "sample_reads",
    "fastqc",
    "trim_fastp",
    "align_star",
    "alignment_stats",
    "describe_library",
    "rseqc",
    "count_featurecounts",
    "tally_fragments",
}
TRAINING = {
    "qc_gate_training",
    "build_training_cohort",
    "assign_folds",
    "fit_normalizer",
    "fit_batch_model",
    "train",
    "train_torch",
}


def planned(folder, config="config.yaml"):
    """{rule: number of jobs} of a dry run."""
    run = snakemake(folder, "-n", "--quiet", "rules", config=config, check=True)
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", run.text, re.M))
    jobs.pop("total", None)
    return {rule: int(count) for rule, count in jobs.items()}


@pytest.fixture
def changed(demo):
    """Plan the demo with a changed sheet or config, beside the original ones."""

    def plan(rows=None, sheet=None, **config):
        settings = yaml.safe_load((demo.folder / "config.yaml").read_text())
        table = pd.read_csv(demo.folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
        if rows:
            table = pd.concat([table, pd.DataFrame(rows)], ignore_index=True).fillna("")
        if sheet:
            table = sheet(table)
        table.to_csv(demo.folder / "changed.tsv", sep="\t", index=False)
        (demo.folder / "changed.yaml").write_text(
            yaml.safe_dump({**settings, "samples": str(demo.folder / "changed.tsv"), **config})
        )
        return planned(demo.folder, "changed.yaml")

    return plan


@pytest.fixture
def added(demo):
    """A row for one more sample, with reads of its own."""

    def row(condition):
        for mate in ("R1", "R2"):
            shutil.copy(
                demo.folder / f"reads/new_1_{mate}.fastq.gz", demo.folder / f"reads/week2_{mate}.fastq.gz"
            )
        files = {f"fastq_{n}": f"reads/week2_R{n}.fastq.gz" for n in (1, 2)}
        return {
            "sample": "week2",
            **files,
            "strandedness": "auto",
            "condition": condition,
            "batch": "b1",
            "donor": "d99",
        }

    return row


def test_nothing_is_left_to_do_after_a_full_run(demo):
    assert planned(demo.folder) == {}


def test_a_new_sample_runs_its_own_jobs_and_is_predicted_without_retraining(changed, added):
    jobs = changed(rows=[added("")])
    assert {rule: jobs.get(rule) for rule in PER_SAMPLE} == {
        rule: 2 if rule == "fastqc" else 1 for rule in PER_SAMPLE
    }
    assert {"qc_gate", "build_cohort", "predict", "report", "multiqc"} <= set(jobs)
    assert not TRAINING & set(jobs)


def test_a_labelled_sample_runs_its_own_jobs_and_the_cohort_side(changed, added):
    jobs = changed(rows=[added("treated")])
    assert {rule: jobs.get(rule) for rule in PER_SAMPLE} == {
        rule: 2 if rule == "fastqc" else 1 for rule in PER_SAMPLE
    }
    assert set(jobs) >= TRAINING


def test_another_model_trains_only_that_model(changed):
    jobs = changed(models=["logistic_l2", "random_forest", "mlp", "gradient_boosting"])
    assert jobs["train"] == 3 and jobs["score"] == 3
    assert not {"train_torch", "fit_normalizer", "build_cohort", *PER_SAMPLE} & set(jobs)


def test_removing_a_sample_runs_no_sample_again(changed):
    jobs = changed(sheet=lambda table: table[table["sample"] != "d05_b1"])
    assert not PER_SAMPLE & set(jobs) and set(jobs) >= TRAINING


def test_touching_a_fastq_without_changing_it_runs_nothing(demo):
    (demo.folder / "samples.tsv").touch()
    assert planned(demo.folder) == {}
