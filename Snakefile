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

    include: "rules/reference.smk"
    include: "rules/inputs.smk"
    include: "rules/trim.smk"
    include: "rules/rrna.smk"
    include: "rules/align.smk"
    include: "rules/filter.smk"
    include: "rules/quantify.smk"
    include: "rules/salmon.smk"
    include: "rules/qc.smk"
    include: "rules/gate.smk"


include: "rules/cohort.smk"
include: "rules/expression.smk"
include: "rules/explore.smk"
include: "rules/differential.smk"


if not FROZEN:

    include: "rules/model.smk"
    include: "rules/evaluate.smk"
    include: "rules/learning.smk"
    include: "rules/explain.smk"
    include: "rules/statistics.smk"


include: "rules/predict.smk"
include: "rules/report.smk"
include: "rules/versions.smk"


for each in workflow.rules:
    partitions.fit(each)
tell_before()
seenfiles.write(RESULTS)


onstart:
    check_slurm()
    check_gpu()
    forget_first_failures()
    servestatus.follow(servestatus.given_run(), SAMPLES, logger)


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
            f"{RESULTS}/bundle/manifest.json",
            EXPLORATION,
            f"{RESULTS}/multiqc/multiqc_report.html" if FROM_READS else [],
            f"{RESULTS}/predictions.tsv" if NEW else [],
            expand(f"{RESULTS}/models/{{model}}/leave_one_batch_out.tsv", model=MODELS if BATCHES_OUT else []),
            expand(f"{RESULTS}/models/{{model}}/holdout.tsv", model=MODELS if HOLDOUT else []),


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
