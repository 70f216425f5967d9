"""Cache of checksums of large files, in the user's cache folder, by path, size and dates.

The family: each serving run reads the genome (3 GB, a minute and more) and the annotation only to know that they are those of
the bundle. A file is the same where its size, date of content, date of change (which no program can set), inode, and the
checksum of its first and last blocks are what they were. A file changed in the last seconds is never remembered: it may
change again within one tick of the disk's clock. A cache that cannot be written or read only costs the time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

from rna2model.core import files, user_cache, whole_files
from rna2model.reference import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

SETTLED = 5  # seconds without a change


def genome(fasta: str | Path) -> tuple[str, dict[str, int]]:
    """fingerprint.genome() of a FASTA file, cached while the file is unchanged."""
    digest, lengths = _of(fasta, "genome", lambda: fingerprint.genome(fasta))
    return digest, lengths


def unpacked(path: str | Path) -> str:
    """fingerprint.unpacked() of a file, cached while the file is unchanged."""
    return _of(path, "unpacked", lambda: fingerprint.unpacked(path))


def checksum(path: str | Path) -> str:
    """files.checksum() of a file, cached while the file is unchanged."""
    return _of(path, "checksum", lambda: files.checksum(path))


def _of(path, kind, read):
    path = os.path.realpath(path)
    before = _state(path)
    name = hashlib.sha256(f"{kind} {path}".encode()).hexdigest()[:32]
    record = user_cache.folder("checksums") / f"{name}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(record.read_text())
        if before and known["state"] == before:
            return known["value"]
    value = read()
    after = _state(path)
    if before and before == after and time.time() - max(before["changed"], before["status"]) / 1e9 > SETTLED:
        with contextlib.suppress(OSError):
            record.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(record, json.dumps({"path": path, "state": before, "value": value}) + "\n")
    return value


def _state(path):
    """Size, ends and dates, which change with a file's content, JSON-able; None if it cannot be read."""
    ends = files.alike(path)
    if ends is None:
        return None
    status = os.stat(path)
    times = {"changed": status.st_mtime_ns, "status": status.st_ctime_ns, "inode": status.st_ino}
    return {"size": ends[0], "ends": ends[1], **times}
