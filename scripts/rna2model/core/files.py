"""Files as people have them: plain or gzipped, whole or not."""

import contextlib
import gzip
import hashlib
import importlib
import io
import shutil
import zlib

from rna2model.core.errors import InputProblem


def unpacker_errors():
    """Errors of the faster unpackers that dnaio takes where they are installed; each has one of its own."""
    found = []
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            found.append(importlib.import_module(name).error)
        except ImportError:
            continue
    return tuple(found)


def is_gzip(path):
    """Whether the content of `path` (not its name) is gzip."""
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def opened(path):
    """`path` opened for reading bytes, decompressed where needed."""
    return gzip.open(path, "rb") if is_gzip(path) else open(path, "rb")


@contextlib.contextmanager
def packing(path):
    """`path` opened for writing bytes that are gzipped, without file name and time: equal content gives equal bytes."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as out:
        yield out


def lines(path):
    """Lines of text of `path`, decompressed where needed; InputProblem when it does not reach its end."""
    try:
        with opened(path) as file:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{path} cannot be read to its end ({error}); download it again.") from None


def beginning(path, most):
    """The first `most` bytes of `path` as text, decompressed where needed; InputProblem when they cannot be read."""
    try:
        with opened(path) as file:
            return file.read(most).decode("utf-8", errors="replace")
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{path} cannot be read to its end ({error}); download it again.") from None


def unpack(source, target):
    """Copy `source` to `target`, decompressed."""
    try:
        with opened(source) as file, open(target, "wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)
    except (EOFError, OSError, zlib.error) as error:
        raise InputProblem(f"{source} cannot be read to its end ({error}); download it again.") from None


def checksum(path):
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_read(path):
    """(name, bases) of the first record of a FASTQ file, plain or gzipped; None where there is none, or it cannot be read."""
    try:
        with opened(path) as file:
            name, bases = (file.readline(10_000).split(maxsplit=1) or [b""])[0], file.readline(10_000).strip()
    except (EOFError, OSError, zlib.error):
        return None
    return (name, bases) if bases else None


def alike(path, block=1 << 16):
    """(size, SHA-256 of the first and last `block` bytes) of a file: files that differ in it differ; None if unreadable.

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
