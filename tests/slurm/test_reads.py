"""Reads to counts through the profile: the same counts as on one machine, in as few submissions as jobs of seconds allow."""

import pytest

from tests.command import LOCAL
from tests.conftest import snakemake
from tests.slurm import cluster
from tests.slurm.runs import finish, small_reads, start
from tests.workflow.conftest import Run

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")


def test_reads_are_counted_as_on_one_machine_and_a_broken_library_stops_nothing(running, profile, tmp_path):
    folder = small_reads(tmp_path / "cluster")
    finish(start(running, folder, profile, "counts"), seconds=600)
    jobs = [job for job in running.finished_jobs(folder) if job["JobState"] == "COMPLETED"]
    found = Run(folder, folder / "results")
    here = small_reads(tmp_path / "here")
    snakemake(here, *LOCAL, "counts", check=True)
    expected = Run(here, here / "results")
    assert found.matrix().equals(expected.matrix()) and found.matrix().to_numpy().sum() > 1000
    assert found.table("samples.tsv").equals(expected.table("samples.tsv"))
    assert "excluded" in set(found.table("samples.tsv")["status"])
    assert len(jobs) <= 4 + 6 * 5, jobs
