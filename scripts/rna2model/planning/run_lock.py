"""Lock of a results folder, so that one prediction run writes to it at a time: a file with machine, process and start time.

The family: two runs at once (cron and a person), a run that was killed (its lock names a process that is no more, or whose
number another one has by now), a killed starter whose Snakemake goes on, a machine that died. A lock of this machine is
stale when none of its processes lives; one of another machine when it was not refreshed for SILENT seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import whole_files
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "serving.lock"
REFRESHED, SILENT = 30, 600  # seconds


class Locked(InputProblem):
    """Another run predicts into the same folder."""


class Lock:
    """The lock of a results folder, held from `with` to its end; Locked where a living run holds it.

    Attributes: path (of the lock), taken_over (what the stale lock said that was replaced, or None).
    """

    content: dict[str, Any]
    taken_over: dict[str, Any] | None

    def __init__(self, results: str | Path) -> None:
        self.path, self.taken_over, self._ended = Path(results) / NAME, None, threading.Event()
        self.content = {"host": socket.gethostname(), "since": now(), "processes": [process(os.getpid())]}

    def __enter__(self) -> Lock:
        with whole_files.alone(self.path.parent):  # of two that find a stale lock one takes it over
            held = read(self.path)
            if held is not None and (other := living(held, self.path)):
                raise Locked(message(self.path, held, other))
            if held is not None:
                self.taken_over = held
                self.path.unlink(missing_ok=True)
            self._write(new=True)
        threading.Thread(target=self._refresh, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._is_own():
            self.path.unlink(missing_ok=True)

    def add(self, pid: int) -> None:
        """Also hold the lock while process `pid` lives."""
        self.content["processes"].append(process(pid))
        self._write()

    def _write(self, new: bool = False) -> None:
        text = json.dumps(self.content) + "\n"
        if not new:
            whole_files.write(self.path, text)
        elif not whole_files.create(self.path, text):
            held = read(self.path) or {}
            raise Locked(message(self.path, held, held.get("host", "another machine")))

    def _is_own(self) -> bool:
        return ((read(self.path) or {}).get("processes") or [None])[0] == self.content["processes"][0]

    def _refresh(self) -> None:
        while not self._ended.wait(REFRESHED):
            with contextlib.suppress(OSError):
                os.utime(self.path)


def now() -> str:
    """The time here, to the second, with its zone (ISO 8601)."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def read(path: str | Path) -> dict[str, Any] | None:
    """Content of a lock; None where there is none, {} where it cannot be read."""
    try:
        content = json.loads(Path(path).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def living(held: Mapping[str, Any], path: Path) -> str | None:
    """The living holder of a lock as text, or None: a process of this machine, or another machine that still refreshes
    the lock."""
    if held.get("host") == socket.gethostname():
        alive = [one for one in held.get("processes") or [] if is_alive(one)]
        return f"process {alive[0]['pid']}" if alive else None
    return (
        None if _silence(path) > SILENT else f"process {(held.get('processes') or [{}])[0].get('pid', '?')}"
    )


def message(path: Path, held: Mapping[str, Any], other: str) -> str:
    """Message that names the running process and what the user can do."""
    return (
        f"{path.parent} is in use: {other} on {held.get('host', 'another machine')} has predicted into it since"
        f" {held.get('since', '(unknown)')}. Wait for its end ({path.parent / 'status.json'} says how far it is), or give"
        f" RESULTS=another folder. A lock of a run that is no more is taken over: on its machine at once, on another one"
        f" after {SILENT // 60} minutes."
    )


def process(pid: int) -> dict[str, Any]:
    """{pid, started}: `started` tells a process from a later one with the same number, where the system says it."""
    return {"pid": pid, "started": _started(pid)}


def is_alive(one: Any) -> bool:
    """Whether the process of process() still runs on this machine."""
    try:
        os.kill(one["pid"], 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass  # somebody else's
    except (TypeError, KeyError):
        return False
    return _started(one["pid"]) == one.get("started") and _state(one["pid"]) != "Z"


def _stat(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat after the name of the program, which may hold anything; [] on other systems."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _started(pid: int) -> str | None:
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else None


def _state(pid):
    return (_stat(pid) or [None])[0]


def _silence(path: Path) -> float:
    """Seconds since a lock was refreshed, by the clock of the disk that it is on."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".clock-") as file:
            return os.fstat(file.fileno()).st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
    except OSError:
        return time.time() - path.stat().st_mtime
