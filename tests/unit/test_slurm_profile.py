"""profiles/slurm as the executor reads it: which partition a job goes to, and how a GPU is asked for."""

import logging
from types import SimpleNamespace

import pytest
import yaml
from snakemake_executor_plugin_slurm import partitions, utils


def job(**resources):
    return SimpleNamespace(
        name="train_torch", threads=4, resources={"mem_mb": 3400, "runtime": 120, **resources}
    )


class Resources(dict):
    __getattr__ = dict.__getitem__


@pytest.mark.parametrize(
    ("resources", "partition", "asked"),
    [
        ({"gpu": 0}, "cpu", ""),
        ({"gpu": 1}, "gpu", " --gpus=1"),
        ({"gpu": 1, "gpu_model": "a100"}, "gpu", " --gpus=a100:1"),
        ({"gpu": 0, "gres": "gpu:1"}, "gpu", " --gres=gpu:1"),
    ],
)
def test_each_way_to_ask_for_a_gpu_reaches_a_partition_that_has_one(repository, resources, partition, asked):
    known = partitions.read_partition_file(repository / "profiles/slurm/partitions.yaml")
    wanted = job(**resources)
    wanted.resources = Resources(wanted.resources)
    assert partitions.get_best_partition(known, wanted, logging.getLogger()) == partition
    assert utils.set_gres_string(wanted) == asked


def test_every_rule_that_a_profile_names_exists(repository):
    rules = "".join(path.read_text() for path in (repository / "rules").glob("*.smk"))
    for path in (repository / "profiles").glob("*/config.yaml"):
        profile = yaml.safe_load(path.read_text())
        for name in {
            **profile.get("groups", {}),
            **profile.get("set-threads", {}),
            **profile.get("set-resources", {}),
        }:
            assert f"rule {name}:" in rules or f" as {name} with:" in rules, f"{path.parent.name}: {name}"
