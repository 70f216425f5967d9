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


def sampled(layout):
    """Raw reads that FastQC looks at, taken evenly."""
    mates = ("R1", "R2") if layout == "paired" else ("R1",)
    return [f"{RESULTS}/reads/sampled/{layout}/{{sample}}_{mate}.fastq" for mate in mates]


def sampled_reads(sample):
    return [file.format(sample=sample) for file in sampled(layout(sample))]


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
    return [of_sample("json", name) for name in names]


def of_sample(ending, name):
    """A quality file of a sample."""
    return f"{RESULTS}/qc/{name}/{name}.{ending}"


def evidence(wildcards):
    """Every file that says what became of a sample's fragments; the tools in use decide which there are."""
    name = wildcards.sample
    kind = layout(name)
    files = {
        "verdict": of_sample(f"{kind}.reads.json", name),
        "library": of_sample("library.json", name),
        "summary": COUNTER_SUMMARY.format(sample=name),
        "counts": f"{RESULTS}/counts/{name}.tsv",
    }
    if kind != "bam":
        if TRIMMING_REPORT:
            reports = TRIMMING_REPORT[: len(mates(name))]
            files["trimming"] = [file.format(sample=name, layout=kind) for file in reports]
        if "with_umi" in STEPS:
            files["umi"] = of_sample(f"{kind}.umi.json", name)
        if "without_rrna" in STEPS:
            files["rrna"] = of_sample(f"{kind}.rrna.json", name)
    if is_aligned(name):
        if UMI:
            files["deduplicated"] = of_sample("deduplicated.json", name)
        if RSEQC:
            files["rseqc"] = of_sample("rseqc.txt", name)
    return files


def is_aligned(name):
    return ALIGNER != "none" or layout(name) == "bam"


def only_quality(name):
    """Files of a sample that tell of its quality, and without which it is counted."""
    files = [of_sample("stats.txt", name)] if is_aligned(name) else []
    has_fastqc = config["qc"]["fastqc_reads"] and layout(name) != "bam"
    return files + ([of_sample("fastqc.tar", name)] if has_fastqc else [])


def multiqc_files(names):
    """Every QC file of samples, listed so that files of other settings never slip in."""
    files = []
    for name in names:
        known = evidence(SimpleNamespace(sample=name))
        files += [known["rseqc"]] if "rseqc" in known else []
        files += known.get("trimming", [])
        files += [COUNTER_SUMMARY.format(sample=name)] if COUNTER != "salmon" else []
        files += only_quality(name)
        if layout(name) != "bam":
            files += [file.format(sample=name) for file in ALIGNER_SUMMARY]
    return files


def multiqc_inputs(names):
    """What MultiQC waits for: the last file made of each sample, and what nothing else waits for.

    To name all files would take a tenth of the time to plan a large cohort. A bucket sends only what is named.
    """
    if ONLY_NAMED:
        return multiqc_files(names)
    return sample_facts(names) + [file for name in names for file in only_quality(name)]


def counts_of(names):
    """Input: the matrix, or the files of the samples."""
    return [SAMPLES[name].counts_file for name in names] if FROM_FILES else given(config["counts"])


def files_of(names):
    """{sample: (count file, strandedness)} where the sheet names them."""
    return {name: (SAMPLES[name].counts_file, SAMPLES[name].strandedness) for name in names if FROM_FILES}
