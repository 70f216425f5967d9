"""MultiQC for the reads, and one report for the whole run."""

if FROM_READS:

    PARTS = multiqc.parts(USED)  # {page: its samples}
    IN_PARTS = len(PARTS) > 1
    PART = "{part}" if IN_PARTS else next(iter(PARTS))
    MULTIQC = f"{RESULTS}/multiqc/{PART}" if IN_PARTS else f"{RESULTS}/multiqc"

    rule multiqc:
        """All single-sample QC on one page, the sample status first; a large cohort has several pages."""
        input:
            files=lambda wildcards: multiqc_inputs(PARTS[PART.format(**wildcards)]),
            samples=f"{RESULTS}/samples.tsv",
            layout=local(f"{REPOSITORY}/resources/multiqc.yaml"),
        output:
            html=report(
                f"{MULTIQC}/multiqc_report.html",
                caption="../../resources/report/captions/multiqc.rst",
                category="Samples",
                labels={"content": "Quality of the reads (MultiQC)"},
            ),
            files=f"{MULTIQC}/files.txt",
            sections=[f"{MULTIQC}/{name}_mqc.tsv" for name in ("sample_status", "fragments", "strandedness")],
        conda:
            "../../envs/multiqc.yaml"
        resources:
            mem_mb=megabytes(2000, per_input_mb=10),
            runtime=minutes(30),
        params:
            files=lambda wildcards: [] if ONLY_NAMED else multiqc_files(PARTS[PART.format(**wildcards)]),
            samples=lambda wildcards: PARTS[PART.format(**wildcards)] if IN_PARTS else None,
        script:
            "../../scripts/write_multiqc.py"

    if IN_PARTS:

        rule multiqc_index:
            """The status of every sample with a link to its page."""
            input:
                samples=f"{RESULTS}/samples.tsv",
                pages=expand(f"{MULTIQC}/multiqc_report.html", part=PARTS),
            output:
                f"{RESULTS}/multiqc/multiqc_report.html",
            conda:
                "../../envs/python.yaml"
            resources:
                mem_mb=megabytes(1000),
                runtime=minutes(10),
            params:
                parts=PARTS,
            script:
                "../../scripts/write_multiqc_index.py"


# A run of a frozen bundle has its own page; if the files of the run that trained it are still in the results, it is
# that of the training, with the new samples.
SHOWN_OF_COHORT, SHOWN_OF_TRAINING = [], []
if not FROZEN or frozen_bundle.training_is_there(Path(RESULTS), config):
    SHOWN_OF_COHORT = [
        f"{RESULTS}/cohort.h5ad",
        f"{RESULTS}/expression/pca.tsv",
        f"{RESULTS}/expression/diagnostics.json",
        VIEWS["normalized"],
        *(f"{RESULTS}/models/{model}/metrics.json" for model in MODELS),
        *(f"{RESULTS}/models/{model}/predictions.tsv" for model in MODELS),
    ]
if not FROZEN:
    SHOWN_OF_TRAINING = [
        f"{RESULTS}/splits/manifest.tsv",
        f"{RESULTS}/models/differences.tsv",
        f"{RESULTS}/models/adequacy.tsv",
        f"{RESULTS}/models/{SHIPPED}/calibration_curve.tsv",
        *([f"{RESULTS}/models/{SHIPPED}/decision_curve.tsv"] if DESIGN["task"] == "classification" else []),
        *([f"{RESULTS}/models/{SHIPPED}/subgroups.tsv"] if SUBGROUPS else []),
        f"{RESULTS}/models/{SHIPPED}/features.tsv",
        f"{RESULTS}/models/{SHIPPED}/stability.json",
        f"{RESULTS}/expression/differential.tsv",
        f"{RESULTS}/expression/outliers.tsv",
        *(f"{RESULTS}/models/{model}/calibration.tsv" for model in MODELS),
        *(f"{RESULTS}/models/{model}/permutation.json" for model in MODELS if model in PERMUTED_MODELS),
    ]
    SHOWN_OF_TRAINING += [f"{RESULTS}/models/{SHIPPED}/learning_curve.tsv"] if FRACTIONS else []
    if config["expression"]["batch_correction"] == "auto":
        SHOWN_OF_TRAINING.append(f"{RESULTS}/models/batch_choice.tsv")
    SHOWN_OF_TRAINING += [f"{RESULTS}/models/panel/frontier.tsv"] if "panel" in MODELS else []


rule report:
    """One self-contained page from sample flow to predictions."""
    input:
        samples=f"{RESULTS}/samples.tsv",
        cohort=SHOWN_OF_COHORT,
        trained=SHOWN_OF_TRAINING,
        bundle=f"{BUNDLE}/manifest.json",
        new=f"{RESULTS}/predictions.tsv" if NEW else [],
        external=rules.validate_externally.output if EXTERNAL else [],
        versions=f"{RESULTS}/versions.tsv",
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../../resources/report/captions/report.rst",
            category="Report",
            labels={"content": "Report"},
        ),
    log:
        f"{RESULTS}/logs/report/report.log",
    conda:
        "../../envs/report.yaml"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20),
    params:
        config=config,
    script:
        "../../scripts/report.py"
