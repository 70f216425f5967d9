"""Reads to counts through the profile: what one machine gives, in as few submissions as jobs of seconds allow."""

import json

import pytest

from tests.command import LOCAL
from tests.conftest import snakemake
from tests.slurm import cluster
from tests.slurm.runs import finish, small_reads, start

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")
FACTS = ["results/qc/d02_b1/d02_b1.json", "results/qc/truncated/truncated.json"]
SUBMISSIONS = ["prepare_reads", "trim_fastp", "align_star", "describe", "count"]  # of each sample
ONCE = ["prepare_reference", "index_star"]


def test_reads_are_counted_as_on_one_machine_and_a_broken_library_is_told(running, profile, tmp_path):
    there, here = small_reads(tmp_path / "there"), small_reads(tmp_path / "here")
    finish(start(running, there, profile, "--", *FACTS))
    jobs = running.finished_jobs(there)
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == len(ONCE) + len(SUBMISSIONS) * len(FACTS), jobs
    snakemake(here, *LOCAL, *FACTS, check=True)
    for name in (*FACTS, "results/counts/d02_b1.tsv", "results/counts/truncated.tsv"):
        assert (there / name).read_bytes() == (here / name).read_bytes(), name
    sound, truncated = (json.loads((there / name).read_text()) for name in FACTS)
    assert sound["assigned_pct"] > 50 and "truncated" in json.dumps(truncated)
