"""What a script needs to run as a job: its log, news of long work, and errors as text instead of tracebacks."""

import os
import sys

from rna2model import failure
from rna2model.errors import InputProblem

NEWS = "progress: "  # begins the lines of a log that the console shows while the job runs, wherever it does


def start(snakemake, **options):
    """Send standard output and error to the rule's log; show an InputProblem as its message only.

    The message goes to the log and to the console, so that nobody has to look for it. The job of one sample ends here where
    a job before it failed, and with a verdict where its data are to blame; `options` are those of failure.SampleJob.
    """
    console = os.dup(2)
    log = os.open(str(snakemake.log[0]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True)  # a log that is read while the job runs

    sample = failure.SampleJob.of(snakemake, **options)

    def explain(kind, error, trace):
        if issubclass(kind, InputProblem):
            text = f"error: {error}\n"
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


def news(text):
    """A `log` for long work: a line that whoever follows the job's log recognises."""
    print(f"{NEWS}{text}", flush=True)
