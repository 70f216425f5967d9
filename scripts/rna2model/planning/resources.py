"""Memory and time requests of jobs, from the size of their input; each further attempt asks for more."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from math import ceil, inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.planning.expected_sizes import Expected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rna2model.inputs.sheet import Sample

SNAKEMAKE_MB = 400  # a submitted job holds Snakemake twice, 180 MB each (measured), beside its tool


class JobResources:
    """Requests of the rules for memory and time.

    config : the checked config; samples : {name: Sample}; trained : number of labelled samples
    bytes_of : function of a path that the user named, which returns the size of that file
    only_named : whether jobs get copies of what their rule names (then Snakemake knows the sizes)
    as_sold : whether memory is asked for in the steps in which clouds sell it

    Attributes
    ----------
    expected : sizes of files that are not there yet
    is_planning : whether requests follow from those
    is_uncut : whether they may go beyond what the partitions take
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        samples: Mapping[str, Sample],
        trained: int,
        bytes_of: Callable[[str], float] = os.path.getsize,
        only_named: bool = False,
        as_sold: bool = False,
    ) -> None:
        self.fasta, self.bytes_of = config["reference"]["fasta"], bytes_of
        self.only_named, self.as_sold = only_named, as_sold
        self.genome_mb = cache(self._genome_mb)
        self.expected = Expected(config, samples, self.genome_mb, trained)
        self.is_planning = self.is_uncut = False

    def _genome_mb(self) -> float:
        """Size of the genome in megabytes of bases, known before the reference is unpacked."""
        packed = 4 if Path(self.fasta).suffix == ".gz" else 1  # DNA packs about four to one
        return packed * self.bytes_of(self.fasta) / 1e6

    @contextmanager
    def planning(self, uncut: bool = False) -> Iterator[None]:
        """Requests follow from the sizes that files will have; with `uncut` also beyond what the partitions take."""
        self.is_planning, self.is_uncut = True, uncut
        try:
            yield
        finally:
            self.is_planning = self.is_uncut = False

    def index_threads(self, wildcards: Any) -> int:
        """A small genome is indexed in seconds by one thread, beside the first samples."""
        return 8 if self.genome_mb() > 100 else 1

    def size_mb(self, files: Any) -> float:
        """Size in megabytes; FileNotFoundError while one is still to be made, which Snakemake shows as <TBD>.

        The same as `input.size_mb`, without an event loop for each job: that was a tenth of the time to plan a large cohort.
        """
        if self.is_planning:
            return sum(map(self.expected.size_mb, files))
        return files.size_mb if self.only_named else sum(os.stat(file).st_size for file in files) / 1e6

    def megabytes(self, base: float, per_genome_mb: float = 0, per_input_mb: float = 0) -> Callable[..., int]:
        """Memory request: a base, what the genome and the input need, doubled at each further attempt.

        What does not depend on input that is still to be made is known, and shown, before the first job.
        """

        def needed(wildcards, input, attempt, threads):
            genome = per_genome_mb * self.genome_mb() if per_genome_mb else 0
            for_input = per_input_mb * self.size_mb(input) if per_input_mb else 0
            wanted = int((SNAKEMAKE_MB + base + genome + for_input) * 2 ** (attempt - 1))
            return round_up_to_cloud_size(wanted, threads) if self.as_sold else wanted

        return needed

    def minutes(self, base: float, per_gigabyte: float = 0) -> Callable[..., int]:
        """Run time request: a base and what a gigabyte of input takes, times the attempt."""

        def needed(wildcards, input, attempt):
            for_input = per_gigabyte * self.size_mb(input) / 1000 if per_gigabyte else 0
            return int((base + for_input) * attempt)

        return needed


def round_up_to_cloud_size(mb: float, threads: int) -> int:
    """Round memory up to a size that clouds offer: AWS Batch's executor accepts no other numbers, and needs two
    gigabytes per thread."""
    step = next(step for most, step in ((16384, 1024), (61440, 4096), (inf, 8192)) if mb <= most)
    return max(step * ceil(mb / step), 2048 * threads)
