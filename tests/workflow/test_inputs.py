"""Ways in and ways to evaluate that the demo does not use."""

import json
import re

import numpy as np
import pandas as pd
import yaml

from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow.conftest import Run


def test_single_and_paired_libraries_go_through_one_cohort(tiny):
    """Paths of the sheet have spaces here, too: they reach no shell unquoted."""
    sheet = tiny.sheet.copy()
    (tiny.folder / "my reads").mkdir()
    for row in sheet.index[:2]:
        name = sheet.loc[row, "fastq_1"].removeprefix("reads/")
        (tiny.folder / "reads" / name).rename(tiny.folder / "my reads" / name)
        sheet.loc[row, ["fastq_1", "fastq_2"]] = f"my reads/{name}", ""
    tiny("counts", *LOCAL, sheet=sheet, check=True)
    run = Run(tiny.folder, tiny.results)
    status = run.table("samples.tsv").set_index("sample")
    assert set(status["status"]) == {"included"} and set(status["strandedness"]) == {"reverse"}
    truth = pd.read_csv(tiny.folder / "truth/counts.tsv", sep="\t", index_col=0)
    counts = run.matrix()
    for name in counts:
        assert counts[name].corr(truth.loc[counts.index, name], method="spearman") > 0.95


def small_matrix(folder, **config):
    """Twelve samples in three batches with a clear signal; returns the finished run."""
    rng = np.random.default_rng(1)
    names, labels = [f"s{i:02}" for i in range(12)], np.tile(["a", "b"], 6)
    means = rng.lognormal(4, 1, 60)[:, None] * np.where(
        labels == "b", np.r_[np.full(12, 5.0), np.ones(48)][:, None], 1
    )
    table = pd.DataFrame(rng.poisson(means), index=[f"g{i}" for i in range(60)], columns=names)
    table.to_csv(folder / "counts.tsv", sep="\t")
    sheet = pd.DataFrame({"sample": names, "condition": labels, "run": np.repeat(["x", "y", "z"], 4)})
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    settings = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "design": {"batch": "run"},
        "models": ["logistic_l2"],
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(settings | config))
    snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results")


def test_the_training_samples_may_choose_the_correction(tmp_path):
    evaluation = {"folds": 2, "inner_folds": 2, "permutations": 0}
    expression = {"batch_correction": "auto", "normalization": "vst"}
    run = small_matrix(tmp_path, evaluation=evaluation, expression=expression)
    for split in ("r1f1", "r1f2", "full"):
        log = (run.results / f"logs/fit_batch_model/{split}.log").read_text()
        assert "balanced accuracy on batches held out of the training samples: {'none': " in log
    manifest = json.loads((run.results / "bundle/manifest.json").read_text())
    assert manifest["batch_correction"] == "none"  # there are no batch effects
    chosen = run.table("models/batch_choice.tsv")
    assert list(chosen.loc[chosen["chosen"].astype(str) == "True", "split"]) == ["r1f1", "r1f2", "full"]
    assert set(chosen["correction"]) == {"none", "rank", "center", "combat"}
    assert manifest["batch_choice"]["unseen_batch"] == "uncorrected"
    page = (run.results / "report.html").read_text()
    assert "What is done about batches" in page and "treated the same alone and in company" in page


def test_each_batch_is_predicted_by_a_model_that_never_saw_it(tmp_path):
    evaluation = {"folds": 2, "inner_folds": 2, "permutations": 0, "leave_one_batch_out": True}
    run = small_matrix(tmp_path, evaluation=evaluation, expression={"batch_correction": "combat"})
    table = run.table("models/logistic_l2/leave_one_batch_out.tsv")
    batches = run.table("samples.tsv").set_index("sample")["run"]
    assert sorted(table["sample"]) == sorted(batches.index)
    assert (table["split"] == "batch." + table["sample"].map(batches)).all()
    metrics = json.loads((run.results / "models/logistic_l2/metrics.json").read_text())
    assert metrics["leave_one_batch_out"]["balanced_accuracy"]["estimate"] == 1
    assert not (run.results / "predictions.tsv").exists()
    diagnostics = json.loads((run.results / "expression/diagnostics.json").read_text())
    assert diagnostics["design"]["cramers_v"] == 0 and diagnostics["design"]["label_from_batch"] == 0.5
    assert diagnostics["views"]["batch_corrected"]["target"]["neighbours"] == 1


def test_a_human_sized_genome_asks_for_the_memory_that_star_needs(tiny):
    """A file of that size, almost all of it a hole; nothing of it is read before the first job."""
    genome = tiny.folder / "genome.fa"
    with genome.open("r+b") as file:
        file.truncate(3_100_000_000)
    plan = tiny("-n", str(tiny.results / "aligned/star/d02_b1.bam"), check=True).text
    memory = {
        rule: int(re.search(rf"rule {rule}:.*?mem_mb=(\d+)", plan, re.S)[1])
        for rule in ("index_star", "align_star")
    }
    assert 35_000 < memory["index_star"] < 45_000 and 32_000 < memory["align_star"] < 45_000
