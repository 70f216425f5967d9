"""Resource requests of jobs and limits of partitions: a request larger than every partition is cut to the largest one.

A job that is tried again asks for twice the memory; where that fits no partition it would never be submitted, while all
of the largest partition may well be enough.
"""

from __future__ import annotations

import json
from dataclasses import asdict, astuple, dataclass, replace
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

VARIABLE = "RNA2MODEL_PARTITIONS"  # how submitted jobs learn the partitions, so that they calculate the same requests


@dataclass(frozen=True)
class Partition:
    """The largest job that a partition takes."""

    name: str
    mem_mb: float = inf
    minutes: float = inf
    threads: float = inf
    gpus: int = 0


@dataclass(frozen=True)
class Request:
    """The resources that a job requests; `gpus` decides which partitions it may go to."""

    mem_mb: int
    minutes: int
    threads: int = 1
    gpus: int = 0

    def fits(self, partition: Partition) -> bool:
        """Whether `partition` takes this job."""
        wanted = (self.mem_mb, self.minutes, self.threads, self.gpus)
        return all(mine <= most for mine, most in zip(wanted, astuple(partition)[1:], strict=True))

    def __str__(self) -> str:
        gpus = f", {self.gpus} GPU{'s' if self.gpus > 1 else ''}" if self.gpus else ""
        return f"{self.mem_mb / 1000:.1f} GB, {in_hours(self.minutes)}, {self.threads} threads{gpus}"


def fitted(request: Request, partitions: Sequence[Partition]) -> Request:
    """`request` as it is where a partition takes it; else cut to the partition that leaves most of its memory, then time.

    Threads and GPUs are never cut: a request that wants more of them than any partition has comes back as it is.
    """
    if not partitions or any(request.fits(partition) for partition in partitions):
        return request
    cuts = [
        Request(
            int(min(request.mem_mb, partition.mem_mb)),
            int(min(request.minutes, partition.minutes)),
            request.threads,
            request.gpus,
        )
        for partition in partitions
        if request.threads <= partition.threads and request.gpus <= partition.gpus
    ]
    return max(cuts, key=lambda cut: (cut.mem_mb, cut.minutes), default=request)


def with_room(partitions: Sequence[Partition], share: float = 0.9) -> list[Partition]:
    """Partitions of which a job gets only that share of memory and time: the rest is for what is submitted with it."""
    return [
        replace(
            one, name=f"{one.name}, beside its group,", mem_mb=share * one.mem_mb, minutes=share * one.minutes
        )
        for one in partitions
    ]


def dumps(partitions: Sequence[Partition]) -> str:
    """The partitions as a text for jobs (`loads`)."""
    return json.dumps([asdict(partition) for partition in partitions])


def loads(text: str | None) -> list[Partition]:
    """The partitions of a text that `dumps` made; none of an empty one."""
    return [Partition(**entry) for entry in json.loads(text)] if text else []


def largest(partitions: Sequence[Partition], gpus: int = 0) -> str:
    """The limits of the largest partitions, as text."""
    able = [partition for partition in partitions if partition.gpus >= gpus]
    if not able:
        return "no partition has GPUs (max_gpu)"
    return "; ".join(
        f"{one.name} takes {_most(one.mem_mb / 1000, 'GB')}, {in_hours(one.minutes)}, {_most(one.threads, 'threads')}"
        for one in able
    )


def in_hours(minutes: float) -> str:
    """Minutes as words."""
    return "any time" if minutes == inf else f"{minutes / 60:.3g} h"


def _most(number: float, unit: str) -> str:
    return f"any number of {unit}" if number == inf else f"{number:.4g} {unit}"


def unfit(
    rules: Mapping[str, Callable[..., Request]],
    partitions_of: Callable[[str], Sequence[Partition]],
    retries: Mapping[str, int],
) -> tuple[list[str], list[str]]:
    """(problems, notes): rules whose first attempt fits no partition, and those of which only later ones are cut.

    rules : {rule: function of an attempt that returns the uncut Request of its largest job}
    partitions_of : function of a rule, the partitions that it may fill
    retries : {rule: further attempts after the first}
    """
    problems, notes = [], []
    for rule, asks in sorted(rules.items()):
        partitions = partitions_of(rule)
        first, last = asks(1), asks(1 + retries[rule])
        if not any(first.fits(one) for one in partitions):
            problems.append(
                f"{rule}: {first}; {largest(partitions, first.gpus)}.{ALTERNATIVES.get(rule, '')}"
            )
        elif not any(last.fits(one) for one in partitions):
            cut = fitted(last, partitions)
            notes.append(f"{rule}: attempt {1 + retries[rule]} would ask for {last}, and gets {cut}")
    return problems, notes


# What else does the work of a rule whose request grows with the reads or the genome.
ALTERNATIVES = {
    "count_htseq": " `quantification.tool: featurecounts` counts by the same rule with a fraction of the memory and time.",
    "deduplicate_umis": " Leave out `trimming.umi` (fragments are then counted with their copies), or exclude so large a sample.",
    "index_star": " `alignment.tool: hisat2` needs a quarter of the memory, or give an index made elsewhere (`reference.index`).",
    "align_star": " `alignment.tool: hisat2` needs a quarter of the memory.",
}
