"""Remember what a start learned by opening a file, so that later starts do not open it while size and date are unchanged.

The family: each start, also with `-n`, looks into every FASTQ file (is it packed, does a lane begin as another one does,
does a file of a new date hold what it held), and on an archive with tapes each look recalls the file. One file of records
below the working directory is read once in a start and written once at its end. Paths below that directory are named from
there, so that a project may move. What cannot be read or written only costs the looks.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import whole_files
from rna2model.core.paths import below

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = ".snakemake/rna2model/seen_files"  # not *.json: snapshots of old runs there are forgotten
TICK = 2  # seconds; a file may change again within one tick of its disk's clock


class Seen:
    """Records of files: {path: [size, date in nanoseconds, {what was asked: answer}]}."""

    def __init__(self, path: str | Path, folder: str) -> None:
        self.path, self.folder, self.changed = Path(path), folder, False
        self.records: dict[str, list[Any]] = {}
        self.made: str | tuple[str, ...] = ()  # the beginning of names that are not kept
        with contextlib.suppress(OSError, ValueError, TypeError):
            stored = json.loads(self.path.read_text())
            self.records = {name: record for name, record in dict(stored).items() if _is_record(record)}

    def answer(self, what: str, file: str | Path, look: Callable[[Any], Any], certain: bool = False) -> Any:
        """`look(file)`, or its remembered answer if size and date are unchanged; None is never remembered.

        look : function of the path, of which the answer can be written as JSON
        certain : do not remember an answer within a tick of the file's last change
        """
        now = time.time()
        try:
            status = os.stat(file)
        except OSError:
            return look(file)
        answers: dict[str, Any]
        name, state = below(self.folder, os.fspath(file)), [status.st_size, status.st_mtime_ns]
        *seen, answers = self.records.get(name, (None, {}))
        answers = answers if seen == state else {}
        if what in answers:
            return answers[what]
        answer = look(file)
        if answer is not None and not (certain and abs(now - status.st_mtime) < TICK):
            self.records[name] = [*state, answers | {what: answer}]
            self.changed = True
        return answer

    def write(self) -> None:
        """Write the records of all files except those that the run itself makes."""
        if not self.changed:
            return
        self.changed = False
        kept = {name: record for name, record in list(self.records.items()) if not name.startswith(self.made)}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(self.path, json.dumps(kept))


def _is_record(record):
    return isinstance(record, list) and len(record) == 3 and isinstance(record[2], dict)


_seen: Seen | None = None  # this process; a job has none, and looks


def start(folder: str | Path) -> None:
    """Remember from now on what answer() is asked, below the working directory `folder`, also where the start finds problems."""
    global _seen
    _seen = Seen(Path(folder) / PLACE, os.fspath(folder))
    atexit.register(_seen.write)


def write(results: str | Path) -> None:
    """Write the records so far, without files in the folder `results`, which the run itself makes."""
    if _seen is not None:
        _seen.made = os.path.join(results, "")
        _seen.write()


def answer(what: str, file: str | Path, look: Callable[[Any], Any], certain: bool = False) -> Any:
    """See Seen.answer; in a process without start() it is `look(file)`."""
    return look(file) if _seen is None else _seen.answer(what, file, look, certain)
