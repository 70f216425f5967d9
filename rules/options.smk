"""What the config's choices mean in each tool's own options."""


def umi_patterns(layout):
    """umi_tools extract: N is kept as identifier, X stays in the read."""
    first, second = [UMI, ""] if isinstance(UMI, str) else UMI or ["", ""]
    patterns = {"--bc-pattern": first, "--bc-pattern2": second if layout == "paired" else ""}
    return " ".join(f"{option}={pattern}" for option, pattern in patterns.items() if pattern)


def adapters(first, second, layout):
    """Options `first` (R1) and `second` (R2, refused without one) with the given sequences; None when they are to be found."""
    given = config["trimming"]["adapters"]
    if given == "auto":
        return None
    pairs = zip((first, second), (given[0], given[-1]) if layout == "paired" else given[:1])
    return " ".join(f"{option} {sequence}" for option, sequence in pairs)


def poly_g_options(tool):
    """Two words for a shell array: the tool's options for a library without, and with, artificial tails of G."""
    without, with_tails = {
        "fastp": ("--disable_trim_poly_g", "--trim_poly_g"),
        "cutadapt": ("--quality-cutoff 20", "--nextseq-trim 20"),
        "trim_galore": ("", "--2colour 20"),
    }[tool]
    asked = config["trimming"]["poly_g"]
    words = (without, with_tails) if asked == "auto" else (with_tails if asked else without,) * 2
    return " ".join(f"'{word}'" for word in words)


def fastp_options(layout):
    found = {"paired": "--detect_adapter_for_pe", "single": ""}[
        layout
    ]  # single-end detection is on by default
    poly_a = "--trim_poly_x" if config["trimming"]["poly_a"] else ""
    given = adapters("--adapter_sequence", "--adapter_sequence_r2", layout)
    packing = "" if config["keep"]["trimmed"] else "--compression 1"
    return " ".join(
        filter(None, [found if given is None else given, poly_a, packing, "--dont_eval_duplication"])
    )


def cutadapt_options(layout):
    """Without given adapters those of Illumina TruSeq."""
    truseq = ["-a AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", "-A AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"]
    found = " ".join(truseq if layout == "paired" else truseq[:1])
    poly_a = "--poly-a" if config["trimming"]["poly_a"] else ""
    return " ".join(filter(None, [adapters("-a", "-A", layout) or found, poly_a]))


def trim_galore_options(layout):
    pairing = "--paired" if layout == "paired" else ""
    return " ".join(filter(None, [pairing, adapters("-a", "-a2", layout)]))


def selection():
    """samtools expression of the alignments that are counted, and of reads that have none."""
    return f"mapq >= {config['alignment']['min_mapq']} || (flag.unmap && (flag.munmap || !flag.paired))"


def salmon_library(wildcards):
    """Salmon finds the strandedness itself unless the sheet gives it."""
    kind = {"unstranded": "U", "forward": "SF", "reverse": "SR"}.get(SAMPLES[wildcards.sample].strandedness)
    if kind is None:
        return "A"
    return f"I{kind}" if layout(wildcards.sample) == "paired" else kind


def training_options(wildcards):
    """What the config says of one model's training; a change for one model leaves the others as they are."""
    given, model = config["training"], wildcards.model
    options = {"search": {model: given["search"][model]}} if model in given["search"] else {}
    if DESIGN["task"] == "classification":
        options |= {key: given[key] for key in ("imbalance", "calibration", "threshold")}
        if DESIGN["positive"] is not None:  # classes as text, as the sheet has them
            options["positive"] = str(DESIGN["positive"])
    if model in TORCH_MODELS:
        options |= {key: given[key] for key in ("seeds", "pretrained", "tensorboard")}
    return options


def environments():
    """Names of the environments of all rules that the config and the sheet ask for."""
    aligned = ALIGNER != "none" or any(SAMPLES[name].bam for name in USED)
    sequenced = any(not SAMPLES[name].bam for name in USED)
    for_reads = {
        "reads": True,
        "sra": any(SAMPLES[name].accessions for name in USED),
        "fastqc": sequenced and config["qc"]["fastqc_reads"],
        TRIMMER: sequenced and TRIMMER != "none",
        "bowtie2": config["trimming"]["rrna"],
        "umi_tools": UMI,
        ALIGNER: ALIGNER != "none",
        "samtools": aligned and (not RSEQC or "selected" in FILTERS),
        "rseqc": aligned and RSEQC,
        {"featurecounts": "subread"}.get(COUNTER, COUNTER): True,
        "multiqc": True,
    }
    for_cohort = {
        "python": True,
        "explore": not FROZEN,
        "torch": not FROZEN or NEW or EXTERNAL,
        "torch_gpu": GPUS > 0,
        "explain": not FROZEN,
        "report": True,
    }
    return [name for name, used in ((for_reads if FROM_READS else {}) | for_cohort).items() if used]
