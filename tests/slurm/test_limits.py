"""Requests and the limits of partitions: refused before the first job where they cannot fit, else cut."""

import re

import pytest
import yaml

from tests.slurm import cluster
from tests.slurm.runs import edited_profile, finish, start

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")
TARGET = "results/splits/training.h5ad"


@pytest.fixture
def limited(tmp_path):
    """Function of megabytes: a profile whose largest partition takes that."""

    def profile(megabytes):
        folder = edited_profile(tmp_path / f"profile{megabytes}")
        known = {"cpu": {"max_runtime": 4320, "max_mem_mb": megabytes, "max_cpus_per_task": 8}}
        (folder / "partitions.yaml").write_text(yaml.safe_dump({"partitions": known}))
        return folder

    return profile


def test_a_rule_that_fits_no_partition_is_named_before_the_first_job(running, matrix, limited):
    run = start(running, matrix, limited(1000), "--forcerun", "import_training_matrix", "--", TARGET)
    text, _ = run.communicate(timeout=60)
    assert run.returncode != 0 and "nothing was submitted" in text, text
    assert re.search(r"import_training_matrix: 2\.4 GB.*cpu, beside its group, takes 0\.9 GB", text), text
    assert not running.queue()


def test_what_only_a_later_attempt_exceeds_runs_and_is_named(running, matrix, limited):
    text = finish(start(running, matrix, limited(3000), "--forcerun", "import_training_matrix", "--", TARGET))
    assert re.search(r"import_training_matrix: attempt 3 would ask for 9\.6 GB.*gets 2\.7 GB", text), text
