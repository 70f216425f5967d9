"""`snakemake --logger progress`: one line per finished step with the time left, progress of long steps, full errors,
and plans.

Found by Snakemake because `make setup` puts scripts/ on the path of .venv.
"""

import logging
import sys
import threading
import time
from dataclasses import dataclass, field
from textwrap import shorten

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from rna2model.core.job import NEWS
from snakemake_logger_plugin_progress.follow import Log

OURS = ("rna2model: ", "Nothing to be done", "This was a dry-run")
WIDTH = 160  # characters of a reason
MOST_NEWS = 5  # jobs that are heard of at a time


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    news_every: float = field(
        default=60.0, metadata={"help": "Seconds between lines about long steps (training: epoch, losses)."}
    )


class LogHandler(LogHandlerBase):
    """Prints `[ 46/254] 1:20, about 3:10 left  trim_fastp d01_b1` for each finished job.

    News of a running job are lines of its log that begin with NEWS. Logs are files that this process sees wherever the job
    runs, so that progress is the same for runs on a cluster and on this machine.
    """

    writes_to_stream = True
    writes_to_file = False
    has_filter = True
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self):
        self.started = None
        self.jobs = {}
        self.last, self.planned = "", False
        self.running = {}  # job id: its Log
        self.watcher, self.ended = None, threading.Event()

    def emit(self, record):
        event = getattr(record, "event", None)
        if self.common_settings.dryrun and self._plan(event, record):
            return
        if event == LogEvent.JOB_INFO:
            self.started = self.started or time.monotonic()
            self.jobs[record.jobid] = _name(record)
            self._follow(record)
        elif event == LogEvent.JOB_FINISHED:
            self.last = self.jobs.get(record.job_id, "")
            self.running.pop(record.job_id, None)
        elif event == LogEvent.PROGRESS:
            self.show(self._progress(record.done, record.total))
        elif event in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR) or record.levelno >= logging.WARNING:
            self.running.pop(getattr(record, "jobid", None), None)
            self.show(self.format(record))
        elif event is None and record.getMessage().startswith(OURS):
            self.show(record.getMessage())

    def _plan(self, event, record):
        """Output of a dry run: each job with its reason (unless --quiet), and the number of jobs of each rule."""
        if event == LogEvent.JOB_INFO and not self.common_settings.quiet:
            self.show(f"{_name(record)}: {shorten(record.reason, WIDTH)}")
        elif event == LogEvent.RUN_INFO and not self.planned:  # it comes again after the jobs
            self.planned = True
            self.show(record.getMessage())
        return event in (LogEvent.JOB_INFO, LogEvent.RUN_INFO)

    def _progress(self, done, total):
        passed = time.monotonic() - (self.started or time.monotonic())
        left = passed / done * (total - done) if done else 0
        width = len(str(total))
        return f"[{done:>{width}}/{total}] {_clock(passed)}, about {_clock(left)} left   {self.last}"

    def _follow(self, record):
        if not record.log:
            return
        if self.watcher is None:
            self.watcher = threading.Thread(target=self._watch, daemon=True)
            self.watcher.start()
        self.running[record.jobid] = Log(record.log[0])

    def _watch(self):
        while not self.ended.wait(self.settings.news_every):
            for text in self.news():
                self.show(text)

    def news(self):
        """New progress lines of running jobs since the last call, for at most MOST_NEWS jobs."""
        latest = [(self.jobs[job], log.news(NEWS)) for job, log in list(self.running.items())]
        lines = [f"{name}: {text}" for name, text in latest if text]
        more = [f"... and {len(lines) - MOST_NEWS} more are under way"] if len(lines) > MOST_NEWS else []
        return lines[:MOST_NEWS] + more

    def close(self):
        self.ended.set()
        super().close()

    def show(self, text):
        print(text, file=sys.stderr, flush=True)


def _name(record):
    """Short name of a job: its rule and its sample, model or split."""
    places = (getattr(record, "wildcards", None) or {}).values()
    return " ".join([record.rule_name, *map(str, places)])


def _clock(seconds):
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
