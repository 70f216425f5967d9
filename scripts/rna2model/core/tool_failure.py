"""Marks of tools or scripts that failed on one sample's data, written in place of their output files.

A marked file is one line: MARK, sample, rule, log, first output, reason, with tabs between. scripts/guard.sh writes it for the
commands of rules, `SampleJob` for scripts; every later job of the sample hands it on, and rule tally_fragments makes it
the verdict. So it travels in the files that rules declare, on any machine, and the plan of the run does not change.
"""

from __future__ import annotations

import re
import sys
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model import REPOSITORY
from rna2model.core.errors import InputProblem, ToolFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

MARK = "#rna2model-failed"
PATTERNS = REPOSITORY / "scripts" / "infrastructure.txt"
TAIL = 20_000  # bytes at the end of a log
LONGEST = 400  # characters of a reason
SINGLE = {"sample", "accession"}  # wildcards of jobs that are about one sample
WITHOUT_IT = ", or fill `exclude` for that sample in the sheet to go on without it"


@dataclass(frozen=True)
class Failure:
    """`file`: the first output of the job that failed, by which it is run again; `log`: its log."""

    sample: str
    rule: str
    log: str
    file: str
    reason: str

    def mark(self, outputs: Iterable[str | Path]) -> None:
        """Write the mark to the files `outputs`."""
        line = "\t".join([MARK, *(" ".join(str(part).split()) for part in astuple(self))])
        for path in outputs:
            Path(path).write_text(line + "\n")


def of(path: str | Path) -> Failure | None:
    """The Failure marked in a file or in `failed.txt` of a folder; None for any other file."""
    path = Path(path)
    path = path / "failed.txt" if path.is_dir() else path
    if not path.is_file():
        return None
    with open(path, "rb") as file:
        if file.read(len(MARK)) != MARK.encode():
            return None
        return Failure(*file.readline().decode(errors="replace").rstrip("\n").split("\t")[1:])


def first(paths: Iterable[str | Path]) -> Failure | None:
    """The first Failure among files, or None."""
    return next(filter(None, map(of, paths)), None)


def of_what(wildcards: Mapping[str, Any]) -> str:
    """What a job works on, from its {wildcard: value}: the sample's name, else words; the cohort is never called a
    sample."""
    if SINGLE.intersection(wildcards):
        return ", ".join(map(str, wildcards.values()))
    return ", ".join(f"{name} {value}" for name, value in wildcards.items()) or "all samples"


@cache
def _patterns():
    return re.compile("|".join(PATTERNS.read_text().split("\n")[:-1]), re.IGNORECASE | re.MULTILINE)


def is_infrastructure(text: str) -> bool:
    """Whether an error is due to memory, time, disk, node, network or environment rather than data, by its words."""
    return bool(_patterns().search(text))


def stopped_for_good(log: str | Path, since: float = 0.0) -> str | None:
    """The InputProblem with which the script of `log` ended after `since` (seconds of the epoch), or None.

    It ends the same way however often it is tried.
    """
    try:
        if Path(log).stat().st_mtime < since:
            return None  # of an earlier run
        with open(log, "rb") as file:
            file.seek(max(file.seek(0, 2) - TAIL, 0))
            errors = re.findall(r"^error: (.*)", file.read().decode(errors="replace"), re.M | re.S)
    except OSError:
        return None
    text = errors[-1].strip() if errors else ""
    return text if text and not is_infrastructure(text) else None


class SampleJob:
    """The script of one sample, which writes a mark and ends without error if the sample's data are at fault.

    job : Snakemake's object of the script; spare : names of inputs without which the sample is still counted
    write : function of a Failure that writes the outputs, where they are not to be marked
    """

    def __init__(
        self, job: Any, spare: Collection[str] = (), write: Callable[[Failure], object] | None = None
    ) -> None:
        self.job, self.write = job, write or (lambda failure: failure.mark(job.output))
        self.excludes = job.config["qc"]["on_tool_failure"] == "exclude"
        named = {str(path) for name in spare if name in job.input.keys() for path in [job.input[name]]}
        self.inputs = [path for path in job.input if str(path) not in named]

    @classmethod
    def of(cls, job: Any, **options: Any) -> SampleJob | None:
        """The SampleJob of a script, or None where it is of no single sample."""
        return cls(job, **options) if "sample" in getattr(job, "wildcards", {}).keys() else None

    def hand_on(self) -> bool:
        """Mark the outputs if an input is marked; returns whether one is."""
        failure = first(self.inputs)
        if failure and not self.excludes:
            raise InputProblem(
                f"{failure.reason}; qc.on_tool_failure is stop now: run that job again with --forcerun {failure.file}"
            )
        if failure:
            self.write(failure)
            print(f"not run: {failure.reason}")
        return failure is not None

    def judge(self, error: BaseException) -> str | None:
        """Why `error` excludes the sample, or None if the job is to be retried or to stop the run."""
        name, text = type(error).__name__, " ".join(str(error).split())
        message = (
            text if isinstance(error, InputProblem | ToolFailed) else f"{name}: {text}".removesuffix(": ")
        )
        before = self._remembered()
        if not self.excludes or is_infrastructure(f"{name}: {text}"):
            before.unlink(missing_ok=True)
            return None
        sample, rule = self.job.wildcards.sample, self._rule()
        if isinstance(error, InputProblem):
            return f"{rule} stopped: {message.removeprefix(f'{sample}: ')}"[:LONGEST]
        signature = re.sub(r"\d+", "N", re.sub(r"\S*/\S*", "P", message))
        if not before.is_file() or before.read_text() != signature:
            before.parent.mkdir(parents=True, exist_ok=True)
            before.write_text(signature)
            return None
        before.unlink()
        return f"{rule} failed twice: {message}"[:LONGEST]

    def exclude(self, reason: str) -> str:
        """Write the mark and a line in the log; returns that line."""
        job = self.job
        failure = Failure(job.wildcards.sample, self._rule(), str(job.log[0]), str(job.output[0]), reason)
        self.write(failure)
        text = f"rna2model: {failure.sample}: {reason}; the run goes on without it (log: {failure.log})\n"
        sys.stderr.write(text)
        return text

    def _rule(self):
        """The rule as its log is called, the same for single-end and paired-end samples."""
        return Path(str(self.job.log[0])).parent.name

    def _remembered(self):
        """Where the first failure of a job is kept for its second attempt."""
        log = Path(str(self.job.log[0]))
        return log.parents[1] / "failed_once" / log.parent.name / log.name
