"""Where the files of a sample are, and what the cohort collects of them."""


def layout(sample):
    """The folder of a sample's reads, which says how many files it has; `bam` for a sample that comes aligned."""
    return "bam" if SAMPLES[sample].bam else SAMPLES[sample].layout


def mates(sample):
    return ["R1", "R2"] if layout(sample) == "paired" else ["R1"]


def paired(step):
    """The two FASTQ files that `step` leaves of a paired-end sample."""
    return [f"{RESULTS}/reads/{step}/paired/{{sample}}_{mate}.fastq.gz" for mate in ("R1", "R2")]


def single(step):
    return [f"{RESULTS}/reads/{step}/single/{{sample}}_R1.fastq.gz"]


def stored(step, files):
    """`files` as the output of `step`: temporary, unless `keep` says else."""
    return files if step == STEPS[-1] and config["keep"]["trimmed"] else [temp(file) for file in files]


def before(step):
    """The step whose reads `step` takes."""
    return STEPS[STEPS.index(step) - 1]


def reads_after(step, sample):
    files = paired(step) if layout(sample) == "paired" else single(step)
    return [file.format(sample=sample) for file in files]


def reads_to_align(wildcards):
    return reads_after(STEPS[-1], wildcards.sample)


def sampled(stage, layout):
    """What FastQC looks at: reads taken evenly from those before (raw) or after trimming."""
    mates = ("R1", "R2") if layout == "paired" else ("R1",)
    return [temp(f"{RESULTS}/reads/sampled/{stage}/{layout}/{{sample}}_{mate}.fastq") for mate in mates]


def lanes(mate):
    """Input function: FASTQ files of mate 1 or 2, one for each lane."""

    def files(wildcards):
        sample = SAMPLES[wildcards.sample]
        fetched = f"{RESULTS}/reads/fetched/{sample.layout}"
        if sample.accessions and (mate == 1 or sample.layout == "paired"):
            return [f"{fetched}/{accession}_R{mate}.fastq.gz" for accession in sample.accessions]
        return [given(file) for file in (sample.fastq_1 if mate == 1 else sample.fastq_2)]

    return files


def alignments(suffix):
    """All alignments of a sample, one for each read; a function only where samples differ, since each call costs time."""
    if any(sample.bam for sample in SAMPLES.values()):
        return lambda wildcards: (
            f"{RESULTS}/aligned/{'given' if SAMPLES[wildcards.sample].bam else ALIGNER}/{wildcards.sample}.{suffix}"
        )
    return f"{RESULTS}/aligned/{ALIGNER}/{{sample}}.{suffix}"


bam, bai = alignments("bam"), alignments("bam.bai")
# The alignments that are counted: those left by the last filter.
counted_bam = f"{RESULTS}/aligned/{FILTERS[-1]}/{{sample}}.bam" if FILTERS else bam


def stored_alignments(path):
    return path if config["keep"]["alignments"] else temp(path)


def filter_input(name):
    """Alignments that the filter `name` takes."""
    place = FILTERS.index(name) if name in FILTERS else 0
    return f"{RESULTS}/aligned/{FILTERS[place - 1]}/{{sample}}.bam" if place else bam


def fitted_features(split):
    """The features of a split, where models see other than genes."""
    return f"{RESULTS}/splits/{split}/features.safetensors" if HAS_FEATURES else []


def permutation_result(wildcards):
    """The permutation test of a model, where it has one."""
    return [f"{RESULTS}/models/{{model}}/permutation.json"] if wildcards.model in PERMUTED_MODELS else []


def metadata(names):
    return {name: SAMPLES[name].metadata for name in names}


def design_cells(names):
    """The cells that training may read: a note changed elsewhere in the sheet trains no model again."""
    columns = [column for column in SAMPLES[names[0]].metadata if column in DESIGN_COLUMNS] if names else []
    return {name: {column: SAMPLES[name].metadata[column] for column in columns} for name in names}


def sample_facts(names):
    """What the gate judges of each sample."""
    return [f"{RESULTS}/qc/samples/{name}.json" for name in names]


def evidence(wildcards):
    """Every file that says what became of a sample's fragments; the tools in use decide which there are."""
    name, qc = wildcards.sample, f"{RESULTS}/qc"
    files = {
        "verdict": f"{qc}/reads/{layout(name)}/{name}.json",
        "strandedness": f"{qc}/strandedness/{name}.json",
        "summary": COUNTER_SUMMARY.format(sample=name),
        "counts": f"{RESULTS}/counts/{name}.tsv",
    }
    if layout(name) != "bam":
        if TRIMMING_REPORT:
            files["trimming"] = [
                f"{qc}/trimming/{layout(name)}/{file.format(sample=name)}"
                for file in TRIMMING_REPORT[: len(mates(name))]
            ]
        if "with_umi" in STEPS:
            files["umi"] = f"{qc}/umi/{layout(name)}/{name}.json"
        if "without_rrna" in STEPS:
            files["rrna"] = f"{qc}/rrna/{layout(name)}/{name}.json"
    if ALIGNER != "none" or layout(name) == "bam":
        files["flagstat"] = f"{qc}/flagstat/{name}.json"
        if UMI:
            files["deduplicated"] = f"{qc}/deduplicated/{name}.json"
        if config["qc"]["rseqc_fragments"]:
            files["body"] = f"{qc}/rseqc/{name}.geneBodyCoverage.txt"
    return files


def fastqc_reports(name, mates):
    """FastQC's reports of a sample's reads before and after trimming, where it looks at them."""
    if layout(name) == "bam" or not config["qc"]["fastqc_reads"]:
        return []
    stages = ["raw", "trimmed"][: len(STEPS)]
    return [
        f"{RESULTS}/qc/fastqc/{stage}/{layout(name)}/{name}_{mate}_fastqc.zip"
        for stage in stages
        for mate in mates
    ]


def multiqc_files(names):
    """Every QC file of samples, listed so that files of other settings never slip in."""
    files = []
    for name in names:
        known = evidence(SimpleNamespace(sample=name))
        files += [known[kind] for kind in ("flagstat", "body") if kind in known]
        files += known.get("trimming", [])
        files += [COUNTER_SUMMARY.format(sample=name)] if COUNTER != "salmon" else []
        if "body" in known:
            files += [f"{RESULTS}/qc/rseqc/{name}.{part}.txt" for part in ("read_distribution", "junctions")]
        if "flagstat" in known:
            files.append(f"{RESULTS}/qc/samtools/{name}.stats.txt")
        files += fastqc_reports(name, mates(name))
        if layout(name) != "bam":
            files += [file.format(sample=name) for file in ALIGNER_SUMMARY]
    return files


def multiqc_inputs(names):
    """What MultiQC waits for: the last file made of each sample, and FastQC, which nothing else waits for.

    To name all files would take a tenth of the time to plan a large cohort. A bucket sends only what is named.
    """
    if ONLY_NAMED:
        return multiqc_files(names)
    return sample_facts(names) + [file for name in names for file in fastqc_reports(name, ["R1"])]


def counts_of(names):
    """Input: the matrix, or the files of the samples."""
    return [SAMPLES[name].counts_file for name in names] if FROM_FILES else given(config["counts"])


def files_of(names):
    """{sample: (count file, strandedness)} where the sheet names them."""
    return {name: (SAMPLES[name].counts_file, SAMPLES[name].strandedness) for name in names if FROM_FILES}
