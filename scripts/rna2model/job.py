"""What a script needs to run as a job: its log, news of long work, and errors as text instead of tracebacks."""

import os
import sys
import time

from rna2model.errors import InputProblem

NEWS_EVERY = 60.0  # seconds between lines of a job on the console
_console = None  # file descriptor of what was standard error before the log took it


def start(snakemake):
    """Send standard output and error to the rule's log; show an InputProblem as its message only.

    The message goes to the log and to the console, so that nobody has to look for it.
    """
    global _console
    console = _console = os.dup(2)
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


def news(name, every=NEWS_EVERY):
    """A `log` for long work: every line goes to the log; one in `every` seconds to the console, too, after the job's name.

    Where the job runs on a cluster, its console is the file that the scheduler keeps.
    """
    last = time.monotonic()

    def log(text):
        nonlocal last
        print(text, flush=True)
        if _console is not None and time.monotonic() - last >= every:
            last = time.monotonic()
            os.write(_console, f"{name}: {text}\n".encode())

    return log
