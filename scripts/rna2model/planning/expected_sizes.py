"""Expected sizes of files that a run has yet to make, used by `make plan` and by the check of a cluster's limits."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.planning.disk import ACCESSION, BAM, packed_reads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rna2model.inputs.sheet import Sample
    from rna2model.planning.slurm_requests import Request

ACCESSION_MB = ACCESSION / 1e6
FEATURES = 60_000  # genes of a GENCODE annotation; smaller ones ask for less than is planned
BYTES_OF_CELL = 8  # of a cohort file: int32 counts and float32 values
READ = 250  # bytes of a read in FASTQ
SPLIT_MB = 2  # normalizer, batch model or features of one split
HOURS_PER_GB = (
    0.125  # core hours, reads to counts, of a GB of packed FASTQ: 0.015 for a million pairs (docs/scale.md)
)
OF_SAMPLE = re.compile(
    r"(?P<step>reads|aligned)/(?P<kind>\w+)/(?:(?P<stage>\w+)/)?(?P<name>[^/]+?)(?P<end>(_R[12])?\.\w+.*)"
)


class Expected:
    """Sizes of files below `results`, from the sheet and the config.

    samples : {name: Sample}; genome_mb : function without arguments, megabases
    trained : number of labelled samples
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        samples: Mapping[str, Sample],
        genome_mb: Callable[[], float],
        trained: int,
    ) -> None:
        self.results, self.config, self.samples = Path(config["results"]), config, samples
        self.genome_mb, self.trained = genome_mb, trained
        self.size_mb = cache(self.size_mb)  # type: ignore[method-assign]  # one cache for each object
        self.reads_mb = cache(self.reads_mb)  # type: ignore[method-assign]

    def size_mb(self, path: str | Path) -> float:
        """Size of a file in megabytes, estimated if it does not exist yet; 0 for small files and folders."""
        path = Path(path)
        if path.is_file():
            return path.stat().st_size / 1e6
        if path.is_dir():  # as the rules see it: what an index needs follows from the genome
            return 0
        try:
            inside = str(path.relative_to(self.results))
        except ValueError:
            return 0
        parts = OF_SAMPLE.fullmatch(inside)
        return self._of_sample(parts) if parts else self._of_cohort(inside)

    def reads_mb(self, name: str) -> float:
        """Megabytes of a sample's compressed FASTQ, or the equivalent for alignments and accessions."""
        sample = self.samples[name]
        if sample.bam:
            return self.size_mb(sample.bam) / BAM
        return packed_reads(sample) / 1e6

    def _of_sample(self, parts: re.Match[str]) -> float:
        if parts["kind"] == "sampled":
            return self.config["qc"]["fastqc_reads"] * READ / 1e6
        name, end = parts["name"], parts["end"]
        if name not in self.samples:  # a downloaded run
            return ACCESSION_MB / (2 if parts["stage"] == "paired" else 1)
        if parts["step"] == "reads":
            return self.reads_mb(name) / (2 if parts["stage"] == "paired" else 1)
        return BAM * self.reads_mb(name) if end == ".bam" else 0

    def _of_cohort(self, inside: str) -> float:
        cell = BYTES_OF_CELL * FEATURES / 1e6
        if inside in ("splits/training.h5ad", "splits/unlabelled.h5ad"):
            return cell * self.trained
        if inside == "cohort.h5ad":
            return cell * len(self.samples)
        if inside.startswith("splits/"):
            return SPLIT_MB if inside.endswith(".safetensors") else 0
        if inside == "reference/genome.fa":
            return self.genome_mb()
        if inside == "reference/annotation.gtf":
            return self.genome_mb() / 2  # 1.5 GB for a human genome
        return 0


def plan(
    by_rule: Mapping[str, Sequence[Request]],
    submissions: int,
    files: int,
    records: int,
    limited: bool,
    problems: Sequence[str],
    notes: Sequence[str],
    reads_mb: float,
    disk: str,
) -> str:
    """The text of a plan.

    by_rule : {rule: [Request of each job]}; submissions, files, records : numbers; limited : whether partitions are known; problems, notes : of `slurm_requests.unfit`
    reads_mb : packed FASTQ of all samples; disk : sentence about the disk, or an empty text
    """
    lines = [
        f"{'rule':<26}{'jobs':>7}{'threads':>9}{'GB, largest':>13}{'hours, longest':>16}{'core hours':>12}"
    ]
    for rule, requests in by_rule.items():
        lines.append(
            f"{rule:<26}{len(requests):>7}{max(one.threads for one in requests):>9}"
            f"{max(one.mem_mb for one in requests) / 1000:>13.1f}{max(one.minutes for one in requests) / 60:>16.1f}"
            f"{_core_hours(requests):>12.0f}"
        )
    everything = [one for requests in by_rule.values() for one in requests]
    lines += [
        "",
        f"{len(everything)} jobs in about {submissions} submissions; they leave about {files} files, and {records} records in .snakemake.",
        f"They reserve at most {_core_hours(everything):.0f} core hours (first attempts; time limits are generous).",
    ]
    if reads_mb:
        lines.append(
            f"Reads to counts take about {HOURS_PER_GB * reads_mb / 1000:.0f} core hours as measured on a small genome; a human"
            " one takes more (docs/scale.md)."
        )
    lines += [disk] if disk else []
    lines += ["", "Fits no partition:", *(f"  {text}" for text in problems)] if problems else []
    lines += ["", "Limited by the largest partition:", *(f"  {text}" for text in notes)] if notes else []
    lines += (
        ["Every job's first attempt fits a partition of the profile."] if limited and not problems else []
    )
    return "\n".join(lines)


def _core_hours(requests: Iterable[Request]) -> float:
    return sum(one.threads * one.minutes for one in requests) / 60
