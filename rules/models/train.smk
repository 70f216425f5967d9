"""Train and score. Every split, `full` among them, goes through the same training rule."""

FOLDS = [split for split in SPLITS if re.fullmatch(r"r\d+f\d+", split)]
BATCHES_OUT = [split for split in SPLITS if split.startswith("batch.")]
MEMBERS = models.members(DESIGN["task"], MODELS, config["own_models"])  # of ensembles


# Scaling, tuning in inner folds and fitting, on the training samples of one split.
rule train:
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/{{split}}/batch_model.safetensors",
        features=fitted_features("{split}"),
        members=lambda wildcards: (
            [f"{RESULTS}/splits/{{split}}/models/{member}" for member in MEMBERS]
            if wildcards.model in models.ENSEMBLES[DESIGN["task"]]
            else []
        ),
    output:
        directory(f"{RESULTS}/splits/{{split}}/models/{{model}}"),
    wildcard_constraints:
        model="|".join(model for model in MODELS if model not in TORCH_MODELS),
    conda:
        "../../envs/python.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(1500, per_input_mb=8),
        runtime=minutes(60, per_gigabyte=120),
    params:
        design=DESIGN,
        seed=config["evaluation"]["seed"],
        inner_folds=config["evaluation"]["inner_folds"],
        features=config["features"],
        training=training_options,
        gpus=0,
        library=lambda wildcards: code_of("train.py", wildcards.model),
    script:
        "../../scripts/train.py"


use rule train as train_torch with:
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/{{split}}/batch_model.safetensors",
        features=fitted_features("{split}"),
        unlabelled=lambda wildcards: UNLABELLED if wildcards.model in models.PRETRAINED else [],
    wildcard_constraints:
        model="|".join(TORCH_MODELS) or "(?!)",  # without a torch model in the config this matches nothing
    conda:
        "../../envs/torch.yaml" if GPUS == 0 else "../../envs/torch_gpu.yaml"
    resources:
        mem_mb=megabytes(3000, per_input_mb=10),
        runtime=minutes(120, per_gigabyte=240),
        gpu=config["training"]["gpus"],
    params:
        design=DESIGN,
        seed=config["evaluation"]["seed"],
        inner_folds=config["evaluation"]["inner_folds"],
        features=config["features"],
        training=training_options,
        gpus=config["training"]["gpus"],
        library=lambda wildcards: code_of("train.py", wildcards.model),


rule score:
    """Predictions for the samples that the split held out."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/{{split}}/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/{{split}}/batch_model.safetensors",
        features=fitted_features("{split}"),
        model=f"{RESULTS}/splits/{{split}}/models/{{model}}",
    output:
        f"{RESULTS}/splits/{{split}}/predictions/{{model}}.tsv",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=8),
        runtime=minutes(20),
    params:
        design=DESIGN,
        unseen_batch=config["expression"]["unseen_batch"],
        landmarks=config["evaluation"]["landmarks"],
        library=lambda wildcards: code_of("score.py", wildcards.model),
    script:
        "../../scripts/score.py"
