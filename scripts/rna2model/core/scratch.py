"""Folders for a job's temporary files: below TMPDIR (Snakemake's `tmpdir`) if it has room for them."""

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
    """A temporary folder (Path) for `size` bytes, removed at the end; beside the file `output` if TMPDIR lacks room."""
    ask = 'source "$0"; scratch_place "$1" "$2"'
    command: list[str | Path] = ["bash", "-c", ask, GUARD, str(int(size / 1000)), str(output)]
    place = subprocess.run(command, capture_output=True, text=True, check=True).stdout.rstrip("\n")
    made = Path(tempfile.mkdtemp(prefix="rna2model.", dir=place))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
