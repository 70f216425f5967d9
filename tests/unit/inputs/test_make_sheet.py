"""A sheet from a folder: right mates, lanes and samples for every way of naming FASTQ files, and no file lost."""

import csv
import gzip
import subprocess
import sys
from collections import defaultdict

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rna2model.core.errors import InputProblem
from rna2model.inputs import fastq_names, make_sheet, new_project, sheet
from rna2model.planning import preflight
from tests.faults.project import FASTA, GTF

NAMES = st.from_regex(r"[A-Z][A-Za-z0-9]{0,5}(-[A-Z][0-9]{1,3}x)?", fullmatch=True)
# How each writes sample, lane and mate; `lanes`: whether there may be several.
WITH_LANES = {
    "bcl2fastq": "{sample}_S{number}_L00{lane}_R{mate}_001.fastq.gz",
    "bcl-convert, by run": "run{lane}/{sample}_S{number}_R{mate}_001.fastq.gz",
    "flowcells": "HXX{lane}/{sample}_S{number}_L001_R{mate}_001.fastq.gz",
    "lanes": "{sample}_L00{lane}_R{mate}.fastq.gz",
    "lane last": "{sample}_R{mate}_L00{lane}.fastq.gz",
    "MGI": "V30012_L0{lane}_{sample}_{mate}.fq.gz",
    "Novogene": "{sample}_FKRNA2102{number}-1A_HXX7DSX2_L{lane}_{mate}.fq.gz",
}
WITHOUT_LANES = {
    "R1": "{sample}_R{mate}.fastq.gz",
    "dot R1": "{sample}.R{mate}.fq.gz",
    "dash R1": "{sample}-R{mate}.fastq",
    "number": "{sample}_{mate}.fq.gz",
    "read1": "{sample}.read{mate}.fastq.gz",
    "r1": "{sample}_r{mate}.fq",
    "R1 in the middle": "{sample}.R{mate}_all.fq.gz",
    "clean": "{sample}_{mate}.clean.fq.gz",
    "Trim Galore": "{sample}_R{mate}_val_{mate}.fq.gz",
    "folder": "{sample}/R{mate}.fastq.gz",
    "folder of fastq": "{sample}/fastq/{mate}.fq.gz",
    "forward": "{sample}_{direction}.fastq.gz",
}
SINGLE = {"single": "{sample}.fastq.gz", "R1 only": "{sample}_R1.fastq.gz", "SRA": "SRR{sample}.fastq.gz"}


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def rows(out):
    """{sample: [(R1, R2)]} of the sheet in `out`, which the workflow reads without a problem."""
    samples, problems = sheet.read(out / "samples.tsv")
    assert problems == []
    found = defaultdict(list)
    with (out / "samples.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[row["sample"]].append((row["fastq_1"], row["fastq_2"]))
    assert list(found) == list(samples)
    return found


def names_of(scheme, sample, number, lanes, mates):
    """[(R1, R2 or nothing)] of one sample as `scheme` writes them."""
    return [
        tuple(
            scheme.format(
                sample=sample, number=number, lane=lane, mate=m, direction=("forward", "reverse")[m - 1]
            )
            for m in mates
        )
        for lane in range(1, lanes + 1)
    ]


def distinct(names):
    """Names of samples that no rule about names changes."""
    return len({name.lower() for name in names}) == len(names) and not any(
        name.lower() in fastq_names.GENERIC
        or fastq_names.BARCODE.fullmatch(name)
        or fastq_names.not_reads(name)
        for name in names
    )


@pytest.mark.parametrize("scheme", [*WITH_LANES, *WITHOUT_LANES, *SINGLE])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True).filter(distinct), lanes=st.integers(1, 3))
def test_every_way_of_naming_comes_back_as_it_was(tmp_path_factory, scheme, names, lanes):
    folder = tmp_path_factory.mktemp("reads")
    pattern = {**WITH_LANES, **WITHOUT_LANES, **SINGLE}[scheme]
    if scheme == "SRA":
        names = [str(1000 + number) for number, _ in enumerate(names)]
    lanes, mates = lanes if scheme in WITH_LANES else 1, (1,) if scheme in SINGLE else (1, 2)
    wanted, after = {}, "_all" if scheme == "R1 in the middle" else ""
    for number, name in enumerate(names, start=1):
        sample = f"SRR{name}" if scheme == "SRA" else f"{name}{after}"
        wanted[sample] = names_of(pattern, name, number, lanes, mates)
        write(folder, *(file for lane in wanted[sample] for file in lane))
    text, complete = new_project.make(folder, folder)
    assert complete and "LEFT OUT" not in text
    assert rows(folder) == {
        sample: [(lane[0], lane[1] if len(lane) > 1 else "") for lane in found]
        for sample, found in wanted.items()
    }


# fmt: off
PIECES = st.sampled_from([
    "A", "a", "B 1", "ü", "é1", "SRR1", "R1", "_", "-", ".", "12", "001", "_S1", "_L001", "_L002", "_R1", "_R2", "_R3", "_001",
    "_1", "_2", "_3", "_I1", "Undetermined", "V300_L01_", "FK-1A_HX7_L1", ".clean", "_forward", "_reverse", "read1",
])
# fmt: on
ODD = st.tuples(
    st.sampled_from(["", "run1/", "run2/", "x/fastq/", ".hidden/", "~/", "#1/"]),
    st.lists(PIECES, min_size=1, max_size=5).map("".join),
    st.sampled_from([".fastq.gz", ".fq", ".fastq", ".fq.gz", ".fastq.bz2", ".FASTQ.GZ"]),
).map("".join)


@settings(max_examples=80, deadline=None)
@given(files=st.lists(ODD, min_size=1, max_size=12, unique=True))
def test_every_file_is_in_the_sheet_or_named_as_left_out(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("odd")
    write(folder, *files)
    try:
        text, _ = new_project.make(folder, folder)
        found = rows(folder)
    except InputProblem as problem:
        text, found = str(problem), {}
    used = [(folder / path).resolve() for lanes in found.values() for lane in lanes for path in lane if path]
    assert len(used) == len(set(used))
    left = [line[2:] for line in text.splitlines() if line.startswith(f"  {folder.resolve()}")]
    assert sorted([*map(str, used), *left]) == sorted(str((folder / file).resolve()) for file in files)
    for lanes in found.values():
        assert len({second == "" for _, second in lanes}) == 1


@pytest.mark.parametrize(
    ("files", "wanted", "why"),
    [
        (["A_R1.fastq.gz", "A_R1.fastq", "A_R2.fastq.gz"], {}, "2 files for mate 1 of one sample and lane"),
        (["x/A_R1.fq", "y/A_R1.fq", "B.fq"], {"B": [("B.fq", "")]}, "2 files for mate 1"),
        (["A_R1.fq", "A_L001_R1.fq", "B.fq"], {"B": [("B.fq", "")]}, "named in several ways"),
        (["A_R2.fq", "B.fq"], {"B": [("B.fq", "")]}, "R2 without its R1"),
        (
            ["A_S1_L001_R1_001.fq", "A_S1_L001_R2_001.fq", "A_S1_L002_R1_001.fq"],
            {"A": [("A_S1_L001_R1_001.fq", "A_S1_L001_R2_001.fq")]},
            "has no mate, while other files of sample A have one",
        ),
        ([f"A_S1_R{m}_001.fq" for m in (1, 2, 3)], {}, "there is a read 3, too"),
        ([f"WT_R{m}.fq" for m in (1, 2, 3)], {}, "are these samples of their own"),
        (["A.fastq.bz2", "B.fq"], {"B": [("B.fq", "")]}, "compress it with gzip"),
    ],
)
def test_what_could_be_taken_in_two_ways_is_left_out_and_said(tmp_path, files, wanted, why):
    write(tmp_path, *files)
    if not wanted:
        with pytest.raises(InputProblem, match=why):
            new_project.make(tmp_path, tmp_path)
        assert not (tmp_path / "samples.tsv").exists()
        return
    text, complete = new_project.make(tmp_path, tmp_path)
    assert not complete and why in text and rows(tmp_path) == wanted


def test_reads_left_over_by_fasterq_dump_are_no_lane(tmp_path):
    write(tmp_path, "SRR100.fastq.gz", "SRR100_1.fastq.gz", "SRR100_2.fastq.gz", "SRR101.fastq.gz")
    text, complete = new_project.make(tmp_path, tmp_path)
    assert complete and "unpaired reads that were left over" in text
    assert rows(tmp_path) == {
        "SRR100": [("SRR100_1.fastq.gz", "SRR100_2.fastq.gz")],
        "SRR101": [("SRR101.fastq.gz", "")],
    }


@pytest.mark.parametrize(
    "names", [["ctrl_1", "ctrl_2", "ctrl_3"], ["WT_01", "WT_02"], ["wt_L1", "wt_L2"], ["a_R1_x", "a_R2_y"]]
)
def test_numbered_replicates_are_no_mates(tmp_path, names):
    write(tmp_path, *(f"{name}.fq.gz" for name in names))
    new_project.make(tmp_path, tmp_path)
    assert list(rows(tmp_path)) == names


@pytest.mark.parametrize("second", ["@read7 x", "@read7", "read7", ""])
def test_two_numbered_samples_are_no_mates_where_their_reads_say_so(tmp_path, second):
    """ctrl_1 and ctrl_2 may be mates or samples; what cannot be read is for the run to judge."""
    for number, name in ((1, "@read1 x"), (2, second), (3, "@read1 y")):
        path = tmp_path / ("run/A_1.fq" if number == 3 else f"ctrl_{number}.fq")
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{name}\nACGT\n+\nIIII\n" if name else "")
    text, complete = new_project.make(tmp_path, tmp_path)
    wanted = {} if second.startswith("@") else {"ctrl": [("ctrl_1.fq", "ctrl_2.fq")]}
    assert rows(tmp_path) == wanted | {"A": [("run/A_1.fq", "")]}
    assert complete == bool(wanted) == ("no mates; rename them" not in text)


def test_the_barcode_of_another_flowcell_is_another_sample(tmp_path):
    write(tmp_path, *(f"{cell}_L0{lane}_12_{mate}.fq.gz" for cell in ("FP100", "FP200") for lane in (1, 2) for mate in (1, 2)))  # fmt: skip
    text, _ = new_project.make(tmp_path, tmp_path)
    assert "in several" not in text
    assert {name: len(lanes) for name, lanes in rows(tmp_path).items()} == {"FP100_12": 2, "FP200_12": 2}


@settings(max_examples=300)
@given(st.lists(st.text(min_size=1, max_size=120), min_size=1, max_size=6))
def test_mended_names_are_valid_and_told_apart(texts):
    """The same ones for the same texts, whatever they are."""
    samples = [make_sheet.FoundSample("", text) for text in dict.fromkeys(texts)]
    make_sheet._give_names(samples)
    pattern = sheet.schema("samples")["properties"]["sample"]["pattern"]
    assert all(sheet.re.fullmatch(pattern, sample.name) for sample in samples)
    assert len({sheet.sheet_text.alike(sample.name) for sample in samples}) == len(samples)
    again = [make_sheet.FoundSample("", sample.written) for sample in reversed(samples)]
    make_sheet._give_names(again)
    assert {s.written: s.name for s in again} == {s.written: s.name for s in samples}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["x/A_S1_R1_001.fq", "y/A_S1_R1_001.fq"], "one sample in several folders: A ("),
        (["V300_L01_A_1.fq", "V400_L01_A_1.fq"], "one sample in several flowcells: A (V300, V400)"),
        (
            ["A_FKRNA1-1A_HX7D_L1_1.fq", "A_FKRNA2-1A_HX7D_L1_1.fq"],
            "several libraries: A (FKRNA1-1A, FKRNA2-1A)",
        ),
    ],
)
def test_lanes_that_may_be_other_libraries_are_said(tmp_path, files, said):
    write(tmp_path, *files)
    text, _ = new_project.make(tmp_path, tmp_path)
    assert said in text and len(rows(tmp_path)["A"]) == 2


def test_batches_are_guessed_only_where_flowcells_or_lanes_divide_the_samples(tmp_path):
    def cells(*files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        write(folder, *files)
        return make_sheet.batches(make_sheet.find(folder)[0])

    novogene = "{}_FKRNA1-1A_{}_L1_1.fq"
    by_flowcell = [
        novogene.format(n, cell) for n, cell in zip("ABCD", ["HX1A", "HX1A", "HX2A", "HX2A"], strict=True)
    ]
    assert cells(*by_flowcell) == {"A": "HX1A", "B": "HX1A", "C": "HX2A", "D": "HX2A"}
    assert cells(*by_flowcell[:3]) is None  # a batch of one sample
    assert cells(*(novogene.format(n, "HX1A") for n in "ABCD")) is None
    assert cells(*(f"{n}_S1_L00{lane}_R1_001.fq" for n, lane in zip("ABCD", "1122", strict=True))) == dict(
        zip("ABCD", ["L001", "L001", "L002", "L002"], strict=True)
    )
    assert cells("x/A_R1.fq", "x/B_R1.fq", "y/C_R1.fq", "y/D_R1.fq") is None  # plain names tell of no run


def test_the_check_before_the_run_names_what_is_left_to_fill_in(tmp_path):
    """And nothing else: filled in, the project is sound."""
    write(tmp_path, *(f"reads/{name}_R{mate}.fq.gz" for name in "ABCD" for mate in (1, 2)))
    for path in (tmp_path / "reads").iterdir():
        path.write_bytes(gzip.compress(f"@{path.name[0]}\nACGTTGCA\n+\nIIIIIIII\n".encode()))
    new_project.make(tmp_path / "reads", tmp_path)

    def problems():
        return preflight.check(yaml.safe_load((tmp_path / "config.yaml").read_text()), [tmp_path])[2]

    assert [problem.split(" is missing")[0] for problem in problems()[:2]] == [
        "config: reference.fasta",
        "config: reference.gtf",
    ]
    assert len(problems()) == 3 and "column condition: classification needs at least two" in problems()[2]
    (tmp_path / "genome.fa").write_text(FASTA)
    (tmp_path / "genes.gtf").write_text(GTF)
    text = (tmp_path / "config.yaml").read_text()
    text = text.replace("fasta: null", "fasta: genome.fa").replace("gtf: null", "gtf: genes.gtf")
    (tmp_path / "config.yaml").write_text(text)
    table = pd.read_csv(tmp_path / "samples.tsv", sep="\t", dtype=str)
    table.assign(condition=["x", "x", "y", "y"]).to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
    assert problems() == []


def test_the_command_never_overwrites_and_its_end_says_what_happened(tmp_path, repository):
    def run(*arguments):
        command = [sys.executable, repository / "scripts" / "sheet.py", *arguments]
        return subprocess.run(list(map(str, command)), capture_output=True, text=True)

    reads, out = tmp_path / "my reads", tmp_path / "out"
    write(reads, "A_R1.fq.gz", "A_R2.fq.gz")
    done = run(reads, "--out", out)
    assert done.returncode == 0 and "1 sample: 1 paired-end" in done.stdout and "fill in" in done.stdout
    assert rows(out) == {"A": [("../my reads/A_R1.fq.gz", "../my reads/A_R2.fq.gz")]}
    before = (out / "samples.tsv").read_bytes()
    for file in ("samples.tsv", "config.yaml"):
        again = run(reads, "--out", out)
        assert again.returncode == 2 and "exists and stays as it is; name another folder" in again.stderr
        assert (out / "samples.tsv").read_bytes() == before if file == "samples.tsv" else True
        (out / "samples.tsv").unlink(missing_ok=True)
    write(reads, "B_R2.fq.gz")
    assert run(reads, "--out", tmp_path / "other").returncode == 1
    assert "is no folder" in run(tmp_path / "absent").stderr
