"""Would more samples help? The shipped model, from the gene filter on, trained on fewer of each fold's training samples."""

FRACTIONS = config["evaluation"]["learning_curve"]
LEARNING = {
    "design": DESIGN,
    "fractions": FRACTIONS,
    "subsets": config["evaluation"]["learning_curve_subsets"],
    "expression": config["expression"],
    "unit": UNIT,
    "features": config["features"],
    "covariates": COVARIATES,
    "seed": config["evaluation"]["seed"],
    "inner_folds": config["evaluation"]["inner_folds"],
    "unseen_batch": config["expression"]["unseen_batch"],
    "landmarks": config["evaluation"]["landmarks"],
}


rule learn_from_fewer:
    """Everything fitted again on each fraction of one fold's training groups; predictions for what the fold holds out."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        gene_sets=as_input(config["features"]["gene_sets"]) or [],
    output:
        f"{RESULTS}/splits/{{split}}/learning_curve/{{model}}.tsv",
    wildcard_constraints:
        model="|".join(model for model in MODELS if model not in TORCH_MODELS),
    conda:
        "../../envs/python.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(1500, per_input_mb=12),
        runtime=minutes(120, per_gigabyte=120 * len(FRACTIONS)),
    params:
        **LEARNING,
        training=training_options,
        gpus=0,
        library=lambda wildcards: code_of("learn_from_fewer.py", wildcards.model),
    script:
        "../../scripts/learn_from_fewer.py"


use rule learn_from_fewer as learn_from_fewer_torch with:
    wildcard_constraints:
        model="|".join(TORCH_MODELS) or "(?!)",
    conda:
        "../../envs/torch.yaml" if GPUS == 0 else "../../envs/torch_gpu.yaml"
    resources:
        mem_mb=megabytes(3000, per_input_mb=14),
        runtime=minutes(240, per_gigabyte=240 * len(FRACTIONS)),
        gpu=config["training"]["gpus"],
    params:
        **LEARNING,
        training=training_options,
        gpus=config["training"]["gpus"],
        library=lambda wildcards: code_of("learn_from_fewer.py", wildcards.model),


rule learning_curve:
    """Scores by the number of training samples; those of all samples are the cross-validation's own."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        fewer=[f"{RESULTS}/splits/{split}/learning_curve/{{model}}.tsv" for split in FOLDS],
        whole=[f"{RESULTS}/splits/{split}/predictions/{{model}}.tsv" for split in FOLDS],
    output:
        f"{RESULTS}/models/{{model}}/learning_curve.tsv",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(30),
    params:
        folds=FOLDS,
        design=DESIGN,
        seed=config["evaluation"]["seed"],
    script:
        "../../scripts/learning_curve.py"
