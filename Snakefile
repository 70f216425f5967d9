"""rna2model: from RNA-seq reads to a trained, honest, reusable model.

Per sample:  check, trim, align, count.      Per split (each fold, and `full`):  normalize, correct, train.
Config, sample sheet and the files they name are checked in common.smk, before any job.
"""

from snakemake.utils import min_version

min_version("9.27")


if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "rules/common.smk"


# Used only with `--software-deployment-method conda apptainer`
if config["container"]:  # an image with the environments of the rules in it (envs/Dockerfile)

    containerized: config["container"]

else:  # the system under environments that are made when a run begins

    container: "docker://condaforge/miniforge3:24.11.3-0"


include: "rules/run.smk"


if FROM_READS:

    include: "rules/reads/reference.smk"
    include: "rules/reads/input.smk"
    include: "rules/reads/trim.smk"
    include: "rules/reads/rrna.smk"
    include: "rules/reads/align.smk"
    include: "rules/reads/filter.smk"
    include: "rules/reads/quantify.smk"
    include: "rules/reads/salmon.smk"
    include: "rules/reads/qc.smk"
    include: "rules/reads/qc_gate.smk"


include: "rules/cohort/cohort.smk"
include: "rules/models/splits.smk"
include: "rules/models/preprocess.smk"
include: "rules/cohort/explore.smk"
include: "rules/cohort/differential.smk"


if not FROZEN:

    include: "rules/models/train.smk"
    include: "rules/models/evaluate.smk"
    include: "rules/models/learning.smk"
    include: "rules/models/explain.smk"
    include: "rules/models/statistics.smk"


include: "rules/outputs/predict.smk"
include: "rules/outputs/report.smk"
include: "rules/outputs/versions.smk"


# log, benchmark, retries and the code's hash, where a rule does not say them
rule_defaults.add(workflow, RESULTS, REFERENCE, code_of)
for each in workflow.rules:
    partitions.fit(each)
tell_before()
seen_files.write(RESULTS)


onstart:
    check_slurm()
    check_gpu()
    forget_first_failures()
    predict_status.follow(predict_status.given_run(), SAMPLES, logger)


onsuccess:
    show_tool_failures()
    notify.tell(config["notify"], "finished", RESULTS, logger.warning)


onerror:
    show_failed_jobs()
    notify.tell(config["notify"], "failed", RESULTS, logger.warning)


rule predictions:
    """What a frozen bundle makes of the sheet, and nothing else."""
    input:
        SERVED,


if FROZEN:

    rule all:
        """Predictions and external validation by a frozen bundle, and the reports."""
        default_target: True
        input:
            SERVED,
            f"{RESULTS}/report.html",
            f"{RESULTS}/versions.tsv",
            f"{RESULTS}/multiqc/multiqc_report.html" if FROM_READS else [],

else:

    rule all:
        """Everything: counts, models with their scores, the bundle, predictions, the reports."""
        default_target: True
        input:
            f"{RESULTS}/report.html",
            f"{RESULTS}/versions.tsv",
            f"{RESULTS}/models/comparison.tsv",
            f"{RESULTS}/models/differences.tsv",
            f"{RESULTS}/models/adequacy.tsv",
            f"{RESULTS}/models/tripod_ai.md",
            f"{RESULTS}/models/{SHIPPED}/features.tsv",
            f"{RESULTS}/models/{SHIPPED}/subgroups.tsv" if SUBGROUPS else [],
            f"{RESULTS}/models/{SHIPPED}/lime.tsv" if config["explanation"]["lime"] else [],
            f"{RESULTS}/models/{SHIPPED}/learning_curve.tsv" if FRACTIONS else [],
            f"{RESULTS}/models/panel/frontier.tsv" if "panel" in MODELS else [],
            f"{RESULTS}/bundle/manifest.json",
            EXPLORATION,
            f"{RESULTS}/multiqc/multiqc_report.html" if FROM_READS else [],
            f"{RESULTS}/predictions.tsv" if NEW else [],
            expand(f"{RESULTS}/models/{{model}}/leave_one_batch_out.tsv", model=MODELS if BATCHES_OUT else []),
            expand(f"{RESULTS}/models/{{model}}/holdout.tsv", model=MODELS if HOLDOUT else []),
            expand(f"{RESULTS}/models/{{model}}/transfer.tsv", model=MODELS if TRANSFERRED else []),


rule counts:
    """Only up to the cohort's counts, without any model."""
    input:
        f"{RESULTS}/samples.tsv",
        f"{RESULTS}/cohort.h5ad",
        f"{RESULTS}/counts/matrix.json",
        f"{RESULTS}/multiqc/multiqc_report.html" if FROM_READS else [],


rule explore:
    """Only what people look at: all samples together, without any model; with t-SNE and UMAP."""
    input:
        EXPLORATION,
        f"{RESULTS}/expression/embedding.tsv",
