"""Molecules by umi_tools: what it forgets of pairs is put back, and what it says when it fails is told."""

import os
import random

import pysam
import pytest

from rna2model.core.errors import ToolFailed
from rna2model.planning import preflight
from rna2model.reads import umi

HEADER = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:1\tLN:2000\n@SQ\tSN:2\tLN:2000\n"
BASES = "ACGT" * 10


@pytest.fixture(autouse=True)
def own_tools(monkeypatch):
    monkeypatch.setenv("PATH", os.environ["PATH"])  # as it was, afterwards
    preflight.find_own_tools()


def line(name, flag, place, mate):
    where = ("*", 0, 0, "*") if place is None else (*place, 60, "40M")
    beside = ("*", 0) if mate is None else mate
    return "\t".join(map(str, [name, flag, *where, *beside, 0, BASES, "I" * 40, "NH:i:1"])) + "\n"


def pairs(rng):
    """{kind: lines of one pair}, each of a molecule of its own: an identifier and a place."""
    start = rng.randrange(1, 1500)
    one, two, far = ("1", start), ("1", start + 60), ("2", start)
    kinds = {
        "both": (99, one, two, 147, two, one),
        "first": (73, one, None, 133, None, one),
        "second": (153, two, None, 101, None, two),
        "forth": (65, one, far, 129, far, one),
        "back": (65, far, one, 129, one, far),
        "none": (77, None, None, 141, None, None),
    }
    lines_by_kind = {}
    for kind, fields in kinds.items():
        name = f"{kind}:{''.join(rng.choices('ACGT', k=10))}"
        lines_by_kind[kind] = [line(name, *fields[:3]), line(name, *fields[3:])]
    return lines_by_kind


def bam(folder, text):
    (folder / "s.sam").write_text(HEADER + text)
    pysam.sort("-o", str(folder / "s.bam"), str(folder / "s.sam"))
    pysam.index(str(folder / "s.bam"))
    return folder / "s.bam"


@pytest.mark.parametrize("seed", range(3))
def test_each_molecule_is_kept_once_with_all_its_aligned_mates(tmp_path, seed):
    rng, text = random.Random(seed), []
    for number in range(30):
        for kind, lines in pairs(rng).items():
            for copy in range(rng.randrange(1, 4)):
                text += [row.replace(f"{kind}:", f"{kind}:{number}:{copy}:", 1) for row in lines]
    source, target = bam(tmp_path, "".join(text)), tmp_path / "kept.bam"
    kept = umi.deduplicate(source, target, True, ":", tmp_path)
    assert kept == 30 * 5
    ends = {}
    with pysam.AlignmentFile(target) as file:
        for read in file.fetch(until_eof=True):
            if not read.is_unmapped:
                ends.setdefault(read.query_name, []).append(read.is_read2)
    assert len(ends) == kept
    for name, mates in ends.items():
        kind = name.split(":")[0]
        assert sorted(mates) == {"first": [False], "second": [True]}.get(kind, [False, True]), name


def test_single_reads_and_an_empty_library(tmp_path):
    text = "".join(line(f"r{n}:{'ACGT'[n // 3] * 8}", 0, ("1", 5 + 50 * (n // 3)), None) for n in range(12))
    assert umi.deduplicate(bam(tmp_path, text), tmp_path / "kept.bam", False, ":", tmp_path) == 4
    assert umi.deduplicate(bam(tmp_path, ""), tmp_path / "kept.bam", False, ":", tmp_path) == 0


def test_a_failure_is_told_in_the_words_of_the_tool(tmp_path, monkeypatch):
    tool = tmp_path / "bin/umi_tools"
    tool.parent.mkdir()
    tool.write_text(
        "#!/bin/sh\necho noise >&2\necho 'AssertionError: not all umis are the same length' >&2\nexit 1\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    with pytest.raises(ToolFailed, match=r"^AssertionError: not all umis are the same length$"):
        umi.deduplicate(bam(tmp_path, ""), tmp_path / "kept.bam", False, ":", tmp_path)
    tool.write_text("#!/bin/sh\nkill -9 $$\n")
    with pytest.raises(ToolFailed, match=r"^Killed by signal 9$"):
        umi.deduplicate(bam(tmp_path, ""), tmp_path / "kept.bam", False, ":", tmp_path)
