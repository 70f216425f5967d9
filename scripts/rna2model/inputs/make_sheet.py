"""Make a sample sheet and a short config from a folder of FASTQ files: mates and lanes are found by their names.

Every FASTQ file is either in the sheet or named as left out, with the reason. What could be taken in two ways is left out,
never merged: two files for one mate of a lane, or one sample named in several ways.
"""

from __future__ import annotations

import itertools
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import dnaio

from rna2model.core.errors import InputProblem
from rna2model.inputs import fastq_names, sheet_text
from rna2model.inputs.config import unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

LIKE_FASTQ = re.compile(r".*\.(fastq|fq)(\.(gz|bz2|xz|zst|zip))?", re.IGNORECASE)


@dataclass(frozen=True)
class LeftOut:
    """A file that is not in the sheet, and why; `expected`: the user need not look at it."""

    path: Path
    why: str
    expected: bool = False


@dataclass
class FoundSample:
    """One sample: its lanes as (R1, R2 or None), its name in the file names, and what tells its flowcell and lane."""

    name: str
    written: str
    lanes: list[tuple[Path, Path | None]] = field(default_factory=list)
    names: list[fastq_names.Name] = field(default_factory=list)  # Name of each lane

    @property
    def is_paired(self) -> bool:
        return self.lanes[0][1] is not None


def find(folder: str | Path) -> tuple[list[FoundSample], list[LeftOut]]:
    """(samples: list of FoundSample in natural order, left out: list of LeftOut) of the FASTQ files below `folder`.

    Raises InputProblem where there is no such folder, or a part of it cannot be read.
    """
    root = Path(os.path.realpath(folder))
    if not root.is_dir():
        raise InputProblem(f"{folder}: is no folder; name the one that holds the FASTQ files")
    files, left = [], []
    for path in _files(root):
        why, expected = _unusable(path, root)
        if why:
            left.append(LeftOut(path, why, expected))
        else:
            files.append(path)
    files, same = _without_repeated(files)
    by_sample = defaultdict(list)
    for path, name in _named(files, root):
        by_sample[name.sample].append((path, name))
    samples = []
    for written, members in by_sample.items():
        sample = FoundSample("", written)
        left += _gather(sample, members)
        if sample.lanes:
            samples.append(sample)
    _give_names(samples)
    left = sorted(left + same, key=lambda entry: _natural(str(entry.path)))
    return sorted(samples, key=lambda sample: _natural(sample.name)), left


def _files(root):
    """Every file below `root` whose name is that of a FASTQ file, in natural order; links to folders are followed once."""
    paths, seen = [], set()

    def fail(error):
        raise InputProblem(
            f"{error.filename}: cannot be read ({error.strerror}); what is in it would be missing"
        )

    for folder, folders, names in os.walk(root, followlinks=True, onerror=fail):
        place = os.path.realpath(folder)
        if place in seen:
            folders.clear()
            continue
        seen.add(place)
        folders.sort()
        paths += [Path(folder, name) for name in names if LIKE_FASTQ.fullmatch(name)]
    return sorted(paths, key=lambda path: _natural(str(path)))


def _natural(text):
    """Sorts sample2 before sample10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", text)], text


def _stem(path):
    return fastq_names.ENDING.sub("", path.name)


def _unusable(path, root):
    """(why a file cannot be in the sheet or an empty text, whether that is to be expected)."""
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return "hidden", True
    if why := fastq_names.not_reads(_stem(path)):
        return why, True
    if not fastq_names.ENDING.search(path.name):
        return "the sheet takes .fastq, .fq, .fastq.gz and .fq.gz: rename it, or compress it with gzip", False
    if why := unreadable(path):
        return why, False
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return "its path is not UTF-8 text: rename it", False
    if sheet_text.CONTROL.search(str(path)):
        return "its path has invisible characters: rename it", False
    return "", True


def _without_repeated(files):
    """(files, LeftOut of those that are another name of a file before)."""
    first, left = {}, []
    for path in files:
        status = path.stat()
        known = first.setdefault((status.st_dev, status.st_ino), path)
        if known != path:
            left.append(LeftOut(path, f"the same file as {known}", True))
    return list(first.values()), left


def _named(files, root):
    """(path, Name) of each file; names that are ambiguous alone are decided by the other names in the folder and the
    folder's name."""
    named = [(path, fastq_names.read(_stem(path))) for path in files]
    numbers, in_folder = defaultdict(set), defaultdict(set)
    for path, name in named:
        if name.scheme in fastq_names.ONLY_TOGETHER:
            numbers[path.parent, name.scheme, name.sample].add(name.mate)
        in_folder[path.parent].add((name.scheme, name.sample))
    for path, name in named:
        mate_numbers = numbers[path.parent, name.scheme, name.sample]
        if not mate_numbers <= {1, 2} or (name.scheme == "middle" and len(mate_numbers) == 1):
            name = fastq_names.Name("single", _stem(path), 0)  # A_1, A_2, A_3: no mates, but three samples
        alone = len(in_folder[path.parent]) == 1 and len(in_folder) > 1 and path.parent != root
        if not name.sample or (name.is_barcode and alone):
            name = replace(name, sample=_folder_name(path.parent, root))
        yield path, name


def _folder_name(folder, root):
    """The name of the nearest folder that is not a generic one such as `fastq` or `raw`."""
    while folder != root and folder.name.lower() in fastq_names.GENERIC:
        folder = folder.parent
    return folder.name or "sample"


def _gather(sample, members):
    """Add the lanes of `members`, [(path, Name)] of one sample; return what is left out."""
    paired = any(name.mate for _, name in members)
    orphans = [
        LeftOut(path, "unpaired reads that were left over beside the pairs (fasterq-dump), no lane", True)
        for path, name in members
        if name.scheme == "sra" and not name.mate and paired
    ]
    members = [(path, name) for path, name in members if path not in {orphan.path for orphan in orphans}]
    kinds = {(name.scheme, bool(name.lane)) for _, name in members}
    if len(kinds) > 1:
        why = f"files of sample {sample.written} are named in several ways: which of them hold its reads?"
        return orphans + [LeftOut(path, why) for path, _ in members]
    lanes = defaultdict(lambda: defaultdict(list))
    for path, name in members:
        run = path.parent if name.scheme in fastq_names.WITH_LANES else None
        lanes[run, name.flowcell, name.lane, name.part][name.mate].append((path, name))
    left, single, pairs = [], [], []
    for mates in lanes.values():
        files = [path for entries in mates.values() for path, _ in entries]
        names = [name for entries in mates.values() for _, name in entries]
        if why := _unpaired(mates):
            left += [LeftOut(path, why) for path in files]
        elif len(files) == 2:
            pairs.append(((mates[1][0][0], mates[2][0][0]), names[0]))
        else:
            single.append(((files[0], None), names[0]))
    if pairs and single:
        why = f"has no mate, while other files of sample {sample.written} have one"
        left += [LeftOut(lane[0], why) for lane, _ in single]
    for lane, name in sorted(pairs or single, key=lambda entry: _natural(str(entry[0][0]))):
        sample.lanes.append(lane)
        sample.names.append(name)
    return orphans + left


def _unpaired(mates):
    """Why the files of one lane, {mate: [(path, Name)]}, are no pair and no single-end file, or an empty text."""
    for mate, entries in mates.items():
        if len(entries) > 1:
            what = f"mate {mate}" if mate else "the reads"
            return f"{len(entries)} files for {what} of one sample and lane: " + ", ".join(
                str(path) for path, _ in entries
            )
    if set(mates) == {1, 2} and not _may_be_mates(mates):
        return "begin with reads of other names: no mates; rename them if they are samples of their own"
    if max(mates) > 2:
        return f"there is a read {max(mates)}, too: are these samples of their own, or which are the mates?"
    return "is R2 without its R1" if set(mates) == {2} else ""


def _may_be_mates(mates):
    """Whether files that a bare number tells apart (A_1, A_2) begin with the same read; True where that cannot be seen, for the
    run looks at every read."""
    (first, name), (second, _) = mates[1][0], mates[2][0]
    if name.scheme not in fastq_names.ONLY_TOGETHER:
        return True
    try:
        with dnaio.open(first) as one, dnaio.open(second) as two:
            reads = [read for file in (one, two) for read in itertools.islice(file, 1)]
    except (OSError, EOFError, ValueError, dnaio.FileFormatError):
        return True
    return len(reads) < 2 or reads[0].is_mate(reads[1])


def _give_names(samples):
    """Give samples names that are valid in the sheet and differ by more than case and leading zeros; valid names are
    kept."""
    taken = set()
    for sample in sorted(samples, key=lambda s: (fastq_names.mended(s.written) != s.written, s.written)):
        sample.name = fastq_names.mended(sample.written, taken)
        taken.add(sheet_text.alike(sample.name))


def batches(samples: Sequence[FoundSample]) -> dict[str, str] | None:
    """{sample: batch} by flowcell, run folder or lane, if that divides the samples into groups of two or more; else
    None."""
    runs = [
        {name.flowcell or str(lane[0].parent) for lane, name in zip(s.lanes, s.names, strict=True)}
        for s in samples
    ]
    known = all(name.scheme in fastq_names.WITH_LANES for sample in samples for name in sample.names)
    for values in (
        [[Path(run).name for run in sorted(values_of_sample)] for values_of_sample in runs],
        [sorted({f"L{name.lane}" for name in sample.names}) for sample in samples],
    ):
        cells = ["+".join(values_of_sample) for values_of_sample in values]
        distinct = len({cell.casefold() for cell in cells}) == len(set(cells)) > 1
        if known and distinct and all(cells.count(cell) > 1 for cell in cells):
            return {sample.name: cell for sample, cell in zip(samples, cells, strict=True)}
    return None
