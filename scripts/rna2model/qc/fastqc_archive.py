"""Archive of all FastQC reports of a sample: raw/SAMPLE_R1_fastqc.zip, trimmed/SAMPLE_R1_fastqc.zip and so on."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENDING = ".fastqc.tar"
READ = "fastqc_data.txt"  # all that MultiQC looks at


def pack(reports: Mapping[str, str | Path], target: str | Path) -> None:
    """Write the archive from {name in it: path of the report}."""
    with tarfile.open(target, "w") as packed:
        for name, path in reports.items():
            packed.add(path, name)


def unpacked(paths: Iterable[str | Path], folder: str | Path) -> list[str | Path]:
    """`paths` in which each FastQC archive is replaced by its files that MultiQC reads, extracted below `folder`."""
    unpacked_paths: list[str | Path] = []
    for path in paths:
        unpacked_paths += _unpack(path, Path(folder)) if str(path).endswith(ENDING) else [path]
    return unpacked_paths


def _unpack(path, folder):
    written = []
    with tarfile.open(path) as packed:
        for member in packed:
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            report = zipfile.ZipFile(io.BytesIO(packed.extractfile(member).read()))
            inside = report.namelist()[0]  # a folder, which MultiQC looks for as well
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as small:
                small.writestr(inside, "")
                small.writestr(inside + READ, report.read(inside + READ))
            written.append(target)
    return written
