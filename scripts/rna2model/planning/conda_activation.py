"""Conda environments are activated by what conda says once in a run: it takes a Python half a second or more to say it.

Snakemake has it said before each shell command, and twice for a script, which for jobs of a second doubles their time.
"""

from __future__ import annotations

import functools
import subprocess

ASK = '. "$0/etc/profile.d/conda.sh" && PS1= __conda_exe shell.posix activate "$1"'


@functools.cache
def statements(base: str, environment: str) -> str | None:
    """Shell lines (str) by which `source <base>/bin/activate <environment>` changes a shell that has this process's variables.

    None where conda does not say so: then the usual way says what is wrong.
    """
    done = subprocess.run(["bash", "-c", ASK, base, environment], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 and environment in done.stdout else None
