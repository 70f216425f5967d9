"""Write files atomically: under a temporary name, then renamed, with the permissions of the umask.

A temporary file of `tempfile` is readable by its owner alone, and so is what it is renamed to: whoever shares a results
folder could not read it. Here files are made with mode 666, from which the system takes the umask.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def alone(folder: str | Path) -> Iterator[None]:
    """Context in which one process of this machine at a time works in `folder`, if its file system supports locks."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def write(path: str | Path, text: str) -> None:
    """Write `text` (str) to `path` atomically: readers see the old content or the new one."""
    half = _half(path, text)
    os.replace(half, path)


def create(path: str | Path, text: str) -> bool:
    """Whether `path` could be made with content `text`: False, and nothing is changed, where it exists."""
    half = _half(path, text)
    try:
        os.link(half, path)
    except FileExistsError:
        return False
    except OSError:  # a disk without hard links
        return _create_in_place(path, text)
    finally:
        half.unlink()
    return True


def _create_in_place(path, text):
    try:
        with open(path, "x") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def _half(path, text):
    path = Path(path)
    half = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with open(half, "x") as file:
            file.write(text)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    return half
