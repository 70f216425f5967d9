"""Download files atomically, once for all users of a folder."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from rna2model.core import whole_files
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS, BLOCK = 60, 1 << 20
FAILURES = (OSError, ValueError, EOFError)  # URLError and HTTPError are OSErrors


def name_of(url: str) -> str:
    """Name of the file behind an address."""
    return unquote(urlparse(url).path).rpartition("/")[2]


def fetch(
    url: str, path: Path, md5sums: str | None = None, tell: Callable[[str], object] = lambda text: None
) -> None:
    """Download `url` to `path` (Path) under a temporary name, then rename it; InputProblem if the download fails or is
    incomplete.

    md5sums : address of the publisher's list, which has the file; if it cannot be downloaded, a note is printed and
    the file is accepted
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputProblem(f"{path.parent} cannot be made ({error.strerror})") from None
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with whole_files.alone(path.parent):
            if path.exists():  # another run got it meanwhile
                return
            digest = _copy(url, half)
            stated = _stated(md5sums, path.name, tell) if md5sums else None
            if stated and stated != digest:
                raise InputProblem(f"its MD5 is {digest}, and {md5sums} says {stated}")
            os.replace(half, path)
    except FAILURES as error:
        raise InputProblem(f"it cannot be had ({getattr(error, 'reason', None) or error})") from None
    finally:
        half.unlink(missing_ok=True)


def _copy(url, path):
    """MD5 of what was copied."""
    digest, size = hashlib.md5(usedforsecurity=False), 0
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, open(path, "xb") as file:
        while block := answer.read(BLOCK):
            file.write(block)
            digest.update(block)
            size += len(block)
        stated = answer.headers.get("Content-Length")
    if stated and int(stated) != size:
        raise EOFError(f"it ended after {size} of {stated} bytes")
    return digest.hexdigest()


def _stated(md5sums, name, tell):
    """MD5 of a file in a list as md5sum writes it (sum, name); None if it is not listed."""
    try:
        with urllib.request.urlopen(md5sums, timeout=SECONDS) as answer:
            lines = [line.split(maxsplit=1) for line in answer.read().decode(errors="replace").splitlines()]
    except FAILURES as error:
        tell(f"{md5sums} cannot be had ({error}): {name} is not compared with it")
        return None
    sums = [
        line[0].lower() for line in lines if len(line) == 2 and Path(line[1].strip().lstrip("*")).name == name
    ]
    if not sums:
        tell(f"{md5sums} does not list {name}, which is not compared with it")
    return sums[0] if sums else None
