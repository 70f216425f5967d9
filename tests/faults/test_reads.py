"""Faults of FASTQ files: by the code that reads each file once, and all in one run beside good libraries, whose counts must
be those of a run without faults."""

import csv
import gzip

import pytest
import yaml

from rna2model.reads import fastq, lanes
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.faults.case import ACCEPTED, EXCLUDED
from tests.faults.catalogue import AREAS
from tests.faults.catalogue.readfiles import Library
from tests.faults.conftest import parameters
from tests.faults.project import bases
from tests.workflow.conftest import make_demo

CASES = AREAS["reads"]
BASE = "d02_b1"  # of the demo; its faulty copies are samples of one run
NEIGHBOURS = ("d02_b2", "d08_b1")


def library(pairs=120):
    """Random pairs; in letters that later steps would find nothing of."""
    names = [f"run:1:{number}" for number in range(pairs)]
    mates = [
        [(f"{name} {mate}:N:0", bases(75, [mate, i]), "F" * 60 + "#" * 15) for i, name in enumerate(names)]
        for mate in (1, 2)
    ]
    return Library(*mates)


def write(case, reads, folder, stem):
    """The files of a case as (R1,) or (R1, R2)."""
    case.inject(reads)
    lane = [
        (folder / f"{stem}_R{mate}{reads.ending}", file) for mate, file in enumerate(reads.files, start=1)
    ]
    lane = [(path, file) for path, file in lane if file is not None]
    for path, file in lane:
        path.write_bytes(file)
    return tuple(path for path, _ in lane)


@pytest.mark.parametrize("case", parameters(CASES))
def test_what_the_first_reading_says(case, tmp_path):
    lane = write(case, library(), tmp_path, "s")
    before = [path.read_bytes() for path in lane]
    fragments, problem = fastq.inspect([lane], fastq.Copies(), fastq.Evenly(100))
    targets = [tmp_path / f"out_{mate}.fastq.gz" for mate in range(len(lane))]
    lanes.join([lane], targets, good=problem is None)
    assert [path.read_bytes() for path in lane] == before
    if case.verdict:
        assert problem and case.verdict in problem and problem.isprintable() and len(problem) < 300
        assert "_R1." in problem or "_R2." in problem  # the file is named
        assert all(gzip.decompress(target.read_bytes()) == b"" for target in targets)
    else:
        assert problem is None
        lines = [gzip.decompress(target.read_bytes()).count(b"\n") for target in targets]
        assert all(abs(4 * fragments - count) <= 1 for count in lines)  # the last line may lack its end


def test_the_sound_library_is_sound(tmp_path):
    reads = library()
    paths = [tmp_path / f"s_R{mate}.fastq.gz" for mate in (1, 2)]
    for path, file in zip(paths, reads.files, strict=True):
        path.write_bytes(file)
    assert fastq.inspect([tuple(paths)], fastq.Copies(), fastq.Evenly(0)) == (120, None)


def records(path):
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    return [(lines[i][1:], lines[i + 1], lines[i + 3]) for i in range(0, len(lines), 4)]


class Run:
    """Rows of samples.tsv and columns of the count matrix, by sample."""

    def __init__(self, folder, rows):
        """Count the sheet's rows (sample, R1, R2) in `folder`."""
        lines = ["sample\tfastq_1\tfastq_2\tcondition"] + [
            "\t".join([*row, "ab"[i % 2]]) for i, row in enumerate(rows)
        ]
        (folder / "samples.tsv").write_text("\n".join(lines) + "\n")
        settings = {"samples": "samples.tsv", "results": "results"}
        settings["reference"] = {"fasta": "genome.fa", "gtf": "annotation.gtf"}
        settings["qc"] = {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
        run = snakemake(folder, *LOCAL, "results/counts/matrix.tsv.gz", check=True)
        assert "Traceback" not in run.text
        with open(folder / "results/samples.tsv", newline="") as file:
            self.samples = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
        with gzip.open(folder / "results/counts/matrix.tsv.gz", "rt") as file:
            names, *rows = [line.rstrip("\n").split("\t") for line in file]
        self.counts = {name: [row[place] for row in rows] for place, name in enumerate(names)}


def identifier(case):
    return "f" + "".join(letter if letter.isalnum() else "_" for letter in case.fault)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reads")
    make_demo(folder, "--pairs", "1500")
    return folder


def sheet_row(name, *lane):
    return [name, *map(str, lane), *[""] * (2 - len(lane))]


def good(folder):
    return [
        sheet_row(name, *(folder / f"reads/{name}_R{mate}.fastq.gz" for mate in (1, 2)))
        for name in (BASE, *NEIGHBOURS)
    ]


@pytest.fixture(scope="module")
def undisturbed(world):
    return Run(world, good(world))


@pytest.fixture(scope="module")
def disturbed(world, undisturbed, tmp_path_factory):
    """All faulty copies of one sample as samples of one run."""
    folder = tmp_path_factory.mktemp("faulty")
    for name in ("genome.fa", "annotation.gtf"):
        (folder / name).symlink_to(world / name)
    rows = good(world)
    for case in CASES:
        reads = Library(*(records(world / f"reads/{BASE}_R{mate}.fastq.gz") for mate in (1, 2)))
        rows.append(sheet_row(identifier(case), *write(case, reads, folder, identifier(case))))
    return Run(folder, rows)


@pytest.mark.slow
def test_good_samples_are_as_if_the_faulty_were_not_there(undisturbed, disturbed):
    for name in (BASE, *NEIGHBOURS):
        assert disturbed.samples[name]["status"] == "included"
        assert disturbed.counts[name] == undisturbed.counts[name]
    assert len(disturbed.samples) == len(CASES) + 3  # no sample is dropped without a word


@pytest.mark.slow
@pytest.mark.parametrize("case", parameters(CASES))
def test_what_becomes_of_the_sample(case, undisturbed, disturbed):
    row = disturbed.samples[identifier(case)]
    if case.outcome == EXCLUDED:
        assert row["status"] == "excluded" and case.message in row["reason"], row
        assert identifier(case) not in disturbed.counts
        return
    assert row["status"] == "included", row["reason"]
    assert case.message in row["flags"] and (case.outcome != ACCEPTED or row["flags"] == "")
    counts, expected = disturbed.counts[identifier(case)], undisturbed.counts[BASE]
    if case.exact:
        assert counts == expected
    else:
        total, wanted = sum(map(int, counts)), sum(map(int, expected))
        assert 0.9 * wanted < total <= 1.02 * wanted
