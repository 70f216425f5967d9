"""The workflow's command line, as a user types it: with what set-up found out about this machine (conda or not)."""

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LOCAL = ("--profile", str(REPOSITORY / "profiles" / "local"))


def command(folder, *arguments, config="config.yaml", cores=2):
    """List of str: Snakemake on the project in `folder`; no `cores` where the profile says how many."""
    options_file = REPOSITORY / ".venv" / "snakemake_options"
    options = options_file.read_text().split() if options_file.is_file() else []
    start = [sys.executable, "-m", "snakemake", "-s", REPOSITORY / "Snakefile", "-d", folder]
    start += ["--configfile", Path(folder) / config, *(["--cores", cores] if cores else []), *options]
    return [str(part) for part in (*start, *arguments)]
