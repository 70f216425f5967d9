"""From single samples to the cohort: the counts of all samples, and of those that train.

The training cohort depends on labelled samples only, so that new samples without a label never retrain a model.
"""

UNLABELLED = f"{RESULTS}/splits/unlabelled.h5ad" if PRETRAINING else []
# how a given matrix was counted
BESIDE = (
    (stored_beside if STORE else fingerprint.beside(config["counts"]))
    if config["counts"] and not FROM_FILES
    else None
)

if FROM_READS:

    rule build_cohort:
        """Counts of the included samples, with metadata and annotation."""
        input:
            samples=f"{RESULTS}/samples.tsv",
            counts=[f"{RESULTS}/counts/{name}.tsv" for name in USED],
            genes=f"{REFERENCE}/genes.tsv",
        output:
            cohort=f"{RESULTS}/cohort.h5ad",
            matrix=f"{RESULTS}/counts/matrix.tsv.gz",
        log:
            f"{RESULTS}/logs/build_cohort/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/build_cohort/cohort.tsv"
        retries: 2
        conda:
            "../../envs/python.yaml"
        resources:
            mem_mb=megabytes(2000),
            runtime=minutes(20),
        params:
            used=USED,
            spike_ins=config["expression"]["spike_ins"],
            metadata=metadata(USED),
            library=code_of("build_cohort.py"),
        script:
            "../../scripts/build_cohort.py"

    use rule build_cohort as build_training_cohort with:
        input:
            samples=f"{RESULTS}/splits/samples.tsv",
            counts=[f"{RESULTS}/counts/{name}.tsv" for name in LABELLED],
            genes=f"{REFERENCE}/genes.tsv",
        output:
            cohort=f"{RESULTS}/splits/training.h5ad",
        log:
            f"{RESULTS}/logs/build_cohort/training.log",
        benchmark:
            f"{RESULTS}/benchmarks/build_cohort/training.tsv"
        params:
            used=list(LABELLED),
            spike_ins=config["expression"]["spike_ins"],
            metadata=design_cells(list(LABELLED)),
            library=code_of("build_cohort.py"),

    use rule build_cohort as build_unlabelled_cohort with:
        input:
            samples=f"{RESULTS}/splits/unlabelled.tsv",
            counts=[f"{RESULTS}/counts/{name}.tsv" for name in PRETRAINING],
            genes=f"{REFERENCE}/genes.tsv",
        output:
            cohort=f"{RESULTS}/splits/unlabelled.h5ad",
        log:
            f"{RESULTS}/logs/build_cohort/unlabelled.log",
        benchmark:
            f"{RESULTS}/benchmarks/build_cohort/unlabelled.tsv"
        params:
            used=PRETRAINING,
            spike_ins=config["expression"]["spike_ins"],
            metadata=metadata(PRETRAINING),
            may_be_empty=True,  # then models are trained without them
            library=code_of("build_cohort.py"),

else:

    MATRIX = {
        "unit": config["counts_unit"],
        "layer": config["counts_layer"],
        "missing": config["expression"]["missing"],
        "spike_ins": config["expression"]["spike_ins"],
        "min_counts": config["qc"]["min_counts"],
        "feature": config["quantification"]["feature"],
        "attribute": config["quantification"]["attribute"],
    }

    rule import_matrix:
        """The same from an existing matrix. It is read for each cohort, so that editing a note does not retrain a model."""
        input:
            matrix=counts_of(USED),
            gtf=as_input(config["reference"]["gtf"]) or [],
        output:
            samples=f"{RESULTS}/samples.tsv",
            cohort=f"{RESULTS}/cohort.h5ad",
            matrix=f"{RESULTS}/counts/matrix.tsv.gz",
        log:
            f"{RESULTS}/logs/import_matrix/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/import_matrix/cohort.tsv"
        retries: 2
        conda:
            "../../envs/python.yaml"
        resources:
            mem_mb=megabytes(2000, per_input_mb=30),
            runtime=minutes(30),
        params:
            **MATRIX,
            files=files_of(USED),
            metadata=metadata(SAMPLES),
            excluded={name: sample.exclude for name, sample in SAMPLES.items() if sample.exclude},
            library=code_of("import_matrix.py"),
        script:
            "../../scripts/import_matrix.py"

    use rule import_matrix as import_training_matrix with:
        input:
            matrix=counts_of(list(LABELLED)),
            gtf=as_input(config["reference"]["gtf"]) or [],
        output:
            cohort=f"{RESULTS}/splits/training.h5ad",
        log:
            f"{RESULTS}/logs/import_matrix/training.log",
        benchmark:
            f"{RESULTS}/benchmarks/import_matrix/training.tsv"
        params:
            **MATRIX,
            files=files_of(list(LABELLED)),
            metadata=design_cells(list(LABELLED)),
            excluded={},
            library=code_of("import_matrix.py"),

    use rule import_matrix as import_unlabelled_matrix with:
        input:
            matrix=counts_of(PRETRAINING),
            gtf=as_input(config["reference"]["gtf"]) or [],
        output:
            cohort=f"{RESULTS}/splits/unlabelled.h5ad",
        log:
            f"{RESULTS}/logs/import_matrix/unlabelled.log",
        benchmark:
            f"{RESULTS}/benchmarks/import_matrix/unlabelled.tsv"
        params:
            **MATRIX,
            files=files_of(PRETRAINING),
            metadata=metadata(PRETRAINING),
            excluded={},
            library=code_of("import_matrix.py"),


rule describe_counting:
    """Reference, tools and settings that the counts were made with, by content: a bundle compares new samples by it."""
    input:
        reference=f"{REFERENCE}/reference.json" if FROM_READS else [],
        rrna=as_input(config["trimming"]["rrna"]) or [] if FROM_READS else [],
        beside=BESIDE or [],
    output:
        f"{RESULTS}/counts/matrix.json",
    log:
        f"{RESULTS}/logs/describe_counting/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_counting/cohort.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10),
    params:
        counting={key: config[key] for key in frozen_bundle.COUNTING} if FROM_READS else None,
        unit=UNIT,
        matrix=config["counts"],
        library=code_of("describe_counting.py"),
    script:
        "../../scripts/describe_counting.py"
