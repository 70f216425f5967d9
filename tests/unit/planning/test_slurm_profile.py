"""profiles/slurm as the executor reads it: which partition a job goes to, and how a GPU is asked for."""

import logging
from types import SimpleNamespace

import pytest
import yaml
from snakemake_executor_plugin_slurm import partitions, utils

from tests.faults.forked import snakemake
from tests.faults.project import Project, bases

WAYS = {  # what reads and samples can go through, which decides what depends on what
    "defaults": {},
    "HISAT2 and HTSeq, Trim Galore": {
        "trimming": {"tool": "trim_galore"},
        "alignment": {"tool": "hisat2"},
        "quantification": {"tool": "htseq"},
    },
    "UMIs, rRNA, mapping quality": {
        "trimming": {"umi": "NNNNNNNN", "rrna": "rrna.fa"},
        "alignment": {"min_mapq": 10},
    },
    "STAR's counts, no QC of samples": {
        "trimming": {"tool": "none"},
        "quantification": {"tool": "star"},
        "qc": {"fastqc_reads": 0, "rseqc_fragments": 0},
    },
    "Salmon": {"trimming": {"tool": "cutadapt"}, "quantification": {"tool": "salmon"}},
    "Salmon from reads": {"alignment": {"tool": "none"}, "quantification": {"tool": "salmon"}},
    "selection, covariates, all kinds of splits": {
        "features": {"selection": "variance", "count": 2},
        "design": {"batch": "batch", "group": "donor", "covariates": ["age"]},
        "expression": {"batch_correction": "auto"},
        "evaluation": {"folds": 2, "repeats": 2, "leave_one_batch_out": True, "learning_curve": [0.5]},
    },
}


def job(**resources):
    return SimpleNamespace(
        name="train_torch", threads=4, resources={"mem_mb": 3400, "runtime": 120, **resources}
    )


class Resources(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    ("resources", "partition", "gres"),
    [
        ({"gpu": 0}, "cpu", ""),
        ({"gpu": 1}, "gpu", " --gpus=1"),
        ({"gpu": 1, "gpu_model": "a100"}, "gpu", " --gpus=a100:1"),
        ({"gpu": 0, "gres": "gpu:1"}, "gpu", " --gres=gpu:1"),
    ],
)
def test_each_way_to_ask_for_a_gpu_reaches_a_partition_that_has_one(repository, resources, partition, gres):
    known = partitions.read_partition_file(repository / "profiles/slurm/partitions.yaml")
    wanted = job(**resources)
    wanted.resources = Resources(wanted.resources)
    assert partitions.get_best_partition(known, wanted, logging.getLogger()) == partition
    assert utils.set_gres_string(wanted) == gres


def test_every_rule_that_a_profile_names_exists(repository):
    rules = "".join(path.read_text() for path in (repository / "rules").rglob("*.smk"))
    for path in (repository / "profiles").glob("*/config.yaml"):
        profile = yaml.safe_load(path.read_text())
        for name in {
            **profile.get("groups", {}),
            **profile.get("set-threads", {}),
            **profile.get("set-resources", {}),
        }:
            assert f"rule {name}:" in rules or f" as {name} with:" in rules, f"{path.parent.name}: {name}"


@pytest.mark.parametrize("way", WAYS)
def test_jobs_that_are_submitted_together_wait_for_none_that_waits_for_them(tmp_path, repository, way):
    project = Project(tmp_path / "project")
    project.file("rrna.fa", f">r\n{bases(300, 2)}\n")
    for row in project.rows:
        paired = row["sample"] < "s07"
        row["fastq_2"] = row["fastq_1"].replace("_R1", "_R2") if paired else ""
        if paired:
            project.file(row["fastq_2"], (project.folder / row["fastq_1"]).read_bytes())
    project.columns.append("fastq_2")
    for key, value in WAYS[way].items():
        project.config[key] = project.config.get(key, {}) | value
    project.write()
    run = snakemake(project.folder, "-n", "--profile", repository / "profiles/slurm", "all", "explore")
    assert run.returncode == 0, run.text[-2000:]
    assert "align" in run.text or "salmon" in run.text
