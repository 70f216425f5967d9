"""Alignment files in any state: each fragment is written once, and its lines know of each other."""

import collections
import random

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.reads import bam, mate_lines

GENOME = "".join(random.Random(1).choices("ACGT", k=2000))
CONTIGS = {"1": 1000, "2": 1000}
HEADER = "@HD\tVN:1.6\n@SQ\tSN:1\tLN:1000\n@SQ\tSN:2\tLN:1000\n"
KINDS = (
    "pair",
    "half",
    "unaligned",
    "failed",
    "two_primary",
    "secondary",
    "supplementary",
    "lone_r1",
    "lone_r2",
    "single",
)
EACH = {kind: 2 for kind in KINDS} | {"lone_r1": 1, "lone_r2": 1, "single": 1}  # reads that stay


def line(name, flag, chromosome="1", place=1, mate=("*", 0), bases="ACGT" * 5, tags="NH:i:1"):
    where = ("*", 0, 0, "*") if flag & 4 else (chromosome, place, 60, f"{len(bases)}M")
    return "\t".join(map(str, [name, flag, *where, *mate, 0, bases, "I" * len(bases), tags])) + "\n"


def lines(kind, name, rng):
    place, bases = rng.randrange(1, 900), ["".join(rng.choices("ACGT", k=20)) for _ in range(2)]

    def pair(first, second, start, tags="NH:i:1", extra=0):
        return [
            line(name, first | extra, "1", start, ("=", start + 30), bases[0], tags),
            line(name, second | extra, "1", start + 30, ("=", start), bases[1], tags),
        ]

    if kind == "half":  # as STAR writes it
        return [
            line(name, 73, "1", place, ("*", 0), bases[0]),
            line(name, 133, bases=bases[1], mate=("1", place)),
        ]
    if kind == "unaligned":
        return [line(name, 77, bases=bases[0]), line(name, 141, bases=bases[1])]
    if kind == "two_primary":
        return pair(99, 147, place, "NH:i:2\tHI:i:1") + pair(
            99, 147, (place + 500) % 900 + 1, "NH:i:2\tHI:i:2"
        )
    if kind in ("lone_r1", "lone_r2"):
        return [pair(99, 147, place)[kind == "lone_r2"]]
    if kind == "single":
        return [line(name, 0, "2", place, bases=bases[0])]
    more = {"secondary": 0x100, "supplementary": 0x800}.get(kind)
    records = pair(99, 147, place, extra=0x200 if kind == "failed" else 0)
    return records + (pair(99, 147, (place + 400) % 900 + 1, extra=more) if more else [])


def bring(folder, text, umi=False):
    (folder / "s.sam").write_text(HEADER + text)
    (folder / "genome.fa").write_text(f">1\n{GENOME[:1000]}\n>2\n{GENOME[1000:]}\n")
    problem, summary = bam.take_over(
        folder / "s.sam", folder / "out.bam", CONTIGS, folder / "genome.fa", umi=umi
    )
    with pysam.AlignmentFile(folder / "out.bam") as file:
        return problem, summary, list(file.fetch(until_eof=True))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_each_fragment_is_there_once_whatever_the_file_holds(tmp_path_factory, kinds, rng):
    folder = tmp_path_factory.mktemp("lines")
    text = [row for number, kind in enumerate(kinds) for row in lines(kind, f"r{number}:{kind}", rng)]
    rng.shuffle(text)
    problem, summary, kept = bring(folder, "".join(text))
    assert problem is None
    assert (summary["fragments"], summary["mapped"]) == (len(kinds), len(kinds) - kinds.count("unaligned"))
    assert collections.Counter(read.query_name for read in kept) == {
        f"r{number}:{kind}": EACH[kind] for number, kind in enumerate(kinds)
    }
    assert summary["repeated_primary"] == kinds.count("two_primary")
    assert summary["failed_filter"] == kinds.count("failed")
    assert summary["mates_missing"] == kinds.count("lone_r1") + kinds.count("lone_r2")
    paired = set(kinds) != {"single"}
    assert summary["single_reads"] == (kinds.count("single") if paired else 0)
    ends = {(read.query_name, read.is_read2): read for read in kept}
    for (name, second), read in ends.items():
        assert read.is_paired == paired and not read.flag & (
            mate_lines.SECONDARY | mate_lines.FAILED | mate_lines.SUPPLEMENTARY
        )
        mate = ends.get((name, not second))
        if paired:
            assert read.mate_is_unmapped == (mate is None or mate.is_unmapped)
        if mate and not mate.is_unmapped:
            assert (read.next_reference_id, read.next_reference_start) == (
                mate.reference_id,
                mate.reference_start,
            )
            assert read.mate_is_reverse == mate.is_reverse


def test_two_pairs_of_one_name_stay_two(tmp_path):
    rng = random.Random(3)
    problem, summary, kept = bring(tmp_path, "".join(lines("pair", "same", rng) + lines("pair", "same", rng)))
    assert (
        problem is None and summary["fragments"] == 2 and len(kept) == 4 and summary["repeated_primary"] == 0
    )
    for read in kept:
        assert abs(read.next_reference_start - read.reference_start) == 30


def test_equal_places_are_chosen_evenly_and_always_alike(tmp_path):
    rng = random.Random(5)
    text = [
        row
        for n in range(400)
        for place, hit in ((100, 1), (600, 2))
        for row in (
            line(f"r{n}", 99, "1", place, ("=", place + 30), "ACGTT" * 4, f"NH:i:2\tHI:i:{hit}"),
            line(f"r{n}", 147, "1", place + 30, ("=", place), "GGCTT" * 4, f"NH:i:2\tHI:i:{hit}"),
        )
    ]
    chosen = []
    for _ in range(2):
        rng.shuffle(text)
        kept = bring(tmp_path, "".join(text))[2]
        chosen.append({(read.query_name, read.is_read2): read.reference_start for read in kept})
    assert chosen[0] == chosen[1] and len(chosen[0]) == 800
    low = sum(start < 500 for start in chosen[0].values()) / 2
    assert 150 < low < 250 and all(
        chosen[0][name, True] - chosen[0][name, False] == 30 for name, _ in chosen[0]
    )


@pytest.mark.parametrize("mark", ["/", "_", "."])
@pytest.mark.parametrize("flags", [(99, 147), (0, 16)], ids=["paired", "aligned one by one"])
def test_mates_that_are_named_apart_are_one_fragment(tmp_path, mark, flags):
    if flags == (0, 16) and mark != "/":
        pytest.skip("only /1 and /2 say for sure that single reads are mates")
    text = [
        line(f"r{n}{mark}{mate}", flag, "1", 100 + 30 * mate, bases="ACGT" * mate)
        for n in range(5)
        for mate, flag in enumerate(flags, start=1)
    ]
    problem, summary, kept = bring(tmp_path, "".join(text))
    assert (
        problem is None
        and summary["fragments"] == 5
        and {read.query_name for read in kept} == {f"r{n}" for n in range(5)}
    )
    assert all(read.is_paired for read in kept) and summary["mates_missing"] == 0


def test_single_reads_that_all_are_first_mates_stay_single(tmp_path):
    problem, summary, kept = bring(tmp_path, "".join(line(f"r{n}/1", 0, place=1 + n) for n in range(5)))
    assert problem is None and summary["fragments"] == 5 and not any(read.is_paired for read in kept)


def test_identifiers_that_the_names_lack_are_a_problem(tmp_path):
    problem, summary, _ = bring(tmp_path, line("r1:2000", 0), umi=True)
    assert "do not end in a colon and a molecular identifier" in problem and summary["fragments"] == 0


def test_a_cram_of_another_genome_is_told(tmp_path):
    bring(tmp_path, "".join(lines("pair", "r", random.Random(1))))
    pysam.view(
        "-C",
        "-T",
        str(tmp_path / "genome.fa"),
        "-o",
        str(tmp_path / "s.cram"),
        str(tmp_path / "s.sam"),
        catch_stdout=False,
    )
    other = tmp_path / "other.fa"
    other.write_text(f">1\n{'ACGT'['CGTA'.index(GENOME[0])]}{GENOME[1:1000]}\n>2\n{GENOME[1000:]}\n")
    for genome, words in (
        (tmp_path / "genome.fa", None),
        (other, "CRAM made with another genome: the bases of 1 differ"),
    ):
        problem, summary = bam.take_over(tmp_path / "s.cram", tmp_path / "out.bam", CONTIGS, genome)
        assert (problem is None and summary["fragments"] == 1) if words is None else words in problem
