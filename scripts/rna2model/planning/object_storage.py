"""Object storage that a run reads from and writes to where the machines share no disk.

Config and sheet lie on this machine; what they name lies in a bucket: below the prefix of the run, or at an address of its own.
"""

from __future__ import annotations

import posixpath
import tempfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rna2model.core.errors import InputProblem
from rna2model.inputs.config import BRACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

AT_ONCE = 16  # questions to the storage, each of some tens of milliseconds
BEGINNING = (
    1 << 23
)  # bytes of a genome or annotation that are looked at; a set of genes is smaller as a whole
GUNZIP = 16 + zlib.MAX_WBITS


class Store:
    """Where a run reads and writes.

    prefix : str, what stands before relative paths, such as s3://bucket/run
    read : function (address, number of bytes) -> the first bytes, or None where nothing lies; OSError when it may not be
        read. None inside a job, which does not repeat the checks.
    """

    def __init__(self, prefix: str, read: Callable[[str, int], bytes | None] | None = None) -> None:
        self.prefix, self.read = prefix.rstrip("/"), read

    def address(self, path: str | Path) -> str:
        """The full address of a `path` in config or sheet; InputProblem if it cannot lie in the storage."""
        path, scheme = str(path), self.prefix.split("://")[0]
        if BRACES.search(path):
            raise InputProblem("a path with { or } cannot be used, rename it")
        if "://" in path:
            if not path.startswith(f"{scheme}://"):
                raise InputProblem(f"is not in the storage of this run ({scheme}://); copy it there")
            return path
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            raise InputProblem(
                f"is a path of this machine, which no job sees; upload it, and write {scheme}://... or the path below"
                f" {self.prefix}/"
            )
        return f"{self.prefix}/{posixpath.normpath(path)}"

    def unreadable(self, paths: Sequence[str]) -> dict[str, str]:
        """{path: reason} of the paths that cannot be read."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            reasons = pool.map(self._why, paths)
            return {path: why for path, why in zip(paths, reasons, strict=True) if why}

    def _why(self, path: str) -> str:
        try:
            address = self.address(path)
            if self.read and self.read(address, 1) is None:
                return f"no such file in the storage ({address})"
        except InputProblem as problem:
            return str(problem)
        except OSError as error:
            return f"the storage does not give it ({error})"
        return ""

    @contextmanager
    def beginning(self, path: str) -> Iterator[tuple[Path, bool]]:
        """(local text file with the first lines of `path`, whether the file ends there)."""
        read = cast("Callable[[str, int], bytes]", self.read)  # of what lies there, and not in a job
        content = read(self.address(path), BEGINNING)
        whole = len(content) < BEGINNING
        if not whole:
            content = _unpacked(content)
            content = content[: content.rfind(b"\n") + 1] or content  # a chromosome may be one line
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, Path(path).name)
            file.write_bytes(content)
            yield file, whole

    def is_below(self, path: str) -> bool:
        """Whether `path` is one below the prefix."""
        return "://" not in path and not Store(self.prefix).unreadable([path])

    def parts(self, path: str | Path, folder: str | Path) -> tuple[str, ...]:
        """The parts of `path` below `folder`; () when it lies elsewhere."""
        if Store(self.prefix).unreadable([str(path)]):
            return ()
        path, folder = self.address(path), self.address(folder)
        return tuple(path[len(folder) + 1 :].split("/")) if path.startswith(f"{folder}/") else ()


def _unpacked(content: bytes) -> bytes:
    """The decompressed start of a gzip file, which may have many members (bgzip); other bytes are returned unchanged."""
    text, rest = b"", content
    while rest.startswith(b"\x1f\x8b") and len(text) < 4 * BEGINNING:
        part = zlib.decompressobj(GUNZIP)
        try:
            text += part.decompress(rest, 4 * BEGINNING)
        except zlib.error:
            return content
        rest = part.unused_data
    return text or content
