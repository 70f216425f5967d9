"""Paths of a sample's files: its reads after each step, its alignments and its quality reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rna2model.inputs.sheet import Sample

MATES = ("R1", "R2")

# What the tools say of their work, behind the name of the sample in the folder of its quality files.
COUNTER_SUMMARY = {
    "featurecounts": ".featurecounts.txt.summary",
    "htseq": ".htseq.txt",
    "star": ".ReadsPerGene.out.tab",
    "salmon": ".salmon.json",
}
ALIGNER_SUMMARY = {"star": [".Log.final.out"], "hisat2": [".hisat2.txt"], "none": []}
TRIMMING_REPORT = {
    "fastp": [".{layout}.fastp.json"],
    "cutadapt": [".{layout}.cutadapt.json"],
    "trim_galore": [f"_{mate}.{{layout}}.fastq.gz_trimming_report.txt" for mate in MATES],
    "none": [],
}


class SamplePaths:
    """Paths of the files of each sample, as the config and the sheet decide them.

    config : the checked config; samples : {name: Sample}
    temp : function of a path that marks an output as temporary (Snakemake's)
    as_input : function of a path that the user named, which returns it as an input
    only_named : whether jobs get copies of what their rule names, and nothing else

    Attributes
    ----------
    steps : the steps that write reads, in their order
    filters : the filters that write alignments, in their order
    bam, bai : all alignments of a sample, and their index: a path with {sample}, or an input function
    counted_bam : the alignments that are counted, those left by the last filter
    qc : path of a sample's quality files up to their endings: a folder for each sample, whose files begin with its name, for MultiQC
    counter_summary : path of what the counting tool says; aligner_summary, trimming_report : the same of the others, as lists
    rseqc : fragments that RSeQC looks at; 0 where it is left out
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        samples: Mapping[str, Sample],
        temp: Callable[[str], Any],
        as_input: Callable[[str], Any],
        only_named: bool = False,
    ) -> None:
        self.config, self.samples, self.results = config, samples, config["results"]
        self.temp, self.as_input, self.only_named = temp, as_input, only_named
        self.trimmer, self.aligner, self.counter = (
            config[key]["tool"] for key in ("trimming", "alignment", "quantification")
        )
        self.umi = config["trimming"]["umi"]
        self.steps, self.filters = steps(config), filters(config)
        self.qc, self.rseqc = f"{self.results}/qc/{{sample}}/{{sample}}", config["qc"]["rseqc_fragments"]
        self.counter_summary = self.qc + COUNTER_SUMMARY[self.counter]
        self.aligner_summary = [self.qc + file for file in ALIGNER_SUMMARY[self.aligner]]
        self.trimming_report = [self.qc + file for file in TRIMMING_REPORT[self.trimmer]]
        self.bam, self.bai = self.alignments("bam"), self.alignments("bam.bai")
        filtered = self.filters and f"{self.results}/aligned/{self.filters[-1]}/{{sample}}.bam"
        self.counted_bam = filtered or self.bam

    def layout(self, sample: str) -> str:
        """`paired` or `single`, the folder of a sample's reads; `bam` for a sample given as alignments."""
        return "bam" if self.samples[sample].bam else self.samples[sample].layout

    def mates(self, sample: str) -> list[str]:
        """Names of a sample's FASTQ files after preparation: R1, and R2 where it is paired."""
        return ["R1", "R2"] if self.layout(sample) == "paired" else ["R1"]

    def paired(self, step: str) -> list[str]:
        """The two FASTQ files that `step` leaves of a paired-end sample."""
        return [f"{self.results}/reads/{step}/paired/{{sample}}_{mate}.fastq.gz" for mate in MATES]

    def single(self, step: str) -> list[str]:
        """The FASTQ file that `step` leaves of a single-end sample, in a list."""
        return [f"{self.results}/reads/{step}/single/{{sample}}_R1.fastq.gz"]

    def stored(self, step: str, files: list[str]) -> list[Any]:
        """`files` as the output of `step`: temporary, unless `keep` says else."""
        keep = step == self.steps[-1] and self.config["keep"]["trimmed"]
        return files if keep else [self.temp(file) for file in files]

    def before(self, step: str) -> str:
        """The step whose reads `step` takes."""
        return self.steps[self.steps.index(step) - 1]

    def reads_after(self, step: str, sample: str) -> list[str]:
        """The FASTQ files that `step` leaves of a sample."""
        files = self.paired(step) if self.layout(sample) == "paired" else self.single(step)
        return [file.format(sample=sample) for file in files]

    def reads_to_align(self, wildcards: Any) -> list[str]:
        """Input function: the reads of a sample after the last step."""
        return self.reads_after(self.steps[-1], wildcards.sample)

    def sampled(self, layout: str) -> list[str]:
        """Raw reads that FastQC looks at, taken evenly."""
        mates = MATES if layout == "paired" else MATES[:1]
        return [f"{self.results}/reads/sampled/{layout}/{{sample}}_{mate}.fastq" for mate in mates]

    def sampled_reads(self, wildcards: Any) -> list[str]:
        """Input function: `sampled` of a sample."""
        name = wildcards.sample
        return [file.format(sample=name) for file in self.sampled(self.layout(name))]

    def lanes(self, mate: int) -> Callable[[Any], list[Any]]:
        """Input function: FASTQ files of mate 1 or 2, one for each lane."""

        def files(wildcards):
            sample = self.samples[wildcards.sample]
            fetched = f"{self.results}/reads/fetched/{sample.layout}"
            if sample.accessions and (mate == 1 or sample.layout == "paired"):
                return [f"{fetched}/{accession}_R{mate}.fastq.gz" for accession in sample.accessions]
            return [self.as_input(file) for file in (sample.fastq_1 if mate == 1 else sample.fastq_2)]

        return files

    def alignments(self, suffix: str) -> str | Callable[[Any], str]:
        """All alignments of a sample, one for each read; a function only where samples differ, since each call costs time."""
        folder = f"{self.results}/aligned"
        if any(sample.bam for sample in self.samples.values()):
            return lambda wildcards: (
                f"{folder}/{'given' if self.samples[wildcards.sample].bam else self.aligner}/{wildcards.sample}.{suffix}"
            )
        return f"{folder}/{self.aligner}/{{sample}}.{suffix}"

    def stored_alignments(self, path: str) -> Any:
        """Alignments as an output: temporary, unless `keep` says else."""
        return path if self.config["keep"]["alignments"] else self.temp(path)

    def filter_input(self, name: str) -> str | Callable[[Any], str]:
        """Alignments that the filter `name` takes."""
        place = self.filters.index(name) if name in self.filters else 0
        return f"{self.results}/aligned/{self.filters[place - 1]}/{{sample}}.bam" if place else self.bam

    def sample_facts(self, names: Iterable[str]) -> list[str]:
        """The facts by which the QC gate judges a sample."""
        return [self.of_sample("json", name) for name in names]

    def of_sample(self, ending: str, name: str) -> str:
        """A quality file of a sample."""
        return f"{self.results}/qc/{name}/{name}.{ending}"

    def is_aligned(self, name: str) -> bool:
        """Whether a sample has alignments: made here, or given."""
        return self.aligner != "none" or self.layout(name) == "bam"

    def evidence(self, wildcards: Any) -> dict[str, Any]:
        """Input function: see `evidence_of`."""
        return self.evidence_of(wildcards.sample)

    def evidence_of(self, name: str) -> dict[str, Any]:
        """{kind: file or files} that count a sample's fragments after each step; the kinds depend on the tools in use."""
        layout = self.layout(name)
        files: dict[str, Any] = {
            "verdict": self.of_sample(f"{layout}.reads.json", name),
            "library": self.of_sample("library.json", name),
            "summary": self.counter_summary.format(sample=name),
            "counts": f"{self.results}/counts/{name}.tsv",
        }
        if layout != "bam":
            if self.trimming_report:
                reports = self.trimming_report[: len(self.mates(name))]
                files["trimming"] = [file.format(sample=name, layout=layout) for file in reports]
            if "with_umi" in self.steps:
                files["umi"] = self.of_sample(f"{layout}.umi.json", name)
            if "without_rrna" in self.steps:
                files["rrna"] = self.of_sample(f"{layout}.rrna.json", name)
        if self.is_aligned(name):
            if self.umi:
                files["deduplicated"] = self.of_sample("deduplicated.json", name)
            if self.rseqc:
                files["rseqc"] = self.of_sample("rseqc.txt", name)
        return files

    def only_quality(self, name: str) -> list[str]:
        """Quality files of a sample that are not needed for its counts."""
        files = [self.of_sample("stats.txt", name)] if self.is_aligned(name) else []
        has_fastqc = self.config["qc"]["fastqc_reads"] and self.layout(name) != "bam"
        return files + ([self.of_sample("fastqc.tar", name)] if has_fastqc else [])

    def multiqc_files(self, names: Iterable[str]) -> list[str]:
        """Every QC file of the samples by name, so that files left by other settings are not included."""
        files = []
        for name in names:
            known = self.evidence_of(name)
            files += [known["rseqc"]] if "rseqc" in known else []
            files += known.get("trimming", [])
            files += [self.counter_summary.format(sample=name)] if self.counter != "salmon" else []
            files += self.only_quality(name)
            if self.layout(name) != "bam":
                files += [file.format(sample=name) for file in self.aligner_summary]
        return files

    def multiqc_inputs(self, names: Sequence[str]) -> list[str]:
        """What MultiQC waits for: the last file made of each sample, and what nothing else waits for.

        To name all files would take a tenth of the time to plan a large cohort. A bucket sends only what is named.
        """
        if self.only_named:
            return self.multiqc_files(names)
        return self.sample_facts(names) + [file for name in names for file in self.only_quality(name)]


def steps(config: Mapping[str, Any]) -> list[str]:
    """Names of the steps that write reads, in their order."""
    trimming = config["trimming"]
    names = ["prepared"]
    names += ["with_umi"] if trimming["umi"] and trimming["umi"] != "in_name" else []
    names += ["trimmed"] if trimming["tool"] != "none" else []
    names += ["without_rrna"] if trimming["rrna"] else []
    return names


def filters(config: Mapping[str, Any]) -> list[str]:
    """Names of the filters that write alignments, in their order."""
    names = ["deduplicated"] if config["trimming"]["umi"] else []
    names += ["selected"] if config["alignment"]["min_mapq"] else []
    return names
