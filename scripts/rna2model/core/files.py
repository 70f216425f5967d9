"""Read and write files, plain or gzipped, with clear errors for truncated ones."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import importlib
import io
import shutil
import zlib
from typing import TYPE_CHECKING

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def unpacker_errors() -> tuple[type[Exception], ...]:
    """Exception types of the faster gzip libraries that dnaio uses if they are installed."""
    errors = []
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            errors.append(importlib.import_module(name).error)
        except ImportError:
            continue
    return tuple(errors)


def is_gzip(path: str | Path) -> bool:
    """Whether the content of `path` (not its name) is gzip."""
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def opened(path: str | Path) -> gzip.GzipFile | io.BufferedReader:
    """`path` opened for reading bytes, decompressed where needed."""
    return gzip.open(path, "rb") if is_gzip(path) else open(path, "rb")


@contextlib.contextmanager
def packing(path: str | Path) -> Iterator[gzip.GzipFile]:
    """`path` opened for writing bytes that are gzipped, without file name and time: equal content gives equal bytes."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as out:
        yield out


def lines(path: str | Path) -> Iterator[str]:
    """Lines of text of `path`, decompressed where needed; InputProblem when it does not reach its end."""
    try:
        with opened(path) as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{path} cannot be read to its end ({error}); download it again.") from None


def beginning(path: str | Path, most: int) -> str:
    """The first `most` bytes of `path` as text, decompressed where needed; InputProblem when they cannot be read."""
    try:
        with opened(path) as file:
            return file.read(most).decode("utf-8", errors="replace")
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{path} cannot be read to its end ({error}); download it again.") from None


def unpack(source: str | Path, target: str | Path) -> None:
    """Copy `source` to `target`, decompressed."""
    try:
        with opened(source) as file, open(target, "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{source} cannot be read to its end ({error}); download it again.") from None


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_read(path: str | Path) -> tuple[bytes, bytes] | None:
    """(name, bases) of the first record of a FASTQ file, plain or gzipped; None where there is none, or it cannot be read."""
    try:
        with opened(path) as file:
            name, bases = (file.readline(10_000).split(maxsplit=1) or [b""])[0], file.readline(10_000).strip()
    except (EOFError, OSError, zlib.error):
        return None
    return (name, bases) if bases else None


def alike(path: str | Path, block: int = 1 << 16) -> tuple[int, str] | None:
    """(size, SHA-256 of the first and last `block` bytes) of a file; if two files differ in it, their content differs.
    None if unreadable.

    Copies and replaced files of any size are told apart in a millisecond, since compressed data differ to their end.
    """
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            digest = hashlib.sha256(file.read(block))
            file.seek(max(size - block, 0))
            digest.update(file.read(block))
    except OSError:
        return None
    return size, digest.hexdigest()
