"""FASTQ files: each kind of damage becomes a verdict a person understands, never an exception."""

import gzip
import itertools
import re

import dnaio
import numpy as np
import pytest

from rna2model.reads import fastq as reads


def record(number, mate=1, bases="ACGTACGT", qualities=None):
    return f"@read{number} {mate}:N:0\n{bases}\n+\n{qualities or 'I' * len(bases)}\n"


def fastq(count, mate=1):
    return "".join(record(number, mate) for number in range(count)).encode()


@pytest.fixture
def pair(tmp_path):
    """Write R1 and R2 from bytes, gzipped; returns one lane."""

    def write(one, two, packed=True):
        paths = tmp_path / "s_R1.fastq.gz", tmp_path / "s_R2.fastq.gz"
        for path, content in zip(paths, (one, two), strict=True):
            path.write_bytes(gzip.compress(content) if packed else content)
        return paths

    return write


def test_a_good_library_is_counted_in_fragments(pair):
    assert reads.inspect([pair(fastq(5), fastq(5, 2))], reads.Copies(), reads.Evenly(0)) == (5, None)


def test_a_truncated_gzip_is_named_with_the_reads_before_it(pair):
    lane = pair(fastq(5000), fastq(5000, 2))
    lane[0].write_bytes(lane[0].read_bytes()[:-300])
    count, problem = reads.inspect([lane], reads.Copies(), reads.Evenly(0))
    assert problem.startswith("truncated gzip: s_R1.fastq.gz") and 0 < count < 5000


@pytest.mark.parametrize(("one", "two"), [(5, 7), (7, 5)])
def test_mates_of_unequal_number_are_named(pair, one, two):
    _, problem = reads.inspect([pair(fastq(one), fastq(two, 2))], reads.Copies(), reads.Evenly(0))
    assert problem.startswith("R1 and R2 have different numbers of reads")


def test_mates_of_other_names_are_named(pair):
    other = fastq(5, 2).replace(b"@read", b"@else")
    _, problem = reads.inspect([pair(fastq(5), other)], reads.Copies(), reads.Evenly(0))
    assert "names differ" in problem


@pytest.mark.parametrize(
    "content",
    [b"not fastq at all\n", record(1, qualities="I").encode(), b"@read1\nACGT\n", b"\x00\x01\x02" * 50],
    ids=["text", "quality of other length", "cut record", "binary"],
)
def test_what_is_not_fastq_is_named(pair, content):
    _, problem = reads.inspect([pair(content, content)], reads.Copies(), reads.Evenly(0))
    assert problem is not None


def test_a_damaged_gzip_is_named(pair):
    lane = pair(fastq(3000), fastq(3000, 2))
    damaged = bytearray(lane[1].read_bytes())
    damaged[len(damaged) // 2 : len(damaged) // 2 + 40] = b"\xff" * 40
    lane[1].write_bytes(bytes(damaged))
    _, problem = reads.inspect([lane], reads.Copies(), reads.Evenly(0))
    assert problem is not None


def test_an_empty_library_is_named(pair):
    assert reads.inspect([pair(b"", b"")], reads.Copies(), reads.Evenly(0)) == (
        0,
        "no reads in s_R1.fastq.gz, s_R2.fastq.gz",
    )


def test_copies_are_counted_over_the_whole_library_in_bounded_memory():
    copies = reads.Copies(most=2000)
    rng = np.random.default_rng(1)
    for molecule in rng.integers(0, 100_000, size=200_000):  # 2 copies of each on average, e^-2 have none
        copies.add((dnaio.SequenceRecord("r", f"{molecule:050d}"),))
    assert len(copies.counts) <= 2000
    assert copies.duplicate_pct() == pytest.approx(100 * (1 - (1 - np.exp(-2)) / 2), abs=2)


def test_a_pair_is_a_copy_only_if_both_mates_are(pair):
    def library(second):
        one = "".join(record(n, bases="ACGTACGT") for n in range(4)).encode()
        two = "".join(record(n, 2, bases=bases) for n, bases in enumerate(second)).encode()
        copies = reads.Copies()
        reads.inspect([pair(one, two)], copies, reads.Evenly(0))
        return copies.duplicate_pct()

    assert library(["AAAA", "CCCC", "GGGG", "TTTT"]) == 0
    assert library(["AAAA", "AAAA", "GGGG", "TTTT"]) == 25


@pytest.mark.parametrize("fragments, most", [(7, 10), (50, 7), (10, 10), (11, 10), (1000, 10), (1025, 64)])
def test_a_part_is_taken_evenly_from_the_whole_library(pair, tmp_path, fragments, most):
    part, targets = reads.Evenly(most), [tmp_path / "part_R1.fastq", tmp_path / "part_R2.fastq"]
    reads.inspect([pair(fastq(fragments), fastq(fragments, 2))], reads.Copies(), part)
    part.write(targets)
    taken = [list(dnaio.open(target)) for target in targets]
    numbers = [int(re.search(r"\d+", record.name).group()) for record in taken[0]]
    steps = {later - earlier for earlier, later in itertools.pairwise(numbers)}
    assert len(steps) == 1 and min(most // 2, fragments) <= len(numbers) <= most
    assert fragments - numbers[-1] <= steps.pop()
    assert [record.name.split(" ")[0] for record in taken[0]] == [
        record.name.split(" ")[0] for record in taken[1]
    ]


def tailed(bases, share, count=4000):
    """`count` reads of which a share ends in a run of `bases`."""
    rng = np.random.default_rng(2)
    for number in range(count):
        text = "".join(rng.choice(list("ACGT"), 30))
        yield record(number, bases=text + (bases * 15 if number < share * count else "ACTGACTGACTGACT"))


@pytest.mark.parametrize(
    ("bases", "share", "has_tails"),
    [("G", 0.3, True), ("G", 0.002, True), ("G", 0.0005, False), ("C", 0.3, False), ("A", 0.3, False)],
)
def test_tails_of_g_are_known_by_the_reads(tmp_path, bases, share, has_tails):
    path = tmp_path / "s.fastq"
    path.write_text("".join(tailed(bases, share)))
    shape = reads.Shape()
    assert reads.inspect([(path,)], reads.Copies(), reads.Evenly(0), shape=shape) == (4000, None)
    assert shape.has_poly_g() == has_tails and shape.longest == [45, 0]


def test_a_genome_that_has_as_many_tails_of_c_is_not_trimmed(tmp_path):
    path = tmp_path / "s.fastq"
    path.write_text("".join([*tailed("G", 0.1), *tailed("C", 0.1)]))
    shape = reads.Shape()
    reads.inspect([(path,)], reads.Copies(), reads.Evenly(0), shape=shape)
    assert shape.tails["G"] and not shape.has_poly_g()


@pytest.mark.parametrize(
    ("lowest", "highest", "comment", "old"),
    [
        (64, 104, "", True),  # Illumina 1.3 to 1.7, Q0 to Q40
        (59, 104, "", True),  # Solexa
        (66, 98, "", True),
        (63, 83, "", False),  # AVITI, Q30 to Q50
        (63, 83, " 1:N:0:ACGT", False),
        (64, 104, " 1:N:0:ACGT", False),  # whoever writes such comments has Phred+33
        (33, 104, "", False),
        (63, 126, "", False),  # of consensus reads
    ],
)
@pytest.mark.parametrize("late", [False, True])
def test_phred64_is_said_only_where_it_cannot_be_phred33(tmp_path, lowest, highest, comment, old, late):
    """`late`: one quality below the others, beyond the first reads."""
    rng, path = np.random.default_rng(4), tmp_path / "s.fastq"
    rows = [
        f"@r{n}{comment}\n{'ACGT' * 9}\n+\n{''.join(map(chr, [lowest, highest, *rng.integers(lowest, highest + 1, 34)]))}\n"
        for n in range(1500)
    ]
    if late:
        rows.append(f"@last{comment}\n{'ACGT' * 9}\n+\n{'#' * 36}\n")
    path.write_text("".join(rows))
    _, problem = reads.inspect([(path,)], reads.Copies(), reads.Evenly(0))
    assert (problem is not None and "Phred+64" in problem) == (old and not late)
