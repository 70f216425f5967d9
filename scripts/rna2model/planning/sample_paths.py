"""Where the files of a sample are: its reads after each step, its alignments, and what says how it went."""

MATES = ("R1", "R2")

# What the tools say of their work, below <results>/qc.
COUNTER_SUMMARY = {
    "featurecounts": "featurecounts/{sample}.txt.summary",
    "htseq": "htseq/{sample}.htseq.txt",
    "star": "star/{sample}.ReadsPerGene.out.tab",
    "salmon": "salmon/{sample}.json",
}
ALIGNER_SUMMARY = {
    "star": ["star/{sample}.Log.final.out"],
    "hisat2": ["hisat2/{sample}.txt"],
    "none": [],
}
TRIMMING_REPORT = {  # in the folder of the layout below qc/trimming
    "fastp": ["{sample}.fastp.json"],
    "cutadapt": ["{sample}.cutadapt.json"],
    "trim_galore": [f"{{sample}}_{mate}.fastq.gz_trimming_report.txt" for mate in MATES],
    "none": [],
}


class SamplePaths:
    """Paths of the files of each sample, as the config and the sheet decide them.

    config : the checked config; samples : {name: Sample}
    temp : function of a path that marks an output as temporary (Snakemake's)
    given : function of a path that the user named, which returns it as an input
    only_named : whether jobs get copies of what their rule names, and nothing else

    Attributes
    ----------
    steps : the steps that write reads, in their order
    filters : the filters that write alignments, in their order
    bam, bai : all alignments of a sample, and their index: a path with {sample}, or an input function
    counted_bam : the alignments that are counted, those left by the last filter
    counter_summary : path of what the counting tool says; aligner_summary, trimming_report : the same of the others, as lists
    """

    def __init__(self, config, samples, temp, given, only_named=False):
        self.config, self.samples, self.results = config, samples, config["results"]
        self.temp, self.given, self.only_named = temp, given, only_named
        self.trimmer, self.aligner, self.counter = (
            config[key]["tool"] for key in ("trimming", "alignment", "quantification")
        )
        self.umi = config["trimming"]["umi"]
        self.steps, self.filters = steps(config), filters(config)
        self.counter_summary = f"{self.results}/qc/{COUNTER_SUMMARY[self.counter]}"
        self.aligner_summary = [f"{self.results}/qc/{file}" for file in ALIGNER_SUMMARY[self.aligner]]
        self.trimming_report = TRIMMING_REPORT[self.trimmer]
        self.bam, self.bai = self.alignments("bam"), self.alignments("bam.bai")
        filtered = self.filters and f"{self.results}/aligned/{self.filters[-1]}/{{sample}}.bam"
        self.counted_bam = filtered or self.bam

    def layout(self, sample):
        """The folder of a sample's reads, which says how many files it has; `bam` for a sample that comes aligned."""
        return "bam" if self.samples[sample].bam else self.samples[sample].layout

    def mates(self, sample):
        """Names of a sample's FASTQ files after preparation: R1, and R2 where it is paired."""
        return ["R1", "R2"] if self.layout(sample) == "paired" else ["R1"]

    def paired(self, step):
        """The two FASTQ files that `step` leaves of a paired-end sample."""
        return [f"{self.results}/reads/{step}/paired/{{sample}}_{mate}.fastq.gz" for mate in MATES]

    def single(self, step):
        """The FASTQ file that `step` leaves of a single-end sample, in a list."""
        return [f"{self.results}/reads/{step}/single/{{sample}}_R1.fastq.gz"]

    def stored(self, step, files):
        """`files` as the output of `step`: temporary, unless `keep` says else."""
        keep = step == self.steps[-1] and self.config["keep"]["trimmed"]
        return files if keep else [self.temp(file) for file in files]

    def before(self, step):
        """The step whose reads `step` takes."""
        return self.steps[self.steps.index(step) - 1]

    def reads_after(self, step, sample):
        """The FASTQ files that `step` leaves of a sample."""
        files = self.paired(step) if self.layout(sample) == "paired" else self.single(step)
        return [file.format(sample=sample) for file in files]

    def reads_to_align(self, wildcards):
        """Input function: the reads of a sample after the last step."""
        return self.reads_after(self.steps[-1], wildcards.sample)

    def sampled(self, stage, layout):
        """What FastQC looks at: reads taken evenly from those before (raw) or after trimming."""
        mates = MATES if layout == "paired" else MATES[:1]
        folder = f"{self.results}/reads/sampled/{stage}/{layout}"
        return [self.temp(f"{folder}/{{sample}}_{mate}.fastq") for mate in mates]

    def lanes(self, mate):
        """Input function: FASTQ files of mate 1 or 2, one for each lane."""

        def files(wildcards):
            sample = self.samples[wildcards.sample]
            fetched = f"{self.results}/reads/fetched/{sample.layout}"
            if sample.accessions and (mate == 1 or sample.layout == "paired"):
                return [f"{fetched}/{accession}_R{mate}.fastq.gz" for accession in sample.accessions]
            return [self.given(file) for file in (sample.fastq_1 if mate == 1 else sample.fastq_2)]

        return files

    def alignments(self, suffix):
        """All alignments of a sample, one for each read; a function only where samples differ, since each call costs time."""
        folder = f"{self.results}/aligned"
        if any(sample.bam for sample in self.samples.values()):
            return lambda wildcards: (
                f"{folder}/{'given' if self.samples[wildcards.sample].bam else self.aligner}/{wildcards.sample}.{suffix}"
            )
        return f"{folder}/{self.aligner}/{{sample}}.{suffix}"

    def stored_alignments(self, path):
        """Alignments as an output: temporary, unless `keep` says else."""
        return path if self.config["keep"]["alignments"] else self.temp(path)

    def filter_input(self, name):
        """Alignments that the filter `name` takes."""
        place = self.filters.index(name) if name in self.filters else 0
        return f"{self.results}/aligned/{self.filters[place - 1]}/{{sample}}.bam" if place else self.bam

    def sample_facts(self, names):
        """What the gate judges of each sample."""
        return [f"{self.results}/qc/samples/{name}.json" for name in names]

    def evidence(self, wildcards):
        """Input function: see `evidence_of`."""
        return self.evidence_of(wildcards.sample)

    def evidence_of(self, name):
        """{kind: file or files} that say what became of a sample's fragments; the tools in use decide which there are."""
        qc, layout = f"{self.results}/qc", self.layout(name)
        files = {
            "verdict": f"{qc}/reads/{layout}/{name}.json",
            "strandedness": f"{qc}/strandedness/{name}.json",
            "summary": self.counter_summary.format(sample=name),
            "counts": f"{self.results}/counts/{name}.tsv",
        }
        if layout != "bam":
            if self.trimming_report:
                files["trimming"] = [
                    f"{qc}/trimming/{layout}/{file.format(sample=name)}"
                    for file in self.trimming_report[: len(self.mates(name))]
                ]
            if "with_umi" in self.steps:
                files["umi"] = f"{qc}/umi/{layout}/{name}.json"
            if "without_rrna" in self.steps:
                files["rrna"] = f"{qc}/rrna/{layout}/{name}.json"
        if self.aligner != "none" or layout == "bam":
            files["flagstat"] = f"{qc}/flagstat/{name}.json"
            if self.umi:
                files["deduplicated"] = f"{qc}/deduplicated/{name}.json"
            if self.config["qc"]["rseqc_fragments"]:
                files["body"] = f"{qc}/rseqc/{name}.geneBodyCoverage.txt"
        return files

    def fastqc_reports(self, name, mates):
        """FastQC's reports of a sample's reads before and after trimming, where it looks at them."""
        if self.layout(name) == "bam" or not self.config["qc"]["fastqc_reads"]:
            return []
        stages = ["raw", "trimmed"][: len(self.steps)]
        return [
            f"{self.results}/qc/fastqc/{stage}/{self.layout(name)}/{name}_{mate}_fastqc.zip"
            for stage in stages
            for mate in mates
        ]

    def only_quality(self, name):
        """Files of a sample without which it is still counted."""
        body = self.evidence_of(name).get("body")
        return self.fastqc_reports(name, ["R1"]) + [file for file in [body] if file]

    def multiqc_files(self, names):
        """Every QC file of samples, listed so that files of other settings never slip in."""
        files, qc = [], f"{self.results}/qc"
        for name in names:
            known = self.evidence_of(name)
            files += [known[kind] for kind in ("flagstat", "body") if kind in known]
            files += known.get("trimming", [])
            files += [self.counter_summary.format(sample=name)] if self.counter != "salmon" else []
            if "body" in known:
                files += [f"{qc}/rseqc/{name}.{part}.txt" for part in ("read_distribution", "junctions")]
            if "flagstat" in known:
                files.append(f"{qc}/samtools/{name}.stats.txt")
            files += self.fastqc_reports(name, self.mates(name))
            if self.layout(name) != "bam":
                files += [file.format(sample=name) for file in self.aligner_summary]
        return files

    def multiqc_inputs(self, names):
        """What MultiQC waits for: the last file made of each sample, and FastQC, which nothing else waits for.

        To name all files would take a tenth of the time to plan a large cohort. A bucket sends only what is named.
        """
        if self.only_named:
            return self.multiqc_files(names)
        fastqc = [file for name in names for file in self.fastqc_reports(name, ["R1"])]
        return self.sample_facts(names) + fastqc


def steps(config):
    """Names of the steps that write reads, in their order."""
    trimming = config["trimming"]
    found = ["prepared"]
    found += ["with_umi"] if trimming["umi"] and trimming["umi"] != "in_name" else []
    found += ["trimmed"] if trimming["tool"] != "none" else []
    found += ["without_rrna"] if trimming["rrna"] else []
    return found


def filters(config):
    """Names of the filters that write alignments, in their order."""
    found = ["deduplicated"] if config["trimming"]["umi"] else []
    found += ["selected"] if config["alignment"]["min_mapq"] else []
    return found
