"""The resources that a run would request, computed from the rules before any file exists (`make plan`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.planning import expected_sizes, slurm_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rna2model.planning.partitions import Partitions
    from rna2model.planning.resources import JobResources

TARGETS = ("all", "predictions", "counts")


class RunPlan:
    """Requests of the jobs that Snakemake has planned.

    workflow : Snakemake's Workflow; resources : JobResources; partitions : Partitions
    read_samples : names of the samples whose reads are counted
    disk_message : function without arguments, a sentence about the disk or an empty text
    """

    def __init__(
        self,
        workflow: Any,
        resources: JobResources,
        partitions: Partitions,
        read_samples: Iterable[str],
        disk_message: Callable[[], str],
    ) -> None:
        self.workflow, self.resources, self.partitions = workflow, resources, partitions
        self.read_samples, self.disk_message = read_samples, disk_message

    def request(self, job: Any, attempt: int = 1, uncut: bool = True) -> slurm_requests.Request:
        """The Request of a job at an attempt, by the sizes that its input will have."""
        with self.resources.planning(uncut):
            amounts = job.rule.expand_resources(job.wildcards, job.input, attempt)
        number = {name: value if isinstance(value, int) else 0 for name, value in amounts.items()}
        gpus = number.get("gpu", 0)
        return slurm_requests.Request(
            number.get("mem_mb", 0), number.get("runtime", 0), amounts["_cores"], gpus
        )

    def largest_jobs(self, jobs: Iterable[Any]) -> dict[str, Any]:
        """{rule: the job with the largest input}."""
        largest: dict[str, Any] = {}
        for job in jobs:
            size = sum(map(self.resources.expected.size_mb, job.input))
            if size > largest.get(job.rule.name, (-1,))[0]:
                largest[job.rule.name] = size, job
        return {name: job for name, (_, job) in largest.items()}

    def unfit_rules(self, jobs: Iterable[Any]) -> tuple[list[str], list[str]]:
        """(problems, notes) of slurm_requests.unfit() for the largest job of each rule; empty if partitions are not
        known."""
        largest = self.largest_jobs(jobs)
        known = self.partitions.known()
        return slurm_requests.unfit(
            {name: (lambda attempt, job=job: self.request(job, attempt)) for name, job in largest.items()},
            self.partitions.of if known else lambda name: [slurm_requests.Partition("any")],
            {name: job.rule.restart_times or 0 for name, job in largest.items()},
        )

    def text(self) -> str:
        """Table of the requests of each rule and their sums, for `make plan`."""
        jobs = [job for job in self.workflow.dag.needrun_jobs() if job.rule.name not in TARGETS]
        by_rule: dict[str, list[slurm_requests.Request]] = {}
        together = set()
        for job in jobs:
            by_rule.setdefault(job.rule.name, []).append(self.request(job, uncut=False))
            whose = next(iter(job.wildcards_dict.values()), "")
            together.add((job.group, whose) if job.group else (job.rule.name, *job.wildcards_dict.values()))
        files, records = sum(map(files_that_stay, jobs)), sum(len(job.output) for job in jobs)
        problems, notes = self.unfit_rules(jobs)
        reads = sum(map(self.resources.expected.reads_mb, self.read_samples))
        limited, disk = bool(self.partitions.known()), self.disk_message()
        return expected_sizes.plan(
            by_rule, len(together), files, records, limited, problems, notes, reads, disk
        )


def files_that_stay(job: Any) -> int:
    """Number of files that a job leaves: its outputs but temporary ones, its log and benchmark."""
    outputs = [file for file in job.output if file not in job.temp_output]
    return len(outputs) + len(job.log) + bool(job.benchmark)
