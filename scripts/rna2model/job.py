"""What a script needs to run as a job: its log, news of long work, and errors as text instead of tracebacks."""

import os
import sys

from rna2model.errors import InputProblem

NEWS = "progress: "  # begins the lines of a log that the console shows while the job runs, wherever it does


def start(snakemake):
    """Send standard output and error to the rule's log; show an InputProblem as its message only.

    The message goes to the log and to the console, so that nobody has to look for it.
    """
    console = os.dup(2)
    log = os.open(str(snakemake.log[0]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # a log that is read while the job runs

    def explain(kind, error, trace):
        if not issubclass(kind, InputProblem):
            return sys.__excepthook__(kind, error, trace)
        text = f"error: {error}\n"
        sys.stderr.write(text)
        os.write(console, text.encode())

    sys.excepthook = explain


def news(text):
    """A `log` for long work: a line that whoever follows the job's log recognises."""
    print(f"{NEWS}{text}", flush=True)
