"""What all rule files use. The checked config and sheet, paths, and look-ups by sample."""

import re
import sys
import warnings
from pathlib import Path

from snakemake.exceptions import WorkflowError

REPOSITORY = Path(workflow.basedir)
sys.path.insert(0, str(REPOSITORY / "scripts"))

# Snakemake forgets a coroutine when a resource depends on the size of a file that is not there yet.
warnings.filterwarnings("ignore", message="coroutine .* was never awaited")

from rna2model import models, preflight, sheet

preflight.find_own_tools()
CONFIG_FOLDERS = [Path(path).resolve().parent for path in workflow.overwrite_configfiles]
config, SAMPLES, PROBLEMS = preflight.check(config, [Path.cwd(), *CONFIG_FOLDERS])
if PROBLEMS:
    raise WorkflowError(preflight.message(PROBLEMS))
if WARNING := sheet.too_few_to_train(SAMPLES, config):
    logger.warning(WARNING)

RESULTS = config["results"]
REFERENCE = f"{RESULTS}/reference"
FROM_READS = not config["counts"]
ALIGNER = config["alignment"]["tool"]
DESIGN = config["design"]
MODELS = config["models"]
TORCH_MODELS = [model for model in MODELS if model in models.TORCH]
SPLITS = preflight.split_names(config, SAMPLES)
USED = [name for name, sample in SAMPLES.items() if not sample.exclude]
LABELLED = preflight.labels(SAMPLES, config)  # {sample: class}
NEW = [name for name in USED if name not in LABELLED]

# Snakemake tracks a script, not what it imports: cohort-side rules carry this hash in their params.
LIBRARY = preflight.source_hash(REPOSITORY / "scripts" / "rna2model")


wildcard_constraints:
    sample="[A-Za-z0-9_][A-Za-z0-9._-]*",
    layout="paired|single",
    stage="raw|trimmed",
    split="|".join(map(re.escape, SPLITS)),
    model="|".join(MODELS),


def layout(sample):
    return "paired" if SAMPLES[sample].paired else "single"


def mates(sample):
    return ["R1", "R2"] if SAMPLES[sample].paired else ["R1"]


def prepared_reads(wildcards):
    """Checked, lane-merged FASTQ of a sample: one or two files."""
    name = wildcards.sample
    return [f"{RESULTS}/reads/{layout(name)}/{name}_{mate}.fastq.gz" for mate in mates(name)]


def trimmed_reads(wildcards):
    """FASTQ that goes to the aligner: one or two files."""
    if config["trimming"]["tool"] == "none":
        return prepared_reads(wildcards)
    name = wildcards.sample
    return [f"{RESULTS}/trimmed/{layout(name)}/{name}_{mate}.fastq.gz" for mate in mates(name)]


def bam(wildcards):
    return f"{RESULTS}/aligned/{ALIGNER}/{wildcards.sample}.bam"


def genome_mb():
    """Size of the genome in megabytes of bases, known before the reference is unpacked."""
    fasta = Path(config["reference"]["fasta"])
    packed = 4 if fasta.suffix == ".gz" else 1  # DNA packs about four to one
    return packed * fasta.stat().st_size / 1e6


def megabytes(base, per_genome_mb=0, per_input_mb=0):
    """Memory request: a base, what the genome and the input need, doubled at each further attempt."""

    def needed(wildcards, input, attempt):
        genome = genome_mb() if per_genome_mb else 0
        return int((base + per_genome_mb * genome + per_input_mb * input.size_mb) * 2 ** (attempt - 1))

    return needed


def minutes(base, per_gigabyte=0):
    """Run time request: a base and what a gigabyte of input takes, times the attempt."""

    def needed(wildcards, input, attempt):
        return int((base + per_gigabyte * input.size_mb / 1000) * attempt)

    return needed


def reads_at_stage(wildcards):
    return prepared_reads(wildcards) if wildcards.stage == "raw" else trimmed_reads(wildcards)


def metadata(names):
    return {name: SAMPLES[name].metadata for name in names}


def evidence(names):
    """What the gate judges of each sample, as lists in the order of `names`."""
    return {
        "verdicts": [f"{RESULTS}/qc/reads/{layout(name)}/{name}.json" for name in names],
        "flagstat": [f"{RESULTS}/qc/flagstat/{name}.json" for name in names],
        "strandedness": [f"{RESULTS}/qc/strandedness/{name}.json" for name in names],
        "counts": [f"{RESULTS}/counts/{name}.tsv" for name in names],
    }


def multiqc_inputs():
    """Every QC file of every used sample, listed so that files of other settings never slip in."""
    files = []
    for name in USED:
        kind = layout(name)
        stages = ["raw"] if config["trimming"]["tool"] == "none" else ["raw", "trimmed"]
        files += [
            f"{RESULTS}/qc/fastqc/{stage}/{kind}/{name}_{mate}_fastqc.zip"
            for stage in stages
            for mate in mates(name)
        ]
        if config["trimming"]["tool"] != "none":
            files.append(f"{RESULTS}/qc/trimming/{kind}/{name}.{config['trimming']['tool']}.json")
        files.append(
            f"{RESULTS}/qc/star/{name}.Log.final.out"
            if ALIGNER == "star"
            else f"{RESULTS}/qc/hisat2/{name}.txt"
        )
        if config["quantification"]["tool"] == "featurecounts":
            files.append(f"{RESULTS}/qc/featurecounts/{name}.txt.summary")
        else:
            files.append(f"{RESULTS}/qc/htseq/{name}.htseq.txt")
    return files
