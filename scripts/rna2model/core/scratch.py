"""Where a job's temporary files lie: below its TMPDIR, which is Snakemake's `tmpdir`, where that has room for them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rna2model import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator

GUARD = REPOSITORY / "scripts" / "guard.sh"


@contextmanager
def folder(size: float, output: str | Path) -> Iterator[Path]:
    """A folder (Path) for `size` bytes, which is gone afterwards; without room in TMPDIR it is beside the file `output`."""
    ask = 'source "$0"; scratch_place "$1" "$2"'
    asked: list[str | Path] = ["bash", "-c", ask, GUARD, str(int(size / 1000)), str(output)]
    place = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.rstrip("\n")
    made = Path(tempfile.mkdtemp(prefix="rna2model.", dir=place))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
