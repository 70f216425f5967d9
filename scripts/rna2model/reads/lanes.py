"""Bring the lanes of a library together: one FASTQ file for each mate."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import dnaio

from rna2model.core.files import is_gzip

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = gzip.compress(b"", mtime=0)


def share_names(lanes: Sequence[Sequence[str | Path]]) -> bool:
    """Whether two lanes begin with the same name: names that count from 1 in each file."""
    firsts = []
    for lane in lanes:
        with dnaio.open(lane[0]) as records:
            firsts += [record.id for record, _ in zip(records, range(1), strict=False)]
    return len(set(firsts)) < len(firsts)


def join(lanes: Sequence[Sequence[str | Path]], targets: Sequence[str | Path], good: bool) -> None:
    """Write one gzipped file per mate to `targets`: a link to a single gzipped lane, else all lanes in order.

    With `good` false the targets are empty libraries.
    """
    for mate, target in enumerate(targets):
        target = Path(target)
        sources = [Path(lane[mate]).resolve() for lane in lanes]
        target.unlink(missing_ok=True)
        if not good:
            target.write_bytes(EMPTY)
        elif len(sources) == 1 and is_gzip(sources[0]):
            target.symlink_to(sources[0])
        else:
            _concatenate(sources, target)


def _concatenate(sources, target):
    """Gzip members follow one another in a valid gzip file, so compressed lanes need no recompression."""
    with target.open("wb") as out:
        for source in sources:
            with source.open("rb") as file:
                if is_gzip(source):
                    shutil.copyfileobj(file, out, 1 << 20)
                else:
                    with gzip.GzipFile(
                        fileobj=out, mode="wb", compresslevel=3, mtime=0, filename=""
                    ) as packed:
                        shutil.copyfileobj(file, packed, 1 << 20)
