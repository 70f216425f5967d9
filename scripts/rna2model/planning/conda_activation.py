"""Activate conda environments with shell lines that conda prints once per run: each call of conda costs half a second
or more.

Snakemake has it said before each shell command, and twice for a script, which for jobs of a second doubles their time.
"""

from __future__ import annotations

import functools
import subprocess

ASK = '. "$0/etc/profile.d/conda.sh" && PS1= __conda_exe shell.posix activate "$1"'


@functools.cache
def statements(base: str, environment: str) -> str | None:
    """Shell lines (str) by which `source <base>/bin/activate <environment>` changes a shell that has this process's variables.

    None if conda does not print them; the usual activation then reports what is wrong.
    """
    done = subprocess.run(["bash", "-c", ASK, base, environment], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and environment in done.stdout else None
