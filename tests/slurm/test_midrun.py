"""What users do to a project while its jobs wait in the queue."""

import time

import pytest

from tests.slurm import cluster
from tests.slurm.runs import finish, small_reads, start

pytestmark = pytest.mark.skipif(bool(cluster.missing()), reason=f"no SLURM here: {cluster.missing()}")


def test_a_row_a_moved_file_and_a_new_config_change_nothing_of_a_run(running, profile, tmp_path):
    """All of it happens as the first job starts; jobs of this sample, of the cohort and groups of jobs come after it."""
    folder = small_reads(tmp_path / "project")
    counts = folder / "results/counts/d02_b1.tsv"
    run = start(running, folder, profile, "--", "results/counts/d02_b1.tsv", "results/qc/d02_b1/d02_b1.json")
    log = folder / "results/logs/prepare_reads/d02_b1.log"
    while not log.exists() and run.poll() is None:
        time.sleep(0.2)
    with open(folder / "samples.tsv", "a") as sheet:
        sheet.write("late\treads/late_R1.fastq.gz\treads/late_R2.fastq.gz\tauto\ttreated\tb1\td99\n")
    (folder / "reads/d08_b1_R1.fastq.gz").rename(tmp_path / "archived.fastq.gz")
    (folder / "config.yaml").write_text("samples: [not a config")
    finish(run)
    assert counts.stat().st_size > 0
