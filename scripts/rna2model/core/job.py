"""Set up a script as a job: its log, progress of long work, and errors as text without tracebacks."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from rna2model.core import software, tool_failure
from rna2model.core.errors import InputProblem

NEWS = "progress: "  # begins the lines of a log that the console shows while the job runs, wherever it does


def start(snakemake: Any, **options: Any) -> None:
    """Send standard output and error to the rule's log; show an InputProblem as its message only.

    The message goes to the log and to the console. The job of one sample ends here where
    a job before it failed, and with a verdict where its data are to blame; `options` are those of tool_failure.SampleJob.
    """
    leave_foreign_packages()
    console = os.dup(2)
    log = os.open(str(snakemake.log[0]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)  # less the umask
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # a log that is read while the job runs

    sample = tool_failure.SampleJob.of(snakemake, **options)

    def explain(kind, error, trace):
        if issubclass(kind, InputProblem | ImportError):
            text = f"error: {software.problem(error) if issubclass(kind, ImportError) else error}\n"
            sys.stderr.write(text)
            os.write(console, text.encode())
        else:
            sys.__excepthook__(kind, error, trace)
        reason = sample and issubclass(kind, Exception) and sample.judge(error)
        if reason:
            os.write(console, sample.exclude(reason).encode())
            sys.stdout.flush()
            os._exit(0)  # Snakemake takes the marks for what the job should make

    sys.excepthook = explain
    if sample and sample.hand_on():
        sys.exit()


def leave_foreign_packages() -> None:
    """Take off sys.path what Snakemake has put at its end: the path of its own Python, for a script in an environment.

    Packages there are built for another Python. What an environment lacks on purpose (torch, pyarrow) would be tried from
    there; our own library is kept. Snakemake itself is loaded by now. Where it comes from this Python, nothing is foreign.
    """
    loaded = getattr(sys.modules.get("snakemake"), "__file__", None)
    theirs = loaded and str(Path(loaded).parents[1])
    if theirs not in sys.path or Path(theirs).is_relative_to(sys.prefix):
        return
    first = len(sys.path) - 1 - sys.path[::-1].index(theirs)
    own, library = sys.path[:first], str(Path(__file__).parents[2])
    sys.path[:] = own if library in own else [*own, library]


def news(text: str) -> None:
    """Print a progress line to the log, in the form that the progress logger picks up."""
    print(f"{NEWS}{text}", flush=True)
