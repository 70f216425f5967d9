"""`notify`: a command of the user that is run at the end with the status. Its failure does not change the run's status."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 60  # it may take; it is stopped then
LONGEST_PREFIX = 40  # characters; the executor takes 50


def tell(
    command: str | None, status: str, results: str | os.PathLike[str], warn: Callable[[str], object]
) -> None:
    """Run `command` (a line for the shell, or None) with `status` and the results folder as arguments and as variables.

    status : "finished" or "failed"; results : path; warn : takes a sentence (str) where the command fails
    """
    if not command:
        return
    results = os.path.abspath(results)
    environment = os.environ | {"RNA2MODEL_STATUS": status, "RNA2MODEL_RESULTS": results}
    try:
        done = subprocess.run(
            ["bash", "-c", f'{command} "$@"', "notify", status, results],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        warn(f"notify: {command!r} could not tell of the end: {error}")
        return
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        warn(
            f"notify: {command!r} ended with exit status {done.returncode}: {words}. The run is not affected."
        )


def job_prefix(folder: str | os.PathLike[str]) -> str:
    """Prefix of the names of a project's jobs: the name of the folder that it runs in, of letters, digits, _ and -."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(os.path.abspath(folder))).strip("-")
    return name[:LONGEST_PREFIX] or "rna2model"
