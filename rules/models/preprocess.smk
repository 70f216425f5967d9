"""Normalization and batch correction, fitted per split on its training samples only."""


rule fit_normalizer:
    """Gene filter, size-factor reference and scale of one split."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
    output:
        f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000, per_input_mb=8),  # as the batch model, which profiles may run in the same submission
        runtime=minutes(10),
    params:
        design=DESIGN,
        expression=config["expression"],
        unit=UNIT,
    script:
        "../../scripts/fit_normalizer.py"


rule fit_batch_model:
    """Batch effects of one split, learned without labels unless the config asks for them."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
    output:
        f"{RESULTS}/splits/{{split}}/batch_model.safetensors",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000, per_input_mb=8),
        runtime=minutes(10),
    params:
        design=DESIGN,
        expression=config["expression"],
    script:
        "../../scripts/fit_batch_model.py"


if config["expression"]["batch_correction"] == "auto" and not FROZEN:

    rule gather_batch_choices:
        """What the training samples of each split chose for batches, and from what."""
        input:
            [f"{RESULTS}/splits/{split}/batch_model.safetensors" for split in SPLITS],
        output:
            f"{RESULTS}/models/batch_choice.tsv",
        conda:
            "../../envs/python.yaml"
        resources:
            mem_mb=megabytes(500),
            runtime=minutes(5),
        params:
            splits=SPLITS,
        script:
            "../../scripts/gather_batch_choices.py"


rule fit_features:
    """Gene-set scores and clinical covariates of one split: their scale, categories and stand-ins for missing cells."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/{{split}}/batch_model.safetensors",
        gene_sets=as_input(config["features"]["gene_sets"]) or [],
    output:
        f"{RESULTS}/splits/{{split}}/features.safetensors",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000, per_input_mb=8),
        runtime=minutes(20),
    params:
        design=DESIGN,
        features=config["features"],
        covariates=COVARIATES,
    script:
        "../../scripts/fit_features.py"


rule fit_ood:
    """How far a new sample may lie from the training samples, learned from all of these, for the bundle."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/full/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/full/batch_model.safetensors",
    output:
        f"{RESULTS}/splits/full/ood.safetensors",
    log:
        f"{RESULTS}/logs/fit_ood/full.log",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000, per_input_mb=10),
        runtime=minutes(20),
    params:
        split="full",
        design=DESIGN,
        shipped=config["shipped_model"],
        own=config["own_models"].get(config["shipped_model"]),
        library=code_of("fit_ood.py", config["shipped_model"]),
    script:
        "../../scripts/fit_ood.py"
