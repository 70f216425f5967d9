"""The profiles of clouds with the real executors and storage: what they would run, and what is refused before it."""

import re
from functools import cache

import pandas as pd
import pytest
import yaml

from tests.command import REPOSITORY

CLOUDS = ["kubernetes", "aws-batch", "google-batch"]


def plan(bucket, folder, cloud, check=True):
    return bucket.snakemake(folder, "--profile", REPOSITORY / "profiles" / cloud, "-n", check=check).text


@pytest.fixture(scope="module")
def planned(bucket, matrix, reads):
    """Function (project, cloud) -> text of its dry run, made once."""
    folders = {"matrix": matrix, "reads": reads[0]}
    return cache(lambda project, cloud: plan(bucket, folders[project], cloud))


def jobs(text):
    """[(rule, its other lines)] of a dry run."""
    sections = re.findall(r"^rule (\w+):\n((?:    .*\n)+)", text, re.MULTILINE)
    assert sections
    return sections


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_matrix_is_planned_from_the_bucket_into_the_bucket(planned, cloud):
    planned_jobs = jobs(planned("matrix", cloud))
    assert {"import_matrix", "train", "bundle", "predict", "report", "ask_versions"} <= {
        rule for rule, _ in planned_jobs
    }
    for rule, lines in planned_jobs:
        for files in re.findall(r"(?:input|output|log|benchmark): (.*)", lines):
            for path in files.split("), "):
                assert path.startswith("s3://bucket/run/") or "/envs/" in path, (rule, path)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_reads_are_planned_wherever_they_lie_in_the_storage(planned, cloud):
    text = planned("reads", cloud)
    rules = dict(jobs(text))
    assert {"prepare_reference", "index_star", "align_star", "multiqc", "train", "report"} <= rules.keys()
    assert "s3://bucket/references/genome.fa (" in rules["prepare_reference"]
    assert "input: s3://bucket/sequenced/reads/d08_b1_R1.fastq.gz" in text
    assert "input: s3://bucket/run/reads/d02_b1_R1.fastq.gz" in text


def test_the_executor_of_aws_batch_takes_what_every_job_asks_for(planned):
    from snakemake_executor_plugin_aws_batch.constant import VALID_RESOURCES_MAPPING

    requests = set()
    for _, lines in jobs(planned("matrix", "aws-batch")) + jobs(planned("reads", "aws-batch")):
        if memory := re.search(r"mem_mb=(\d+)", lines):
            threads = re.search(r"threads: (\d+)", lines)
            requests.add((int(memory[1]), int(threads[1]) if threads else 1))
    assert len(requests) > 4
    assert [pair for pair in requests if pair[1] not in VALID_RESOURCES_MAPPING.get(pair[0], [])] == []


@pytest.mark.parametrize(
    ("cloud", "resource"),
    [("kubernetes", "gpu=1"), ("aws-batch", "_gpus=1"), ("google-batch", "nvidia_gpu=")],
)
def test_torch_training_asks_for_a_gpu_in_the_words_of_the_executor(
    bucket, matrix, tmp_path, cloud, resource
):
    profile = (REPOSITORY / "profiles" / cloud / "config.yaml").read_text()
    changed = yaml.safe_load(re.sub(r"^# (?=set-resources|  )", "", profile, flags=re.MULTILINE))
    project, profiles = tmp_path / "project", tmp_path / "profile"
    config = yaml.safe_load((matrix / "config.yaml").read_text())
    config |= {"models": ["mlp"], "training": {"gpus": 1}}
    for folder, content in ((profiles, changed), (project, config)):
        folder.mkdir()
        (folder / "config.yaml").write_text(yaml.safe_dump(content))
    (project / "samples.tsv").write_bytes((matrix / "samples.tsv").read_bytes())
    text = bucket.snakemake(project, "--profile", profiles, "-n", check=True).text
    for rule, lines in jobs(text):
        assert (resource in lines) == (rule in ("train_torch", "permute_torch", "ask_gpu")), rule


def test_a_job_goes_to_aws_batch_as_its_profile_says(bucket, matrix):
    """The server has AWS Batch, too, but no machines: jobs are taken and fail."""
    role = bucket.service("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    batch = bucket.service("batch")
    machines = batch.create_compute_environment(
        computeEnvironmentName="machines", type="UNMANAGED", state="ENABLED", serviceRole=role
    )["computeEnvironmentArn"]
    order = [{"order": 1, "computeEnvironment": machines}]
    queue = batch.create_job_queue(
        jobQueueName="queue", state="ENABLED", priority=1, computeEnvironmentOrder=order
    )["jobQueueArn"]
    profile = yaml.safe_load((REPOSITORY / "profiles/aws-batch/config.yaml").read_text())
    options = ["--aws-batch-job-queue", queue, "--aws-batch-job-role", role]
    data = ["--config", "counts=s3://bucket/run/counts.tsv"]
    profiled = ["--profile", REPOSITORY / "profiles/aws-batch", *data, *options]
    bucket.snakemake(matrix, *profiled, "results/samples.tsv", run="aws", check=False)
    requests = set()
    for job in batch.describe_job_definitions()["jobDefinitions"]:
        container = job["containerProperties"]
        requests.add(
            tuple(sorted((wish["type"], int(wish["value"])) for wish in container["resourceRequirements"]))
        )
        assert container["image"] == profile["container-image"]
        assert job["timeout"]["attemptDurationSeconds"] == profile["aws-batch-task-timeout"]
    attempts = [4096, 5120, 10240]  # each with twice what was wanted before
    assert requests == {(("MEMORY", memory), ("VCPU", 2)) for memory in attempts}


def test_all_that_is_wrong_in_the_bucket_is_said_at_once(bucket, reads, tmp_path):
    config = yaml.safe_load((reads[0] / "config.yaml").read_text())
    bucket.put("references/proteins.fa", b">p\nMKLVEF\n")
    bucket.put("references/empty.gtf", b"")
    bucket.put("references/sets.gmt", b"one\n")
    sheet = pd.read_csv(reads[0] / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet.loc[0, "fastq_1"] = "reads/nowhere.fastq.gz"
    sheet.loc[1, "fastq_2"] = "/home/me/reads.fastq.gz"
    sheet.loc[2, "fastq_1"] = "https://example.org/reads.fastq.gz"
    sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    config["reference"] = {
        "fasta": "s3://bucket/references/proteins.fa",
        "gtf": "s3://bucket/references/empty.gtf",
    }
    config["expression"] = {"gene_sets": "s3://bucket/references/sets.gmt"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    text = plan(bucket, tmp_path, "kubernetes", check=False)
    for message in (
        "row 2, column fastq_1: no such file in the storage (s3://bucket/run/reads/nowhere.fastq.gz)",
        "row 3, column fastq_2: is a path of this machine, which no job sees",
        "row 4, column fastq_1: is not in the storage of this run (s3://)",
        "s3://bucket/references/proteins.fa is no genome",
        "s3://bucket/references/empty.gtf",
        "s3://bucket/references/sets.gmt line 1: a gene set is",
    ):
        assert message in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"counts": "elsewhere.tsv"}, "counts: no such file in the storage (s3://bucket/run/elsewhere.tsv)"),
        (
            {"counts": "s3://nowhere/counts.tsv"},
            "counts: no such file in the storage (s3://nowhere/counts.tsv)",
        ),
        ({"results": "/data/results"}, "results: /data/results must be a path below s3://bucket/run/"),
        ({"counts": "results/counts/matrix.tsv"}, "results: results holds results/counts/matrix.tsv"),
        ({"training": {"retrain": "never", "bundle": "b"}}, "a frozen bundle serves where its files lie"),
    ],
)
def test_what_cannot_be_is_told_with_its_place(bucket, matrix, tmp_path, changes, message):
    bucket.put("run/results/counts/matrix.tsv", matrix / "counts.tsv")
    config = yaml.safe_load((matrix / "config.yaml").read_text()) | changes
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "samples.tsv").write_bytes((matrix / "samples.tsv").read_bytes())
    text = plan(bucket, tmp_path, "aws-batch", check=False)
    assert message in text and "Traceback" not in text


def test_what_jobs_would_not_get_is_told_before_the_first(bucket, matrix, tmp_path):
    config = yaml.safe_load((matrix / "config.yaml").read_text()) | {"samples": str(matrix / "samples.tsv")}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    text = plan(bucket, tmp_path, "google-batch", check=False)
    assert f"{matrix / 'samples.tsv'} lies outside the working directory" in text
    assert "Traceback" not in text
