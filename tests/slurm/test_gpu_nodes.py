"""SLURM itself says whether a job has a node besides those without a working GPU."""

import pytest

from rna2model.core import gpu_nodes
from tests.slurm import accounting, cluster

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")


@pytest.mark.parametrize(
    ("options", "fits"),
    [
        ("-p gpu --gpus=1", True),
        ("-p gpu --gpus=1 --exclude=cpu1", True),
        ("-p gpu --gpus=a100:1 --exclude=gpu1", False),
        ("-p gpu --gres=gpu:1 --exclude=gpu1", False),
        ("-p cpu --exclude=cpu1", True),
        ("-p cpu --exclude=cpu1,cpu2", False),
    ],
)
def test_nodes_left_after_others_are_excluded(running, monkeypatch, options, fits):
    monkeypatch.setenv("SLURM_CONF", running.environment["SLURM_CONF"])
    whose = "" if accounting.missing() else f" --account={accounting.ACCOUNT} --qos={accounting.QOS}"
    assert gpu_nodes.takes(f"sbatch --parsable --mem=100 --time=5{whose} {options}") == fits
    assert not running.queue()
