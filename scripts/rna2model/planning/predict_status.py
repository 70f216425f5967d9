"""status.json of a prediction run, which a LIMS reads for the progress of each sample and the reason of a missing
prediction.

It is replaced as a whole, so that every reader gets valid JSON. While Snakemake runs, its main process keeps it (Follower);
before and after, scripts/serve.py does.
"""

from __future__ import annotations

import csv
import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import tool_failure, whole_files
from rna2model.core.errors import InputProblem
from rna2model.planning.run_lock import now

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NAME = "status.json"
RUN_FOLDER = "RNA2MODEL_SERVING"  # variable with the folder of the run that Snakemake is to follow
QUEUED, RUNNING, EXCLUDED, FAILED, PREDICTED = "queued", "running", "excluded", "failed", "predicted"
ALL_PREDICTED, SOME_EXCLUDED, BAD_INPUT, JOB_FAILED, LOCKED = 0, 3, 4, 5, 6  # exit codes
STATES = {
    ALL_PREDICTED: "finished",
    SOME_EXCLUDED: "finished",
    BAD_INPUT: "refused",
    JOB_FAILED: "failed",
}


class Status:
    """The status of one run, in `<run>/status.json` and, for its results folder, in `<results>/status.json`.

    run : folder of the run, results/serving/<run>
    """

    def __init__(self, run: str | Path, content: dict[str, Any] | None = None) -> None:
        self.run = Path(run)
        self.results = self.run.parents[1]
        self.content = content or json.loads((self.run / NAME).read_text())

    @classmethod
    def begin(cls, run: str | Path, **facts: Any) -> Status:
        """Start the status of a run that is checking its input."""
        started = {"run": Path(run).name, "state": "checking", "started": now(), "ended": None}
        status = cls(run, {**started, "exit_code": None, "reason": "", **facts, "samples": {}})
        status.write()
        return status

    def set(self, name: str, state: str, reason: str = "") -> None:
        """Set the state of a sample and record the time; nothing changes if the sample is in that state already."""
        sample = self.content["samples"].setdefault(name, {"state": None, "reason": "", "times": {}})
        if sample["state"] != state or sample["reason"] != reason:
            sample |= {"state": state, "reason": reason}
            sample["times"].setdefault(state, now())

    def write(self) -> None:
        """Write status.json atomically, with the current time as its last change."""
        self.content["updated"] = now()
        samples = [sample["state"] for sample in self.content["samples"].values()]
        states = (QUEUED, RUNNING, EXCLUDED, FAILED, PREDICTED)
        self.content["counts"] = {state: samples.count(state) for state in states}
        text = json.dumps(self.content, indent=1) + "\n"
        for folder in (self.run, self.results):
            whole_files.write(folder / NAME, text)

    def judge(self, complete: bool) -> None:
        """Read each sample's verdict from samples.tsv and predictions.tsv; unless `complete`, only from files that
        this run wrote."""
        since = float("-inf") if complete else (self.run / "config.yaml").stat().st_mtime
        verdicts = _rows(self.results / "samples.tsv", since)
        for name, row in verdicts.items():
            if row["status"] == EXCLUDED:
                self.set(name, EXCLUDED, row["reason"])
            elif complete and name not in self.content["samples"]:
                self.set(name, QUEUED)
        for name, row in _rows(self.results / "predictions.tsv", since).items():
            if verdicts.get(name, {}).get("status") == EXCLUDED:
                continue
            without = row["flags"] or "it has no prediction"
            self.set(name, *((PREDICTED, "") if row["predicted"] else (EXCLUDED, without)))

    def end(self, returned: int, reason: str = "") -> int:
        """The exit code of a run whose Snakemake `returned` (0 or not); writes the status of it and of each sample."""
        self.judge(complete=returned == 0)
        samples = self.content["samples"]
        if returned and not (self.run / "started").exists():
            code, reason = BAD_INPUT, reason or "what the run was given is not right; its messages say what"
        elif samples and all(sample["state"] == EXCLUDED for sample in samples.values()):
            code, reason = SOME_EXCLUDED, "all samples are excluded"
        elif returned:
            code, reason = JOB_FAILED, reason or _failed(samples)
        else:
            code = (
                SOME_EXCLUDED if any(one["state"] == EXCLUDED for one in samples.values()) else ALL_PREDICTED
            )
        for name, sample in samples.items():
            if code == JOB_FAILED and sample["state"] in (QUEUED, RUNNING):
                self.set(name, FAILED, f"no prediction: {reason}")
        return self.finish(code, reason)

    def finish(self, code: int, reason: str = "") -> int:
        """Write the end of the run, and return its exit code."""
        self.content |= {"state": STATES[code], "exit_code": code, "reason": reason, "ended": now()}
        self.write()
        return code


class Follower(logging.Handler):
    """Updates the status while Snakemake's main process runs; an error in it never stops the run."""

    jobs: dict[Any, str | None]

    def __init__(self, run: str | Path, names: Iterable[str]) -> None:
        super().__init__()
        (Path(run) / "started").touch()
        self.status, self.jobs = Status(run), {}
        self.status.content["state"] = "running"
        for name in names:
            self.status.set(name, QUEUED)
        self.status.write()

    def emit(self, record: logging.LogRecord) -> None:
        event = str(getattr(record, "event", None) or "")
        try:
            if event == "job_info":
                self._begun(record)
            elif event == "job_finished":
                self._ended(record)
        except (OSError, KeyError, ValueError):
            self.handleError(record)

    def _begun(self, record: Any) -> None:
        self.jobs[record.jobid] = name = (record.wildcards or {}).get("sample")
        samples = self.status.content["samples"]
        begun = [name] if name else [one for one in samples if record.rule_name == "predict"]
        waiting = [one for one in begun if one in samples and samples[one]["state"] == QUEUED]
        for one in waiting:
            self.status.set(one, RUNNING)
        if waiting:
            self.status.write()

    def _ended(self, record: Any) -> None:
        if self.jobs.pop(record.job_id, None) is None:  # of all samples: there may be verdicts
            self.status.judge(complete=False)
            self.status.write()


def follow(run: str | Path | None, names: Iterable[str], logger: logging.Logger) -> None:
    """Keep the status of the run in folder `run` up to date by the messages of Snakemake; nothing where `run` is None."""
    if run:
        logger.addHandler(Follower(run, names))


def note_failures(run: str | Path | None, jobs: Iterable[Any], last_words: Callable[[str], str]) -> None:
    """Note which samples' jobs failed. jobs: failed jobs of Snakemake; last_words: function of a log that returns its
    error in one sentence."""
    if not run:
        return
    status = Status(run)
    reasons = []
    for job in jobs:
        words = next(filter(None, map(last_words, job.log)), "")
        about = f"{job.rule.name} of {tool_failure.of_what(job.wildcards_dict)} failed"
        reasons.append(f"{about}: {words}" if words else about)
        if name := job.wildcards_dict.get("sample"):
            status.set(name, FAILED, reasons[-1])
    status.content["reason"] = "; ".join(sorted(reasons))
    status.write()


def given_run() -> str | None:
    """Folder of the run that this process is to follow (str), or None."""
    return os.environ.get(RUN_FOLDER) or None


def _failed(samples: Mapping[str, Mapping[str, Any]]) -> str:
    failed = sorted(one["reason"] for one in samples.values() if one["state"] == FAILED)
    return "; ".join(failed) or "a job failed, or the run was stopped; its messages say which"


def _rows(path: Path, since: float) -> dict[str, dict[str, str]]:
    """{sample: row} of a table that was written after `since` (seconds of the epoch); {} where there is none."""
    try:
        if path.stat().st_mtime < since:
            return {}
        with open(path, newline="") as file:
            return {row["sample"]: row for row in csv.DictReader(file, delimiter="\t", quotechar='"')}
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, ValueError) as error:
        raise InputProblem(f"{path} cannot be read: {error}") from None
