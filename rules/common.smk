"""What all rule files use. The checked config and sheet, paths, and look-ups by sample."""

import gc
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

from snakemake.exceptions import WorkflowError

REPOSITORY = Path(workflow.basedir)
sys.path.insert(0, str(REPOSITORY / "scripts"))

from rna2model import (
    design,
    disk,
    environment,
    fingerprint,
    gpu,
    gpunodes,
    manifest,
    models,
    notify,
    places,
    preflight,
    qcpage,
    samplefiles,
    seenfiles,
    servestatus,
    serving,
    snapshot,
    sourcecode,
    store,
    tidied,
    units,
)

# A plan is millions of objects that live to the end: to look through them again and again takes a seventh of the time.
gc.set_threshold(100_000, 50, 100)
# Before anything is started: neither jobs nor checks see what the user's shell has set.
NOTES = environment.settle()
preflight.find_own_tools()
CONFIG_FILES = [Path(path).resolve() for path in workflow.overwrite_configfiles or ["config/config.yaml"]]
CONFIG_FOLDERS = [path.parent for path in CONFIG_FILES if workflow.overwrite_configfiles]
ASKS = workflow.is_main_process  # jobs do not ask again what it asked before the first of them
for note in NOTES if ASKS else ():
    logger.warning(f"rna2model: {note}")
if ASKS and not IS_STORED:
    seenfiles.start(Path.cwd())
STORE = store.Store(STORAGE.default_storage_prefix, stored_bytes if ASKS else None) if IS_STORED else None


def checked():
    """(config, samples) as the user wrote them; WorkflowError with all problems."""
    done, samples, problems = preflight.check(
        config,
        [Path.cwd(), *CONFIG_FOLDERS],
        thorough=ASKS,
        written=CONFIG_FILES if ASKS else (),
        store=STORE,
        tell=lambda text: logger.warning(f"rna2model: {text}"),
    )
    if IS_STORED and done:
        problems += unpacked([workflow.main_snakefile, *workflow.overwrite_configfiles, done["samples"]])
    if problems:
        raise WorkflowError(preflight.message(problems))
    if IS_STORED:
        done["samples"] = os.path.relpath(done["samples"])
    else:
        places.make_relative(done, samples, os.getcwd())
    if done["training"]["retrain"] != "never" and (warning := design.too_few_to_train(samples, done)):
        if done["counts"]:  # nothing has to be counted before
            raise WorkflowError(preflight.message([f"{done['samples']}: {warning}"]))
        logger.warning(warning)
    return done, samples


def frozen():
    """(config, samples) that were checked: jobs find them in the snapshot that stands for the config files, and this process
    goes on with what they will read."""
    if (found := snapshot.read(config)) is None:
        text = snapshot.of(*checked())
        found = snapshot.read(json.loads(text))
        if ASKS and (path := snapshot.write(text)):
            # Executors name these files to each job; what the user gave as --config is in it, too.
            workflow.config_settings.configfiles[:] = [path.absolute()]
    return found


config, SAMPLES = frozen()
if IS_STORED:
    pack(
        [
            config["samples"],
            *workflow.overwrite_configfiles,
            *(file for kind in PACKED for file in REPOSITORY.glob(kind)),
        ]
    )
FROZEN = config["training"]["retrain"] == "never"  # a bundle serves, nothing is trained

RESULTS = config["results"]
REFERENCE = f"{RESULTS}/reference"
FROM_READS = not config["counts"]
FROM_FILES = samplefiles.are_given(config)  # counts of each sample in a file of its own
DESIGN = config["design"]
UNIT = units.of_cohort(config["counts_unit"])
MODELS = config["models"]
TORCH_MODELS = [model for model in MODELS if model in models.TORCH]
GPUS = config["training"]["gpus"] if TORCH_MODELS and not FROZEN else 0  # of one training job
COVARIATES = preflight.covariate_kinds(config, SAMPLES)  # {column: "number" or "category"}
HAS_FEATURES = bool(config["features"]["gene_sets"] or COVARIATES)
SPLITS = preflight.split_names(config, SAMPLES)
USED = [name for name, sample in SAMPLES.items() if not sample.exclude]
LABELLED = preflight.labels(SAMPLES, config)  # {sample: class}
DESIGN_COLUMNS = preflight.design_columns(config)
HOLDOUT = preflight.holdout(SAMPLES, config)
PRETRAINING = preflight.pretraining(SAMPLES, config)  # samples that models only learn to reconstruct
NEW = preflight.to_predict(SAMPLES, config)
EXTERNAL = preflight.external(SAMPLES, config) if FROZEN else []  # labelled, and not known to the bundle
BUNDLE = config["training"]["bundle"] if FROZEN else f"{RESULTS}/bundle"

# Which way the reads go: the tools, the steps that write reads, the filters that write alignments.
TRIMMER, ALIGNER, COUNTER = (config[key]["tool"] for key in ("trimming", "alignment", "quantification"))
UMI = config["trimming"]["umi"]
STEPS = ["prepared"]
STEPS += ["with_umi"] if UMI and UMI != "in_name" else []
STEPS += ["trimmed"] if TRIMMER != "none" else []
STEPS += ["without_rrna"] if config["trimming"]["rrna"] else []
FILTERS = ["deduplicated"] if UMI else []
FILTERS += ["selected"] if config["alignment"]["min_mapq"] else []

RSEQC = config["qc"]["rseqc_fragments"]
IS_RUNNING = any(Path(".snakemake/locks").glob("*"))  # a run of an earlier version may be at work
if ASKS and FROM_READS and not STORE and not IS_RUNNING and (number := tidied.tidy(RESULTS, SAMPLES)):
    logger.warning(
        f"rna2model: quality files of {number} samples now lie in {RESULTS}/qc/<sample>, a folder for each"
    )
GIVEN_INDEX = preflight.index_prefix(config)  # what the aligner is given, or None
LIMITS = {key: value for key, value in config["qc"].items() if key.startswith(("min_", "max_"))}
QC = f"{RESULTS}/qc/{{sample}}/{{sample}}"  # a folder for each sample; its files begin with the name, for MultiQC
COUNTER_SUMMARY = {
    "featurecounts": f"{QC}.featurecounts.txt.summary",
    "htseq": f"{QC}.htseq.txt",
    "star": f"{QC}.ReadsPerGene.out.tab",
    "salmon": f"{QC}.salmon.json",
}[COUNTER]
ALIGNER_SUMMARY = {
    "star": [f"{QC}.Log.final.out"],
    "hisat2": [f"{QC}.hisat2.txt"],
    "none": [],
}[ALIGNER]
TRIMMING_REPORT = {
    "fastp": [f"{QC}.{{layout}}.fastp.json"],
    "cutadapt": [f"{QC}.{{layout}}.cutadapt.json"],
    "trim_galore": [f"{QC}_{mate}.{{layout}}.fastq.gz_trimming_report.txt" for mate in ("R1", "R2")],
    "none": [],
}[TRIMMER]

# Snakemake looks at a script's date, and not at what it imports: rules of the cohort carry a hash of both in their params, and are
# judged by it alone. Rules of single samples do not, so that no other edit than of their script runs them again.
code_of = sourcecode.code_of_scripts(REPOSITORY / "scripts", models.modules(DESIGN["task"]), snapshot.FOLDER)
if ASKS:
    sourcecode.judge_scripts_by_code()
# The model by whose scores training samples choose their batch correction
CHOOSER = ["logistic_l2"] if config["expression"]["batch_correction"] == "auto" else []


wildcard_constraints:
    sample="[A-Za-z0-9_][A-Za-z0-9._-]*",
    layout="paired|single|bam",
    accession="[SED]RR[0-9]+",
    part="part[0-9]+",
    split="|".join(map(re.escape, SPLITS)),
    model="|".join(MODELS),
