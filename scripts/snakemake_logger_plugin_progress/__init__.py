"""`snakemake --logger progress`: one readable line per finished step, with time left; errors in full.

Found by Snakemake because `make setup` puts scripts/ on the path of .venv.
"""

import logging
import sys
import time

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent


class LogHandler(LogHandlerBase):
    """Prints `[ 46/254] 1:20, about 3:10 left  trim_fastp d01_b1` for each finished job."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self):
        self.started = None
        self.jobs = {}
        self.last = ""

    def emit(self, record):
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.started = self.started or time.monotonic()
            places = (getattr(record, "wildcards", None) or {}).values()
            self.jobs[record.jobid] = " ".join([record.rule_name, *map(str, places)])
        elif event == LogEvent.JOB_FINISHED:
            self.last = self.jobs.get(record.job_id, "")
        elif event == LogEvent.PROGRESS:
            self.show(self._progress(record.done, record.total))
        elif event in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR) or record.levelno >= logging.WARNING:
            self.show(self.format(record))
        elif event is None and record.getMessage().startswith("rna2model: "):
            self.show(record.getMessage())

    def _progress(self, done, total):
        passed = time.monotonic() - (self.started or time.monotonic())
        left = passed / done * (total - done) if done else 0
        width = len(str(total))
        return f"[{done:>{width}}/{total}] {_clock(passed)}, about {_clock(left)} left   {self.last}"

    def show(self, text):
        print(text, file=sys.stderr, flush=True)


def _clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
