"""Names of reads: libraries of any naming get one name for each fragment that all tools take the same way."""

import gzip
import re

import dnaio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.reads import fastq, lanes, read_names

IN_BAM = re.compile(
    r"[!-.0-?A-~]{1,254}"
)  # SAM specification, section 1.4, less the slash at which STAR ends a name
NAMINGS = {
    "Illumina": "A1:1:FLOW:1:1101:{n}:2000 {m}:N:0:ACGT",
    "Illumina before 1.8": "HWI:1:1:{n}:7#ACGT/{m}",
    "SRA": "SRR1.{n} {n} length=75",
    "fastq-dump -I": "SRR1.{n}.{m} {n} length=75",
    "underscore": "x{n}_{m}",
    "BGI": "V300012345L1C001R00100000{n}/{m}",
    "AVITI": "AV240101:run:2345:1:10102:{n}:0012 {m}:N:0:AAAA+CCCC",
    "failed": "A1:1:FLOW:1:1101:{n}:2000 {m}:Y:0:ACGT",
    "long": "x" * 230 + ":{n} {m}:N:0:ACGT",
    "slashes": "movie/{n}/ccs/{m}",
    "at sign": "run@{n}/{m}",
    "tab": "x{n}\t{m}",
}
ODD = {"fastq-dump -I", "underscore", "failed", "long", "slashes", "at sign", "tab"}


def write(folder, naming, count=12, mates=(1, 2), stem="s", first=0):
    paths = []
    for mate in mates:
        text = "".join(
            f"@{naming.format(n=first + number, m=mate)}\n{'AC' * mate}GT{'ACGT'[number % 4] * 40}\n+\n{'F' * (42 + 2 * mate)}\n"
            for number in range(count)
        )
        paths.append(folder / f"{stem}_R{mate}.fastq.gz")
        paths[-1].write_bytes(gzip.compress(text.encode()))
    return tuple(paths)


def look(lane, umi=False):
    named = read_names.Names(umi)
    fragments, problem = fastq.inspect([lane], fastq.Copies(), fastq.Evenly(0), named)
    assert problem is None
    return named, fragments


@pytest.mark.parametrize("mates", [(1, 2), (1,)], ids=["paired", "single"])
@pytest.mark.parametrize("naming", NAMINGS)
def test_names_that_tools_take_differently_are_written_anew(tmp_path, naming, mates):
    lane = write(tmp_path, NAMINGS[naming], mates=mates)
    named, fragments = look(lane)
    assert bool(named.odd) == (
        naming in ODD - ({"underscore", "fastq-dump -I"} if len(mates) == 1 else set())
    )
    assert named.failed == (fragments if naming == "failed" else 0)
    targets = [tmp_path / f"out_R{mate}.fastq.gz" for mate in mates]
    read_names.rewrite([lane], targets)
    written = [list(dnaio.open(target)) for target in targets]
    assert all(IN_BAM.fullmatch(record.name) for mate in written for record in mate)
    assert len({record.name for record in written[0]}) == fragments
    assert [r.name for r in written[0]] == [r.name for r in written[-1]]
    for mate, target in zip(lane, written, strict=True):
        assert [(r.sequence, r.qualities) for r in dnaio.open(mate)] == [
            (r.sequence, r.qualities) for r in target
        ]
    assert not look(tuple(targets))[0].odd


NAME = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=260)


@settings(max_examples=200, deadline=None)
@given(NAME, st.sampled_from(["/", "_", ".", ":", "-", "#", ""]), st.booleans(), st.integers(1, 10**9))
def test_any_name_with_any_mate_number_becomes_one_that_bam_can_hold(name, mark, umi, number):
    end = ":ACGTAC" if umi else ""
    names = {
        read_names.rewritten([f"{name}{end}{mark}{mate}" for mate in order], number, umi)
        for order in ((1, 2), (2, 1))
    }
    assert len(names) == 1 and IN_BAM.fullmatch(next(iter(names)))
    assert not umi or read_names.umi_of(next(iter(names))) == "ACGTAC"


def test_lanes_whose_names_count_from_one_keep_their_reads_apart(tmp_path):
    one, two = (write(tmp_path, "r{n}", stem=stem) for stem in ("a", "b"))
    assert lanes.share_names([one, two])
    targets = [tmp_path / f"out_R{mate}.fastq.gz" for mate in (1, 2)]
    read_names.rewrite([one, two], targets, repeated=True)
    assert len({record.name for record in dnaio.open(targets[0])}) == 24
    assert not lanes.share_names([one, write(tmp_path, "other{n}", stem="c")])


@pytest.mark.parametrize(
    ("naming", "words"),
    [
        ("A1:1:{n}:2000_ACGTAC", "do not end in a colon and a molecular identifier"),
        ("A1:1:{n}:2000", "do not end in a colon and a molecular identifier"),
        ("A1:1:{n}:ACGTNX", "do not end in a colon and a molecular identifier"),
        ("A1:1:2000:ACGT{n}", "do not end in a colon and a molecular identifier"),
    ],
)
def test_identifiers_that_names_do_not_have_are_a_problem_with_an_example(tmp_path, naming, words):
    named, fragments = look(write(tmp_path, naming + " {m}:N:0:ACGT"), umi=True)
    problem = named.problem_of(fragments)
    assert words in problem and "A1:1:" in problem


def test_identifiers_of_two_lengths_and_identifiers_that_are_one_are_a_problem(tmp_path):
    named = read_names.Names(umi=True)
    for umi in ("ACGTAC", "ACGTA"):
        named.add_name(f"x:{umi}")
    assert "have 6 and 5 letters: x:ACGTA" in named.problem_of(2)
    named, fragments = look(write(tmp_path, "x{n}:ACGTAC {m}:N:0:1", count=1200), umi=True)
    assert "an index, no molecular identifiers" in named.problem_of(fragments)


@pytest.mark.parametrize("end", ["ACGTAC", "ACG+TAC", "NACGTN"])
@pytest.mark.parametrize("mark", ["", "/{m}", ".{m}"])
def test_identifiers_stay_where_they_are_searched_for(tmp_path, end, mark):
    bases = "ACGT"
    lanes = []
    for mate in (1, 2):
        text = "".join(
            f"@x{n}:{end[:-1]}{bases[n % 4]}{mark.format(m=mate)} {mate}:N:0:1\n{'AC' * mate}GT{bases[n % 4] * 9}\n+\n{'F' * (11 + 2 * mate)}\n"
            for n in range(9)
        )
        lanes.append(tmp_path / f"u_R{mate}.fastq.gz")
        lanes[-1].write_bytes(gzip.compress(text.encode()))
    named, fragments = look(tuple(lanes), umi=True)
    assert named.problem_of(fragments) is None and bool(named.odd) == bool(mark)
    targets = [tmp_path / f"out_R{mate}.fastq.gz" for mate in (1, 2)]
    read_names.rewrite([tuple(lanes)], targets, umi=True)
    assert all(len(read_names.umi_of(record.name)) == len(end) for record in dnaio.open(targets[0]))


def test_exchanged_files_are_noted(tmp_path):
    for naming in ("x{n}/{m}", "x{n} {m}:N:0:ACGT"):
        named, fragments = look(write(tmp_path, naming, mates=(2, 1)))
        assert "exchanged in the sheet" in named.note(fragments)
        assert look(write(tmp_path, naming))[0].note(fragments) == ""


def test_a_lane_that_was_delivered_twice_is_named_however_it_was_packed(tmp_path):
    one = write(tmp_path, "A:{n} {m}:N:0:A", stem="a")
    other = write(tmp_path, "A:{n} {m}:N:0:A", stem="b", first=12)
    for stem, both_lanes, words in (
        ("again", [one, other, write(tmp_path, "A:{n} {m}:N:0:A", stem="again")], "a_R1"),
        ("merged", [write(tmp_path, "A:{n} {m}:N:0:A", count=24, stem="merged"), one, other], "merged_R1"),
    ):
        _, problem = fastq.inspect(both_lanes, fastq.Copies(), fastq.Evenly(0))
        assert "hold the same reads" in problem and stem in problem and words in problem
    assert fastq.inspect([one, other], fastq.Copies(), fastq.Evenly(0)) == (24, None)
