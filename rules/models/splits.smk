"""Which samples train and which test, in each split."""


rule assign_folds:
    """Test fold of each sample: stratified by class, groups never split, independent of the row order."""
    input:
        f"{RESULTS}/splits/training.h5ad",
    output:
        manifest=f"{RESULTS}/splits/manifest.tsv",
        doubtful=f"{RESULTS}/splits/one_library.tsv",  # pairs that may be lanes of one
    conda:
        "../../envs/python.yaml"
    resources:
        # half a megabyte for each sample: in a group the size of the cohort is not known before
        mem_mb=megabytes(1000 + len(LABELLED) // 2, per_input_mb=2),
        runtime=minutes(10),
    params:
        design=DESIGN,
        unit=config["counts_unit"],
        holdout=config["evaluation"]["holdout"],
        transfer=config["evaluation"]["transfer"],
        folds=config["evaluation"]["folds"],
        repeats=config["evaluation"]["repeats"],
        seed=config["evaluation"]["seed"],
    script:
        "../../scripts/assign_folds.py"
