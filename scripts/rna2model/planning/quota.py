"""Space left under a disk quota as reported by Lustre (`lfs quota`) or the machine (`quota`); the disk itself may be
far from full.

Quotas are of a user, a group or a project; the smallest rest counts. Where nothing answers there is no quota.
"""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WAIT = 5  # seconds; a file server that does not answer must not stop a plan


def left(folder: str | Path) -> tuple[int, str] | None:
    """(bytes, whose quota) that the smallest quota leaves in an existing `folder`, or None without any."""
    rests = [*_of_lustre(folder), *_of_machine(folder)]
    return min(rests, default=None)


def _of_lustre(folder: str | Path) -> Iterator[tuple[int, str]]:
    if not shutil.which("lfs"):
        return
    kinds = [("-u", getpass.getuser(), "user"), ("-g", _group(folder), "group")]
    project = _ask("lfs", "project", "-d", str(folder)).split()[:1]
    kinds += [("-p", project[0], "project")] if project and project[0].isdigit() and project != ["0"] else []
    for option, who, kind in kinds:
        rest = rest_of_row(_ask("lfs", "quota", "-q", option, who, str(folder)).split()) if who else None
        if rest is not None:
            yield rest, f"lfs quota of {kind} {who}"


def _of_machine(folder: str | Path) -> Iterator[tuple[int, str]]:
    if not shutil.which("quota"):
        return
    mount = Path(folder).absolute()
    while not os.path.ismount(mount):
        mount = mount.parent
    for option, kind in (("-u", "user"), ("-g", "group")):
        text = _ask("quota", option, "--no-wrap", "--show-mntpoint", "--hide-device")
        for line in text.splitlines():
            row = line.split()
            rest = rest_of_row(row) if row[:1] == [str(mount)] else None
            if rest is not None:
                yield rest, f"quota of the {kind} on {mount}"


def rest_of_row(row: Sequence[str]) -> int | None:
    """Bytes that a row leaves (file system, kB used, soft limit, hard limit, ...); None without a limit.

    A star behind a number says that a limit is exceeded; 0 is no limit. The soft limit counts: writing beyond it ends
    after some days of grace.
    """
    with contextlib.suppress(ValueError):
        used, *limits = (int(cell.strip("*[]")) for cell in row[1:4])
        limits = [limit for limit in limits if limit]
        if limits:
            return max(min(limits) - used, 0) * 1024
    return None


def _group(folder: str | Path) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(os.stat(folder).st_gid).gr_name
    return ""


def _ask(*command: str) -> str:
    """Output of a command; empty if it fails. `quota` exits with 1 if a limit is exceeded."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, capture_output=True, text=True, timeout=WAIT).stdout
    return ""
