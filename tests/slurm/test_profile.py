"""profiles/slurm on a real two-node cluster: torch training goes to the GPU node, everything else does not."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.slurm import cluster

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")


@pytest.fixture
def matrix(tmp_path):
    """A small count matrix with a signal, its sheet and config; one torch model on a GPU."""
    rng = np.random.default_rng(1)
    names = [f"s{i:02}" for i in range(16)]
    means = rng.lognormal(4, 1, 60)[:, None] * np.where(
        np.arange(16) % 2, np.r_[np.full(10, 6), np.ones(50)][:, None], 1
    )
    pd.DataFrame(rng.poisson(means), index=[f"g{i}" for i in range(60)], columns=names).to_csv(
        tmp_path / "counts.tsv", sep="\t"
    )
    pd.DataFrame({"sample": names, "condition": ["a", "b"] * 8}).to_csv(
        tmp_path / "samples.tsv", sep="\t", index=False
    )
    config = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["mlp"]}
    config |= {"evaluation": {"folds": 2, "inner_folds": 2, "permutations": 0}, "training": {"gpus": 1}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_torch_training_runs_on_the_gpu_node_and_nothing_else_does(matrix, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    with cluster.Cluster(folder) as running:
        command = [sys.executable, "-m", "snakemake", "-s", REPOSITORY / "Snakefile", "-d", matrix]
        command += ["--configfile", matrix / "config.yaml", "--profile", REPOSITORY / "profiles/slurm"]
        command += ["--slurm-no-account", "--slurm-status-command", "squeue", "--latency-wait", "5"]
        command += ["--slurm-init-seconds-before-status-checks", "3"]
        command += [str(matrix / "results/splits/r1f1/predictions/mlp.tsv").removeprefix(f"{matrix}/")]
        run = subprocess.run(
            list(map(str, command)), env=running.environment, capture_output=True, text=True, timeout=300
        )
        assert run.returncode == 0, (run.stdout + run.stderr)[-5000:]
        jobs = running.finished_jobs()
    where = {}
    for job in jobs:
        where.setdefault(job["NodeList"], []).append(job)
    assert len(where["gpu1"]) == 1 and len(where["cpu1"]) == 5, jobs
    assert "mlp: trained on" in (matrix / "results/logs/train_mlp/r1f1.log").read_text()
