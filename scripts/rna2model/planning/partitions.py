"""The partitions of a SLURM cluster as the profile's file names them, and requests cut to what they take."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.planning import slurm_requests

if TYPE_CHECKING:
    from rna2model.planning.resources import JobResources

CUT = ("mem_mb", "runtime")


class Partitions:
    """The limits of the profile's partitions.

    workflow : Snakemake's Workflow; resources : JobResources
    """

    def __init__(self, workflow: Any, resources: JobResources) -> None:
        self.workflow, self.resources = workflow, resources
        self.known, self.of = cache(self._known), cache(self._of)

    def _known(self) -> list[slurm_requests.Partition]:
        """[Partition], read by the submitting process and passed on to its jobs; empty without a partition file."""
        settings = self.workflow.executor_settings if self.workflow.is_main_process else None
        path = getattr(settings, "partition_config", None)
        if path:
            os.environ[slurm_requests.VARIABLE] = slurm_requests.dumps(read(path))
        elif self.workflow.is_main_process:
            os.environ.pop(slurm_requests.VARIABLE, None)
        return slurm_requests.loads(os.environ.get(slurm_requests.VARIABLE))

    def _of(self, rule: str) -> list[slurm_requests.Partition]:
        """The part of each partition that `rule` may fill, which is not all of it where other jobs are submitted with it (`groups` of the profile)."""
        grouped = rule in self.workflow.group_settings.overwrite_groups
        return slurm_requests.with_room(self.known()) if grouped else self.known()

    def fit(self, rule: Any) -> None:
        """Limit the memory and time of a Rule to the largest partition, since SLURM rejects a job that fits none.

        What the user sets for single rules (`set-resources`) stays as it is.
        """
        from snakemake.resources import Resource

        overwritten = self.workflow.resource_settings._parsed_overwrite_resources.get(rule.name, {})
        own = {name: rule.resources.get(name) for name in CUT}
        if own.keys() & set(overwritten) or not own.keys() <= set(rule.resources):
            return
        gpu = rule.resources.get("gpu")
        gpus = 0 if gpu.is_evaluable() else int(gpu.value or 0)

        def fitted(name):
            def needed(wildcards, input, attempt, threads):
                context = {"input": input, "attempt": attempt, "threads": threads}
                if self.resources.is_uncut or not self.known():
                    return own[name].evaluate(wildcards, **context).value
                amounts = {
                    key: resource.evaluate(wildcards, **context).value for key, resource in own.items()
                }
                if not isinstance(amounts[name], int):  # input that is still to be made
                    return amounts[name]
                known = [value if isinstance(value, int) else 0 for value in amounts.values()]
                cut = slurm_requests.fitted(slurm_requests.Request(*known, threads, gpus), self.of(rule.name))
                return cut.mem_mb if name == "mem_mb" else cut.minutes

            return needed

        for name in own:
            rule.resources[name] = Resource(name, fitted(name))


def read(path: str | Path) -> list[slurm_requests.Partition]:
    """The partitions of this cluster in the profile's file, as the executor reads it."""
    from snakemake_executor_plugin_slurm.partitions import read_partition_file

    return [
        slurm_requests.Partition(
            partition.name,
            limit.max_mem_mb,
            limit.max_runtime,
            min(limit.max_threads, limit.max_cpus_per_task),
            limit.max_gpu,
        )
        for partition in read_partition_file(Path(path))
        if not partition.partition_cluster
        for limit in [partition.limits]
    ]
