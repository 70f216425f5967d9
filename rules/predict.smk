"""The bundle, which is all that serving needs, and the predictions for samples without a label."""

BUNDLE = f"{RESULTS}/bundle"
SHIPPED = config["shipped_model"]  # the first of `models`: chosen by the user, never by the outer score


rule bundle:
    """The artefacts of the split `full` with their manifest and model card."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/full/normalizer.safetensors",
        batch_model=f"{RESULTS}/splits/full/batch_model.safetensors",
        features=fitted_features("full"),
        model=f"{RESULTS}/splits/full/models/{SHIPPED}",
        metrics=f"{RESULTS}/models/{SHIPPED}/metrics.json",
        chance=f"{RESULTS}/models/dummy/metrics.json",
        reference=f"{REFERENCE}/reference.json" if FROM_READS else [],
    output:
        manifest=f"{BUNDLE}/manifest.json",
        normalizer=f"{BUNDLE}/normalizer.safetensors",
        batch_model=f"{BUNDLE}/batch_model.safetensors",
        features=f"{BUNDLE}/features.safetensors" if HAS_FEATURES else [],
        model=f"{BUNDLE}/model/model.json",
        card=f"{BUNDLE}/MODEL_CARD.md",
    log:
        f"{RESULTS}/logs/bundle/{SHIPPED}.log",
    benchmark:
        f"{RESULTS}/benchmarks/bundle/{SHIPPED}.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=2),
        runtime=minutes(10),
    params:
        shipped=SHIPPED,
        design=DESIGN,
        expression=config["expression"],
        features=config["features"],
        evaluation=config["evaluation"],
        unit=config["counts_unit"],
        counting=(
            {key: config[key] for key in ("trimming", "alignment", "quantification")} if FROM_READS else None
        ),
        library=LIBRARY,
    script:
        "../scripts/bundle.py"


rule predict:
    """Samples of the sheet without a label, served by the bundle alone."""
    input:
        cohort=f"{RESULTS}/cohort.h5ad",
        manifest=f"{BUNDLE}/manifest.json",
        parts=rules.bundle.output,
    output:
        f"{RESULTS}/predictions.tsv",
    log:
        f"{RESULTS}/logs/predict/new_samples.log",
    benchmark:
        f"{RESULTS}/benchmarks/predict/new_samples.tsv"
    conda:
        "../envs/torch.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=4),
        runtime=minutes(10),
    params:
        design=DESIGN,
        unseen_batch=config["expression"]["unseen_batch"],
        library=LIBRARY,
    script:
        "../scripts/predict.py"
