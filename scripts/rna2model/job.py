"""What a script needs to run as a job: its log, and errors as text instead of tracebacks."""

import os
import sys

from rna2model.errors import InputProblem


def start(snakemake):
    """Send standard output and error to the rule's log; show an InputProblem as its message only.

    The message goes to the log and to the console, so that nobody has to look for it.
    """
    console = os.dup(2)
    log = os.open(str(snakemake.log[0]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def explain(kind, error, trace):
        if not issubclass(kind, InputProblem):
            return sys.__excepthook__(kind, error, trace)
        text = f"error: {error}\n"
        sys.stderr.write(text)
        os.write(console, text.encode())

    sys.excepthook = explain
