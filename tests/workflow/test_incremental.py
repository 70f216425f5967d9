"""Runs after the first: only what depends on a change is done again."""

import re
import shutil

import pandas as pd
import pytest
import yaml

from tests.conftest import snakemake
from tests.workflow import cohorts, faked
from tests.workflow.conftest import make_demo

PER_SAMPLE = {
    "prepare_reads",
    "fastqc",
    "trim_fastp",
    "align_star",
    "alignment_stats",
    "describe_library",
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
    assert {rule: jobs.get(rule) for rule in PER_SAMPLE} == dict.fromkeys(PER_SAMPLE, 1)
    assert {"qc_gate", "build_cohort", "predict", "report", "multiqc"} <= set(jobs)
    assert not TRAINING & set(jobs)


def test_a_labelled_sample_runs_its_own_jobs_and_the_cohort_side(changed, added):
    jobs = changed(rows=[added("treated")])
    assert {rule: jobs.get(rule) for rule in PER_SAMPLE} == dict.fromkeys(PER_SAMPLE, 1)
    assert set(jobs) >= TRAINING


def test_another_model_trains_only_that_model(changed):
    jobs = changed(models=["logistic_l2", "random_forest", "mlp", "gradient_boosting"])
    assert jobs["train"] == 3 and jobs["score"] == 3
    assert not {"train_torch", "fit_normalizer", "build_cohort", *PER_SAMPLE} & set(jobs)


def test_removing_a_sample_runs_no_sample_again(changed):
    jobs = changed(sheet=lambda table: table[table["sample"] != "d05_b1"])
    assert not PER_SAMPLE & set(jobs) and set(jobs) >= TRAINING


def test_the_demo_written_again_or_with_new_dates_runs_nothing(demo):
    make_demo(demo.folder)
    assert planned(demo.folder) == {}
    for path in (*demo.folder.glob("reads/d0*"), demo.folder / "samples.tsv", demo.folder / "genome.fa"):
        path.touch()
    assert planned(demo.folder) == {}


SPLITS, MODELS, SAMPLES = 4, 5, 31  # of the demo: three folds and `full`; one torch model; all of its sheet
LOOK = {
    "test_differential",
    "view_cohort",
    "cluster_samples",
    "enrich_gene_sets",
    "find_outliers",
}  # exploration
ALL_SAMPLES = {"qc_gate", "build_cohort", "multiqc", "predict", "tripod", "report", "all", *LOOK}
EVALUATION = {
    "evaluate": MODELS,
    **dict.fromkeys(
        (
            "permute",
            "explain",
            "bundle",
            "compare",
            "differences",
            "adequacy",
            "tripod",
            "predict",
            "report",
            "all",
        ),
        1,
    ),
}
FITTING = {
    "fit_normalizer": SPLITS,
    "fit_batch_model": SPLITS,
    "fit_ood": 1,
    "train": SPLITS * (MODELS - 1) - 3,  # only the shipped model is trained on `full`
    "train_torch": SPLITS - 1,
    "score": (SPLITS - 1) * MODELS,
    **EVALUATION,
}
COHORT = {
    **dict.fromkeys(("qc_gate_training", "build_training_cohort", "assign_folds", *ALL_SAMPLES), 1),
    **FITTING,
}
READS = dict.fromkeys(PER_SAMPLE, SAMPLES)


def relabelled(table):
    table.loc[table["sample"] == "d05_b1", "condition"] = "treated"
    return table


def annotated(table):
    table["notes"] = ["looked fine" if name == "d05_b1" else "" for name in table["sample"]]
    return table


@pytest.mark.parametrize(
    ("sheet", "config", "expected"),
    [
        pytest.param(relabelled, {}, COHORT, id="a label"),
        pytest.param(annotated, {}, dict.fromkeys(ALL_SAMPLES, 1), id="a cell that no model reads"),
        pytest.param(None, {"qc": {"min_mapped_pct": 51}}, COHORT, id="a limit of the gate"),
        pytest.param(
            None,
            {"trimming": {"min_length": 25}},
            COHORT | READS | {"describe_counting": 1},
            id="an option of trimming",
        ),
        pytest.param(
            None,
            {"qc": {"rseqc_fragments": 1000}},
            COHORT | {"alignment_stats": SAMPLES, "tally_fragments": SAMPLES},
            id="an option of one quality step",
        ),
        pytest.param(
            None,
            {"expression": {"normalization": "cpm"}},
            FITTING | {"view_cohort": 1, "cluster_samples": 1, "find_outliers": 1},
            id="the normalization",
        ),
        pytest.param(
            None,
            {"evaluation": {"permutations": 10}},
            EVALUATION | {"evaluate": 1, "explain": 0},
            id="permutations",
        ),
    ],
)
def test_a_change_runs_exactly_what_depends_on_it(changed, demo, sheet, config, expected):
    before = yaml.safe_load((demo.folder / "config.yaml").read_text())
    config = {key: {**before.get(key, {}), **value} for key, value in config.items()}
    assert changed(sheet=sheet, **config) == {rule: count for rule, count in expected.items() if count}


def test_without_fastqc_nothing_is_trimmed_aligned_or_trained_again(changed, demo):
    before = yaml.safe_load((demo.folder / "config.yaml").read_text())
    jobs = changed(qc={**before.get("qc", {}), "fastqc_reads": 0})
    assert jobs["multiqc"] == 1 and not (PER_SAMPLE | TRAINING) & set(jobs), jobs


def test_a_comment_in_the_config_runs_nothing(demo):
    text = (demo.folder / "config.yaml").read_text()
    (demo.folder / "changed.yaml").write_text(f"# looked at again\n{text}")
    assert planned(demo.folder, "changed.yaml") == {}


def test_a_week_of_new_samples_costs_their_own_work_and_the_cohort_side(tmp_path):
    reads = faked.write(tmp_path, 24)
    faked.finish(tmp_path)
    sheet = (tmp_path / "samples.tsv").read_text()
    for week, labelled in (("week2", False), ("week3", True)):
        (tmp_path / "samples.tsv").write_text(sheet)
        faked.add(tmp_path, [f"{week}_{number}" for number in range(8)], reads, labelled, more=True)
        jobs = planned(tmp_path)
        assert {rule: jobs[rule] for rule in PER_SAMPLE} == dict.fromkeys(PER_SAMPLE, 8)
        assert bool(TRAINING & set(jobs)) == labelled


@pytest.fixture
def on_matrix(tmp_path):
    """A run on a given matrix that looks done, and a function that plans it with another sheet.

    The sheet has all samples of the matrix but the last one; two of its samples have no label.
    """
    cohorts.write(tmp_path, effect=1)
    everyone = pd.read_csv(tmp_path / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    everyone.loc[len(everyone) - 3 :, "site"] = ""
    settings = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["logistic_l2"]}
    settings |= {"design": {"target": "site", "group": "donor"}, "evaluation": {"folds": 3}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))

    def plan(sheet):
        sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
        return planned(tmp_path)

    plan.everyone, plan.sheet = everyone, everyone[:-1]
    plan(plan.sheet)
    faked.finish(tmp_path)
    return plan


def test_with_a_matrix_a_note_or_a_new_sample_trains_nothing(on_matrix):
    assert on_matrix(on_matrix.sheet) == {}
    for sheet in (on_matrix.sheet.assign(notes="looked fine"), on_matrix.everyone):
        jobs = on_matrix(sheet)
        assert {"import_matrix", "predict", "report"} <= set(jobs)
        assert not {"import_training_matrix", *TRAINING, *EVALUATION} - {*ALL_SAMPLES} & set(jobs)


@pytest.mark.parametrize(("column", "value"), [("site", "y"), ("donor", "d99")])
def test_with_a_matrix_a_cell_that_models_read_trains_them(on_matrix, column, value):
    sheet = on_matrix.sheet.copy()
    sheet.loc[0, column] = value
    assert set(on_matrix(sheet)) >= {"import_training_matrix", "assign_folds", "fit_normalizer", "train"}
