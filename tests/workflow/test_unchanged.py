"""What is planned where files have other dates or places, or are gone, and hold what they held."""

import contextlib
import ctypes
import os
import shutil
import struct
import time

import pytest
import yaml

from rna2model.core import seen_files
from tests.conftest import snakemake
from tests.workflow import faked
from tests.workflow.test_incremental import TRAINING, planned

IN_OPEN, IN_ISDIR = 0x20, 0x40000000  # linux/inotify.h
LARGE = 1_100_000  # bytes; beyond what Snakemake compares of itself
NEW = "s00004"  # the sample without a label


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Four labelled samples and one without a label, which look done; the reads of one are large."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    reads = faked.write(folder, 4)
    faked.add(folder, [NEW], reads, labelled=False, more=True)
    path = folder / "reads/s00001_R1.fastq.gz"
    path.write_bytes(path.read_bytes() + bytes(LARGE))
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"models": ["logistic_l2"], "samples": "samples.tsv", "evaluation": {"folds": 2}, "design": {}}
    config["design"] = {"target": "condition"}
    config |= {"reference": {"fasta": "genome.fa", "gtf": "annotation.gtf"}, "expression": {}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    faked.finish(folder)
    return folder


@pytest.fixture
def moved(finished, tmp_path):
    """The project in another folder; its files keep their dates."""
    return shutil.copytree(finished, tmp_path / "moved")


def in_sheet(folder, old, new):
    path = folder / "samples.tsv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def dated_today(folder):
    for path in ("genome.fa", "annotation.gtf", "samples.tsv", "reads/s00001_R1.fastq.gz"):
        (folder / path).touch()


def copied_anew(folder):
    path = folder / "reads/s00001_R1.fastq.gz"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def found_elsewhere(folder):
    """A large and a small file; the copies have today's date."""
    (folder / "archive").mkdir()
    for name in ("s00001_R1", "s00002_R2"):
        shutil.copyfile(folder / f"reads/{name}.fastq.gz", folder / f"archive/{name}_copy.fastq.gz")
        (folder / f"reads/{name}.fastq.gz").unlink()
        in_sheet(folder, f"reads/{name}.fastq.gz", f"archive/{name}_copy.fastq.gz")


def archived(folder):
    for path in (folder / "reads").glob("s0000[12]*"):
        path.unlink()


def replaced(folder):
    """Of the same size, with another end."""
    path = folder / "reads/s00001_R1.fastq.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def masked(folder):
    """A genome of the same size and ends."""
    path = folder / "genome.fa"
    text = path.read_text()
    middle = len(text) // 2
    path.write_text(text[:middle] + text[middle : middle + 500].lower() + text[middle + 500 :])


def new_lane(sample):
    def add(folder):
        for mate in (1, 2):
            content = (folder / f"reads/{sample}_R{mate}.fastq.gz").read_bytes()
            (folder / f"reads/lane2_R{mate}.fastq.gz").write_bytes(content[::-1])
        path = folder / "samples.tsv"
        row = next(line for line in path.read_text().splitlines() if line.startswith(sample))
        path.write_text(path.read_text() + row.replace(f"reads/{sample}", "reads/lane2") + "\n")

    return add


@pytest.mark.parametrize("change", [None, dated_today, copied_anew, found_elsewhere, archived])
def test_what_holds_the_same_plans_nothing(moved, change):
    if change:
        change(moved)
    assert planned(moved) == {}


@pytest.mark.parametrize(
    ("change", "samples", "trains"),
    [
        pytest.param(replaced, 1, True, id="other reads of the same size"),
        pytest.param(new_lane(NEW), 1, False, id="a lane of a sample without label"),
        pytest.param(new_lane("s00003"), 1, True, id="a lane of a labelled sample"),
        pytest.param(masked, 5, True, id="a genome of the same size and ends"),
    ],
)
def test_what_holds_something_else_runs_what_depends_on_it(moved, change, samples, trains):
    change(moved)
    jobs = planned(moved)
    assert {jobs.get(rule) for rule in ("align_star", "count_featurecounts", "tally_fragments")} == {samples}
    assert jobs["prepare_reads"] == samples and "build_cohort" in jobs
    assert bool(TRAINING & set(jobs)) == trains


def test_a_run_that_needs_archived_reads_names_sample_and_reason(moved):
    archived(moved)
    assert (
        "files of reads of 2 samples are not there (s00001, s00002)"
        in snakemake(moved, "-n", check=True).text
    )
    config = yaml.safe_load((moved / "config.yaml").read_text())
    (moved / "config.yaml").write_text(yaml.safe_dump(config | {"trimming": {"min_length": 25}}))
    text = snakemake(moved, "-n", check=False).text
    assert (
        "reads/s00001_R1.fastq.gz, reads/s00001_R2.fastq.gz (to run again: trim_fastp, params have changed"
        in text
    )
    assert "s00002: " in text and "s00003" not in text and "Traceback" not in text
    (moved / "config.yaml").write_text(yaml.safe_dump(config))
    (moved / "results/counts/s00001.tsv").unlink()
    text = snakemake(moved, "-n", check=False).text
    assert "row 3, column fastq_1: no such file" in text and "row 4" not in text


def test_absolute_paths_below_the_folder_name_the_same_results(moved):
    """In the config, as after `make demo`, and as targets."""
    config = yaml.safe_load((moved / "config.yaml").read_text())
    absolute = {"results": str(moved / "results"), "samples": str(moved / "samples.tsv")}
    (moved / "config.yaml").write_text(yaml.safe_dump(config | absolute))
    assert planned(moved) == {}
    assert "Nothing to be done" in snakemake(moved, "-n", str(moved / "results/samples.tsv"), check=True).text


@contextlib.contextmanager
def opened_files(folder):
    """A list of the names of files in `folder` that any process opens meanwhile (inotify; complete at the end)."""
    libc, opened = ctypes.CDLL(None, use_errno=True), []
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0 and libc.inotify_add_watch(watch, os.fsencode(folder), IN_OPEN) >= 0
    try:
        yield opened
        with contextlib.suppress(BlockingIOError):
            while data := os.read(watch, 1 << 20):
                while data:
                    _, mask, _, length = struct.unpack_from("iIII", data)
                    name = data[16 : 16 + length].rstrip(b"\0").decode()
                    opened += [name] if name and not mask & IN_ISDIR else []
                    data = data[16 + length :]
    finally:
        os.close(watch)


def test_a_later_start_opens_no_reads(moved):
    """Reads of a new date, too, once a start found that they hold what they held."""
    for path in (moved / "reads").iterdir():
        path.touch()
    time.sleep(seen_files.TICK)
    with opened_files(moved / "reads") as first:
        assert planned(moved) == {}
    assert len(set(first)) == 2 * 5  # mates and samples of the sheet
    with opened_files(moved / "reads") as later:
        assert planned(moved) == {}
    assert later == []
