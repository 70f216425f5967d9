"""Open a text file in any supported compression and encoding, detected from its first bytes, not from its name."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
}
HDF5 = b"\x89HDF\r\n\x1a\n"
UNPACK: dict[str, Any] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
WORKBOOK = "xl/workbook.xml"  # in the archive that an .xlsx file is
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def kind(path: str | Path) -> str:
    """Type of a file by its first bytes: gzip, bzip2, xz, zip, zstd, xlsx, hdf5, parquet, or plain."""
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(HDF5) or start.startswith(b"PAR1"):
        return "hdf5" if start.startswith(HDF5) else "parquet"
    packing = next((name for magic, name in PACKED.items() if start.startswith(magic)), "plain")
    if packing == "zip":
        with zipfile.ZipFile(path) as archive:
            return "xlsx" if WORKBOOK in archive.namelist() else "zip"
    return packing


@contextlib.contextmanager
def text(path: str | Path) -> Iterator[io.TextIOWrapper]:
    """The unpacked text of the file at `path`, open for reading, every line end as newline.

    ValueError if it is not text, has an unsupported compression, or is an archive of several files.
    """
    with contextlib.ExitStack() as stack:
        packed = kind(path)
        if packed == "zstd":
            raise ValueError("it is packed with zstd; unpack it, or pack it with gzip")
        if packed == "zip":
            archive = stack.enter_context(zipfile.ZipFile(path))
            raw: Any = stack.enter_context(archive.open(_member(archive)))
        else:
            raw = stack.enter_context(UNPACK.get(packed, open)(path, "rb"))
        raw = io.BufferedReader(raw) if packed == "zip" else raw
        start = raw.peek(4)[:4]
        encoding = "utf-16" if start.startswith(UTF_16) else "utf-8-sig"
        yield stack.enter_context(io.TextIOWrapper(raw, encoding=encoding))


def _member(archive):
    names = [one for one in archive.namelist() if not one.endswith("/") and not one.startswith("__MACOSX/")]
    if len(names) != 1:
        listed = ", ".join(names[:5]) or "none"
        raise ValueError(
            f"it is an archive of {len(names)} files ({listed}); unpack it and name the one with the counts"
        )
    return names[0]
