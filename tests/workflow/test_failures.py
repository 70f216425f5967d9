"""Jobs that die for reasons other than the data: the rest goes on, the failure is named, nothing is built on the hole."""

import subprocess

import pandas as pd
import pytest

from rna2model.simulate import demo
from tests.command import LOCAL, REPOSITORY

PAIRS = 20_000  # of the large library: its alignments outgrow a limit that its reads, and the others, keep
LIMIT = 1_500_000  # bytes of a file


@pytest.fixture
def one_too_large(tiny):
    """Four small libraries and a large one, and an index that is already there."""
    definition = demo.read_definition(REPOSITORY / "resources/demo/demo.yaml")
    definition["cohort"] |= {"donors": {"control": 1, "treated": 1}, "batches": {"b1": 1.0}}
    definition["cohort"] |= {"two_lanes": [], "faulty": {}, "new": []}
    definition["reads"]["pairs"] = PAIRS
    demo.make(definition, tiny.folder / "large")
    row = tiny.sheet.iloc[0].copy()
    row["sample"], row["fastq_1"], row["fastq_2"] = (
        "large",
        *(f"large/reads/d01_b1_R{mate}.fastq.gz" for mate in (1, 2)),
    )
    tiny.others = list(tiny.sheet["sample"])
    tiny.sheet = pd.concat([tiny.sheet, pd.DataFrame([row])])
    tiny(str(tiny.results / "reference/star"), *LOCAL, sheet=tiny.sheet, check=True)
    return tiny


def test_a_disk_that_is_full_for_one_sample_stops_that_sample_only(one_too_large):
    """A limit on the size of files stands for the disk: what writes beyond it is killed."""
    tiny = one_too_large
    limit = ["prlimit", f"--fsize={LIMIT}"]
    few = {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}
    failed = tiny("counts", *LOCAL, sheet=tiny.sheet, check=False, within=limit, qc=few)
    assert "rna2model: 1 job failed after all retries (sample, rule, log):" in failed.text
    assert "  large  align_star  results/logs/align_star/large.log" in failed.text
    assert failed.text.count("Error in rule align_star") == 3  # tried again, twice
    assert all((tiny.results / f"qc/{name}/{name}.json").is_file() for name in tiny.others)
    assert not (tiny.results / "aligned/star/large.bam").exists()
    for name in ("samples.tsv", "cohort.h5ad", "counts/matrix.tsv.gz"):
        assert not (tiny.results / name).exists()

    tiny("counts", *LOCAL, sheet=tiny.sheet, check=True, qc=few)
    status = (tiny.results / "samples.tsv").read_text().splitlines()
    assert len(status) == 6 and all("\tincluded\t" in line for line in status[1:])


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 12 MB of its own, as a folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(tiny, small_disk):
    target = f"{small_disk}/results/reference/star"
    failed = tiny(target, *LOCAL, "--retries", "0", check=False, results=f"{small_disk}/results")
    assert "The disk of " in failed.text and "is full" in failed.text, failed.text[-3000:]
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    tiny(target, *LOCAL, check=True, results=f"{small_disk}/results")


def test_an_output_folder_that_cannot_be_written_stops_the_run_before_any_job(tiny, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    failed = tiny("counts", *LOCAL, check=False, results=f"{small_disk}/results")
    assert f"results: {small_disk} cannot be written" in failed.text and "Traceback" not in failed.text
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert "problem" not in tiny("counts", *LOCAL, "-n", check=True, results=f"{small_disk}/results").text
