"""Whether the content of a file is unchanged, whatever its date and path."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import seen_files
from rna2model.core.files import alike, checksum
from rna2model.core.paths import below

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

SMALL = 1_000_000  # bytes; up to here Snakemake reads all of a file, too
# Reads and alignments: compressed data of gigabytes, which differ in size or at their ends. Anything else is read to its end:
# a masked genome has the size and the ends of the plain one, and a corrected cell changes no more of a matrix.
READS = (".fastq", ".fq", ".fastq.gz", ".fq.gz", ".fastq.bz2", ".fq.bz2", ".bam", ".cram", ".sam")
IN_FOLDER = 1 << 26  # bytes; larger files of a folder, such as the suffix array of an index, by their ends


def of(path: str | os.PathLike[str]) -> str | None:
    """Fingerprint (text) that is equal for files or folders of equal content; None if the path cannot be read."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return _of_folder(path)
        return (
            _of_file(str(path), status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
        )
    except OSError:
        return None


@lru_cache(100_000)
def _of_file(path: str, size: int, changed: int, most: int | None = None) -> str | None:
    """`changed` is part of the cache's key: an input is read once, not for each output of each job that used it."""
    if size > SMALL and (path.endswith(READS) or (most and size > most)):
        return seen_files.answer("ends", path, _ends, certain=True)
    return seen_files.answer("content", path, lambda file: f"sha256:{checksum(file)}", certain=True)


def _ends(path):
    ends = alike(path, 1 << 20)
    return ends and "ends:{}-{}".format(*ends)


def _of_folder(path: str | os.PathLike[str]) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for file in Path(path).rglob("*") if file.is_file()):
        status = file.stat()
        content = _of_file(str(file), status.st_size, status.st_mtime_ns, IN_FOLDER)
        digest.update(f"{file.relative_to(path).as_posix()}\t{content}\n".encode())
    return f"folder:{digest.hexdigest()}"


def same_inputs(
    before: Sequence[str],
    now: Iterable[str],
    recorded: Mapping[str, str | None],
    folder: str | Path,
    content: Callable[[str], str | None] = of,
) -> bool:
    """Whether a job had the same input files before, some of them perhaps elsewhere.

    before, now : paths; recorded : {path: content} of those of `before`, where it is known; folder : the working directory,
    from which paths are named, and once were not
    """
    old: dict[str, Any] = {below(folder, path): recorded.get(path) for path in before}
    gone = Counter(below(folder, path) for path in before) - Counter(now)
    new = Counter(now) - Counter(below(folder, path) for path in before)
    if gone.total() != new.total():
        return False
    if None in (sums := [old[path] for path in gone.elements()]):
        return False
    return sorted(sums) == sorted(str(content(path)) for path in new.elements())


def recorded_content(
    path: str,
    now: Collection[str],
    recorded: Mapping[str, str | None],
    folder: str | Path,
    content: Callable[[str], str | None] = of,
) -> str | None:
    """What was recorded of the input `path` of a job with inputs `now`, under this name or another; None where nothing fits."""
    old = {below(folder, name): known for name, known in recorded.items()}
    if path in old:
        return old[path]
    gone = {known for name, known in old.items() if name not in now}
    return content_now if gone and (content_now := content(path)) in gone else None
