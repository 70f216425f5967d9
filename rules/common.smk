"""The checked config and sheet, and the names by which the rules ask for paths, options and resources. No rules are here."""

import gc
import json
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

REPOSITORY = Path(workflow.basedir)
sys.path.insert(0, str(REPOSITORY / "scripts"))

from rna2model import models
from rna2model.cohort import units
from rna2model.core import environment, paths as places, seen_files
from rna2model.core.errors import InputProblem
from rna2model.inputs import design_checks as design, frozen_bundle, sample_count_files
from rna2model.planning import (
    frozen_config,
    object_storage as store,
    preflight,
    source_code,
    tidy_folders,
    tool_options,
)
from rna2model.planning.cohort_inputs import CohortInputs
from rna2model.planning.guard import guarded, guarded_folder
from rna2model.planning.index_commands import IndexCommands
from rna2model.planning.resources import JobResources
from rna2model.planning.run_storage import RunStorage
from rna2model.planning.sample_paths import SamplePaths
from rna2model.planning.tool_options import ToolOptions
from rna2model.qc import multiqc
from rna2model.reference import fingerprint
from rna2model.serving import manifest

# A plan has millions of objects that live to the end; scanning them for garbage repeatedly takes a seventh of the time.
gc.set_threshold(100_000, 50, 100)
# First of all, so that neither jobs nor checks see the settings of the user's shell.
NOTES = environment.settle()
preflight.find_own_tools()
CONFIG_FILES = [Path(path).resolve() for path in workflow.overwrite_configfiles or ["config/config.yaml"]]
CONFIG_FOLDERS = [path.parent for path in CONFIG_FILES if workflow.overwrite_configfiles]
IS_MAIN_PROCESS = workflow.is_main_process  # jobs do not repeat the checks of the process that starts them
for note in NOTES if IS_MAIN_PROCESS else ():
    logger.warning(f"rna2model: {note}")
try:
    run_storage = RunStorage(workflow, storage)
except InputProblem as problem:
    raise WorkflowError(str(problem)) from None
as_input, ONLY_NAMED, IS_STORED = run_storage.as_input, run_storage.only_named, run_storage.is_stored
STORE = (
    store.Store(run_storage.prefix, run_storage.first_bytes if IS_MAIN_PROCESS else None)
    if IS_STORED
    else None
)
if IS_MAIN_PROCESS and not STORE:
    seen_files.start(Path.cwd())


def checked():
    """(config, samples) as the user wrote them; WorkflowError with all problems."""
    done, samples, problems = preflight.check(
        config,
        [Path.cwd(), *CONFIG_FOLDERS],
        thorough=IS_MAIN_PROCESS,
        written=CONFIG_FILES if IS_MAIN_PROCESS else (),
        store=STORE,
        tell=lambda text: logger.warning(f"rna2model: {text}"),
    )
    if STORE and done:
        problems += run_storage.unpacked(
            [workflow.main_snakefile, *workflow.overwrite_configfiles, done["samples"]]
        )
    if problems:
        raise WorkflowError(preflight.message(problems))
    if STORE:
        done["samples"] = os.path.relpath(done["samples"])
    else:
        places.make_relative(done, samples, os.getcwd())
    if done["training"]["retrain"] != "never" and (warning := design.too_few_to_train(samples, done)):
        if done["counts"]:  # with a matrix no counting is worth doing first
            raise WorkflowError(preflight.message([f"{done['samples']}: {warning}"]))
        logger.warning(warning)
    return done, samples


def frozen():
    """(config, samples) that were checked: jobs find them in the snapshot that stands for the config files, and this process
    goes on with what they will read."""
    if (snapshot := frozen_config.read(config)) is None:
        text = frozen_config.of(*checked())
        snapshot = frozen_config.read(json.loads(text))
        if IS_MAIN_PROCESS and (path := frozen_config.write(text)):
            # Executors name these files to each job; what the user gave as --config is in it, too.
            workflow.config_settings.configfiles[:] = [path.absolute()]
    return snapshot


config, SAMPLES = frozen()
run_storage.pack(REPOSITORY, [config["samples"], *workflow.overwrite_configfiles])
FROZEN = config["training"]["retrain"] == "never"  # a bundle predicts, nothing is trained

RESULTS = config["results"]
REFERENCE = f"{RESULTS}/reference"
FROM_READS = not config["counts"]
FROM_FILES = sample_count_files.are_given(config)  # counts of each sample in a file of its own
DESIGN = config["design"]
UNIT = units.of_cohort(config["counts_unit"])
MODELS = config["models"]
TORCH_MODELS = [model for model in MODELS if models.is_network(model, config["own_models"])]
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

IS_RUNNING = any(Path(".snakemake/locks").glob("*"))  # a run of an earlier version may be at work
if (
    IS_MAIN_PROCESS
    and FROM_READS
    and not STORE
    and not IS_RUNNING
    and (number := tidy_folders.tidy(RESULTS, SAMPLES))
):
    logger.warning(
        f"rna2model: quality files of {number} samples now lie in {RESULTS}/qc/<sample>, a folder for each"
    )
GIVEN_INDEX = preflight.index_prefix(config)  # index argument of the aligner, or None
LIMITS = {key: value for key, value in config["qc"].items() if key.startswith(("min_", "max_"))}

# Names that rules use for paths and for options of the tools.
paths = SamplePaths(config, SAMPLES, temp, as_input, ONLY_NAMED)
TRIMMER, ALIGNER, COUNTER, UMI = paths.trimmer, paths.aligner, paths.counter, paths.umi
QC, RSEQC = paths.qc, paths.rseqc
STEPS, FILTERS = paths.steps, paths.filters
COUNTER_SUMMARY = paths.counter_summary
layout, mates, paired, single, before = paths.layout, paths.mates, paths.paired, paths.single, paths.before
lanes, sampled, sampled_reads = paths.lanes, paths.sampled, paths.sampled_reads
stored, reads_to_align = paths.stored, paths.reads_to_align
bam, bai, counted_bam = paths.bam, paths.bai, paths.counted_bam
stored_alignments, filter_input = paths.stored_alignments, paths.filter_input
evidence, sample_facts = paths.evidence, paths.sample_facts
multiqc_files, multiqc_inputs = paths.multiqc_files, paths.multiqc_inputs

cohort_inputs = CohortInputs(config, SAMPLES, DESIGN_COLUMNS, as_input, FROM_FILES, HAS_FEATURES)
counts_of, files_of = cohort_inputs.counts_of, cohort_inputs.files_of
metadata, design_cells = cohort_inputs.metadata, cohort_inputs.design_cells
fitted_features = cohort_inputs.fitted_features

options = ToolOptions(config, SAMPLES, layout)
umi_patterns, poly_g_options, selection = options.umi_patterns, options.poly_g_options, options.selection
fastp_options, cutadapt_options = options.fastp_options, options.cutadapt_options
trim_galore_options, salmon_library = options.trim_galore_options, options.salmon_library

indices = IndexCommands(config["reference"]["store"] if FROM_READS else None)
kept = indices.kept


def stored_beside(wildcards):
    """Input function: what lies beside a given matrix in object storage and says how it was counted, if anything."""
    return run_storage.beside(config["counts"], STORE)


def bytes_of(path):
    """Size of a file that the config names."""
    return run_storage.object(STORE.address(path)).size() if STORE else os.path.getsize(path)


resources = JobResources(config, SAMPLES, len(LABELLED), bytes_of, ONLY_NAMED, as_sold=bool(STORE))
megabytes, minutes, index_threads = resources.megabytes, resources.minutes, resources.index_threads


def training_options(wildcards):
    """What the config says of the training of a job's model."""
    return tool_options.training_options(config, wildcards.model, TORCH_MODELS)


# Snakemake compares a script's date, but not its imports: rules of the cohort have a hash of both in their params, and are
# compared by it alone (planning/snakemake_patches.py). They get it from planning/rule_defaults.py, and name it themselves only
# where the code of a model belongs to it. Rules of single samples have none, so that only an edit of their script runs them again.
code_of = source_code.code_of_scripts(
    REPOSITORY / "scripts", models.modules(DESIGN["task"], config["own_models"]), frozen_config.FOLDER
)


wildcard_constraints:
    sample="[A-Za-z0-9_][A-Za-z0-9._-]*",
    layout="paired|single|bam",
    accession="[SED]RR[0-9]+",
    part="part[0-9]+",
    split="|".join(map(re.escape, SPLITS)),
    model="|".join(MODELS),
