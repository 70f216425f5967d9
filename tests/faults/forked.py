"""Snakemake's command line without its start: each run is a fork of a process that has imported it."""

import multiprocessing
import os
import sys
from types import SimpleNamespace

from tests.command import REPOSITORY

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["snakemake.cli", "snakemake.api", "jsonschema", "yaml", "numpy", __name__])


def snakemake(folder, *arguments, cores=1):
    """Run the workflow in `folder`, as tests.conftest.snakemake does; returns its exit status and text output."""
    command = ["-s", REPOSITORY / "Snakefile", "-d", folder, "--configfile", folder / "config.yaml"]
    command += ["--cores", cores, *arguments]
    output = folder.with_name(f"{folder.name}.txt")
    process = CONTEXT.Process(target=_run, args=([str(part) for part in command], output))
    process.start()
    process.join()
    return SimpleNamespace(returncode=process.exitcode, text=output.read_text(errors="replace"))


def _run(command, output):
    target = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(target, 1)
    os.dup2(target, 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    sys.argv = ["snakemake", *command]
    from snakemake.cli import main

    main(command)
