"""From held-out predictions to scores with intervals, chance level and comparisons."""

# Models with a permutation test; non-linear models and Cox regressions only on request.
PERMUTED_MODELS = [
    *({"classification": ["logistic_l2"], "regression": ["ridge"]}.get(DESIGN["task"], [])),
    *config["evaluation"]["permuted_models"],
]
PERMUTED_MODELS = list(dict.fromkeys(PERMUTED_MODELS)) if config["evaluation"]["permutations"] else []
# Predictions of the final model for a fixed hold-out, which it never saw.
TRANSFERRED = (
    [f"{RESULTS}/splits/transfer/predictions/{{model}}.tsv"] if config["evaluation"]["transfer"] else []
)
HELD_OUT = [f"{RESULTS}/splits/full/predictions/{{model}}.tsv"] if HOLDOUT else []


rule permute:
    """Permutation test: labels are shuffled and everything from tuning on is repeated, for the score expected by chance."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizers=[f"{RESULTS}/splits/{split}/normalizer.safetensors" for split in FOLDS],
        batch_models=[f"{RESULTS}/splits/{split}/batch_model.safetensors" for split in FOLDS],
        features=[fitted_features(split) for split in FOLDS] if HAS_FEATURES else [],
    output:
        f"{RESULTS}/models/{{model}}/permutation.json",
    wildcard_constraints:
        model="|".join(model for model in MODELS if model not in TORCH_MODELS),
    conda:
        "../../envs/python.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(1500, per_input_mb=8),
        runtime=minutes(120, per_gigabyte=1.2 * config["evaluation"]["permutations"]),
    params:
        folds=FOLDS,
        design=DESIGN,
        permutations=config["evaluation"]["permutations"],
        inner_folds=config["evaluation"]["inner_folds"],
        features=config["features"],
        training=training_options,
        seed=config["evaluation"]["seed"],
        unseen_batch=config["expression"]["unseen_batch"],
        gpus=0,
        library=lambda wildcards: code_of("permute.py", wildcards.model),
    script:
        "../../scripts/permute.py"


use rule permute as permute_torch with:
    wildcard_constraints:
        model="|".join(TORCH_MODELS) or "(?!)",
    conda:
        "../../envs/torch.yaml" if GPUS == 0 else "../../envs/torch_gpu.yaml"
    resources:
        mem_mb=megabytes(3000, per_input_mb=10),
        runtime=minutes(600, per_gigabyte=2.4 * config["evaluation"]["permutations"]),
        gpu=config["training"]["gpus"],
    params:
        folds=FOLDS,
        design=DESIGN,
        permutations=config["evaluation"]["permutations"],
        inner_folds=config["evaluation"]["inner_folds"],
        features=config["features"],
        training=training_options,
        seed=config["evaluation"]["seed"],
        unseen_batch=config["expression"]["unseen_batch"],
        gpus=config["training"]["gpus"],
        library=lambda wildcards: code_of("permute.py", wildcards.model),


rule evaluate:
    """Out-of-fold predictions of one model and their scores with 95 % intervals."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        folds=[f"{RESULTS}/splits/{split}/predictions/{{model}}.tsv" for split in FOLDS],
        batches=[f"{RESULTS}/splits/{split}/predictions/{{model}}.tsv" for split in BATCHES_OUT],
        holdout=HELD_OUT,
        transfer=TRANSFERRED,
        permutation=lambda wildcards: (
            [f"{RESULTS}/models/{{model}}/permutation.json"] if wildcards.model in PERMUTED_MODELS else []
        ),
    output:
        predictions=f"{RESULTS}/models/{{model}}/predictions.tsv",
        calibration=f"{RESULTS}/models/{{model}}/calibration.tsv",
        curve=f"{RESULTS}/models/{{model}}/calibration_curve.tsv",
        decision=(
            f"{RESULTS}/models/{{model}}/decision_curve.tsv" if DESIGN["task"] == "classification" else []
        ),
        metrics=f"{RESULTS}/models/{{model}}/metrics.json",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(30),
    params:
        design=DESIGN,
        seed=config["evaluation"]["seed"],
    script:
        "../../scripts/evaluate.py"


rule leave_one_batch_out:
    """Predictions for each batch by a model that never saw it."""
    input:
        [f"{RESULTS}/splits/{split}/predictions/{{model}}.tsv" for split in BATCHES_OUT],
    output:
        f"{RESULTS}/models/{{model}}/leave_one_batch_out.tsv",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(5),
    script:
        "../../scripts/gather_predictions.py"


use rule leave_one_batch_out as holdout with:
    input:
        HELD_OUT,
    output:
        f"{RESULTS}/models/{{model}}/holdout.tsv",
    log:
        f"{RESULTS}/logs/holdout/{{model}}.log",


use rule leave_one_batch_out as transfer with:
    input:
        TRANSFERRED,
    output:
        f"{RESULTS}/models/{{model}}/transfer.tsv",
    log:
        f"{RESULTS}/logs/transfer/{{model}}.log",


rule compare:
    """All models side by side."""
    input:
        [f"{RESULTS}/models/{model}/metrics.json" for model in MODELS],
    output:
        report(
            f"{RESULTS}/models/comparison.tsv",
            caption="../../resources/report/captions/comparison.rst",
            category="Models",
            labels={"content": "Scores of all models"},
        ),
        transfer=f"{RESULTS}/models/transfer.tsv" if TRANSFERRED else [],
    log:
        f"{RESULTS}/logs/compare/models.log",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(5),
    params:
        models=MODELS,
        task=DESIGN["task"],
    script:
        "../../scripts/compare.py"


rule differences:
    """Every model against `dummy` and the linear anchors, on the same samples: what makes a sample hard for both cancels."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        predictions=[f"{RESULTS}/models/{model}/predictions.tsv" for model in MODELS],
    output:
        report(
            f"{RESULTS}/models/differences.tsv",
            caption="../../resources/report/captions/differences.rst",
            category="Models",
            labels={"content": "Paired differences of models"},
        ),
    log:
        f"{RESULTS}/logs/differences/models.log",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(30),
    params:
        models=MODELS,
        anchors=models.ALWAYS[DESIGN["task"]],
        design=DESIGN,
        seed=config["evaluation"]["seed"],
    script:
        "../../scripts/differences.py"
