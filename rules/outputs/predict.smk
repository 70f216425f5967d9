"""The bundle, which is all that serving needs, and the predictions for samples without a label."""

SHIPPED = config["shipped_model"]  # the first of `models`: chosen by the user, never by the outer score

# of genes alone: sums of gene sets and codes of covariates are nothing to measure on a bench
OF_GENES = SHIPPED in models.WITHIN_SAMPLE or not HAS_FEATURES
HAS_SIGNATURE = DESIGN["task"] == "classification" and SHIPPED in models.SIGNATURES and OF_GENES

if not FROZEN:

    rule bundle:
        """The artefacts of the split `full` with their manifest and model card."""
        input:
            cohort=f"{RESULTS}/splits/training.h5ad",
            manifest=f"{RESULTS}/splits/manifest.tsv",
            normalizer=f"{RESULTS}/splits/full/normalizer.safetensors",
            batch_model=f"{RESULTS}/splits/full/batch_model.safetensors",
            features=fitted_features("full"),
            ood=f"{RESULTS}/splits/full/ood.safetensors",
            model=f"{RESULTS}/splits/full/models/{SHIPPED}",
            metrics=f"{RESULTS}/models/{SHIPPED}/metrics.json",
            chance=f"{RESULTS}/models/dummy/metrics.json",
            counting=f"{RESULTS}/counts/matrix.json",
            samples=f"{RESULTS}/splits/samples.tsv" if FROM_READS else [],
        output:
            manifest=f"{BUNDLE}/manifest.json",
            normalizer=f"{BUNDLE}/normalizer.safetensors",
            batch_model=f"{BUNDLE}/batch_model.safetensors",
            features=f"{BUNDLE}/features.safetensors" if HAS_FEATURES else [],
            ood=f"{BUNDLE}/ood.safetensors",
            panel=f"{BUNDLE}/panel.safetensors",
            signature=[f"{BUNDLE}/signature.tsv", f"{BUNDLE}/signature.json"] if HAS_SIGNATURE else [],
            # the files beside it depend on the model; a job elsewhere sends only what is named here
            model=directory(f"{BUNDLE}/model") if ONLY_NAMED else f"{BUNDLE}/model/model.json",
            card=report(
                f"{BUNDLE}/MODEL_CARD.md",
                caption="../../resources/report/captions/model_card.rst",
                category="Models",
                labels={"content": "Model card"},
            ),
        log:
            f"{RESULTS}/logs/bundle/{SHIPPED}.log",
        conda:
            "../../envs/torch.yaml"
        resources:
            mem_mb=megabytes(1500, per_input_mb=4),
            runtime=minutes(10),
        params:
            shipped=SHIPPED,
            panel=config["training"]["panel"],
            design=DESIGN,
            expression=config["expression"],
            features=config["features"],
            evaluation=config["evaluation"],
            qc=config["qc"],
            settings={key: config["training"][key] for key in ("imbalance", "calibration", "threshold")},
            index=(config["reference"]["index"] or f"{REFERENCE}/{ALIGNER}") if FROM_READS else None,
            library=code_of("bundle.py", SHIPPED),
        script:
            "../../scripts/bundle.py"


# No rule makes the files of a frozen bundle.
PARTS = [f"{BUNDLE}/{name}" for name in manifest.read(BUNDLE)["files"]] if FROZEN else rules.bundle.output


rule predict:
    """Samples without a label, served by the bundle alone."""
    input:
        cohort=f"{RESULTS}/cohort.h5ad",
        counting=f"{RESULTS}/counts/matrix.json",
        samples=f"{RESULTS}/samples.tsv",
        manifest=f"{BUNDLE}/manifest.json",
        parts=PARTS,
    output:
        report(
            f"{RESULTS}/predictions.tsv",
            caption="../../resources/report/captions/predictions.rst",
            category="Predictions",
            labels={"content": "Predictions of new samples"},
        ),
    log:
        f"{RESULTS}/logs/predict/new_samples.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=4),
        runtime=minutes(10),
    params:
        design=DESIGN,
        new=NEW,
        unseen_batch=config["expression"]["unseen_batch"],
        aligned=[name for name in USED if SAMPLES[name].bam] if FROZEN else [],
        allow_code=not FROZEN or config["training"]["allow_code"],  # this run's own code is what its config names
        library=code_of("predict.py", SHIPPED),
    script:
        "../../scripts/predict.py"


rule validate_externally:
    """External validation: predictions and scores of the frozen bundle on labelled samples that it never saw."""
    input:
        cohort=f"{RESULTS}/cohort.h5ad",
        counting=f"{RESULTS}/counts/matrix.json",
        samples=f"{RESULTS}/samples.tsv",
        manifest=f"{BUNDLE}/manifest.json",
        parts=PARTS,
    output:
        table=report(
            f"{RESULTS}/external_validation.tsv",
            caption="../../resources/report/captions/external.rst",
            category="Predictions",
            labels={"content": "External validation"},
        ),
        metrics=f"{RESULTS}/external_validation.json",
    log:
        f"{RESULTS}/logs/validate_externally/labelled_samples.log",
    conda:
        "../../envs/torch.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=4),
        runtime=minutes(20),
    params:
        design=DESIGN,
        unseen_batch=config["expression"]["unseen_batch"],
        aligned=[name for name in USED if SAMPLES[name].bam] if FROZEN else [],
        allow_code=config["training"]["allow_code"],
        seed=config["evaluation"]["seed"],
        library=code_of("validate_externally.py", SHIPPED),
    script:
        "../../scripts/validate_externally.py"


SERVED = [f"{RESULTS}/samples.tsv"]
SERVED += [f"{RESULTS}/predictions.tsv"] if NEW else []
SERVED += rules.validate_externally.output if EXTERNAL else []
