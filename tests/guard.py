"""scripts/guard.sh as the commands of rules use it."""

import subprocess

from tests.command import REPOSITORY

GUARD = REPOSITORY / "scripts/guard.sh"


def bash(script, *arguments, status=0):
    """Output of a bash script that has the functions of guard.sh; it must end with `status`."""
    command = ["bash", "-c", f'set -euo pipefail; source "$0"; {script}', GUARD, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stdout.rstrip("\n")
