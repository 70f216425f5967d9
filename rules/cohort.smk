"""From single samples to the cohort: the counts of all samples, and of those that train.

The training cohort depends on labelled samples only, so that new samples without a label never retrain a model.
"""

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
            "../envs/python.yaml"
        resources:
            mem_mb=megabytes(2000),
            runtime=minutes(20),
        params:
            used=USED,
            metadata=metadata(USED),
            library=LIBRARY,
        script:
            "../scripts/build_cohort.py"

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
            metadata=design_cells(list(LABELLED)),
            library=LIBRARY,

else:

    rule import_matrix:
        """The same from a matrix that already exists."""
        input:
            matrix=config["counts"],
            gtf=config["reference"]["gtf"] or [],
        output:
            samples=f"{RESULTS}/samples.tsv",
            cohort=f"{RESULTS}/cohort.h5ad",
            training=f"{RESULTS}/splits/training.h5ad",
            matrix=f"{RESULTS}/counts/matrix.tsv.gz",
        log:
            f"{RESULTS}/logs/import_matrix/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/import_matrix/cohort.tsv"
        retries: 2
        conda:
            "../envs/python.yaml"
        resources:
            mem_mb=megabytes(2000, per_input_mb=30),
            runtime=minutes(30),
        params:
            metadata=metadata(SAMPLES),
            labelled=list(LABELLED),
            excluded={name: sample.exclude for name, sample in SAMPLES.items() if sample.exclude},
            unit=config["counts_unit"],
            missing=config["expression"]["missing"],
            feature=config["quantification"]["feature"],
            attribute=config["quantification"]["attribute"],
            library=LIBRARY,
        script:
            "../scripts/import_matrix.py"


rule assign_folds:
    """Who is tested in which fold: stratified by class, groups never split, the same for every row order."""
    input:
        f"{RESULTS}/splits/training.h5ad",
    output:
        f"{RESULTS}/splits/manifest.tsv",
    log:
        f"{RESULTS}/logs/assign_folds/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/assign_folds/cohort.tsv"
    conda:
        "../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000, per_input_mb=2),
        runtime=minutes(10),
    params:
        design=DESIGN,
        holdout=config["evaluation"]["holdout"],
        folds=config["evaluation"]["folds"],
        repeats=config["evaluation"]["repeats"],
        seed=config["evaluation"]["seed"],
        library=LIBRARY,
    script:
        "../scripts/assign_folds.py"
