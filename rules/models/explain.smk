"""Importance of features and gene sets compared with chance, and explanations of single predictions."""

EXPLAINED_SPLITS = [*FOLDS, "full"]
# If models use genes, these sets are tested for enrichment among the genes that the model uses.
EXPLAINED_SETS = [] if config["features"]["gene_sets"] else config["expression"]["gene_sets"] or []


rule explain:
    """Which features the final model uses, and whether the models of the folds use the same ones."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizers=[f"{RESULTS}/splits/{split}/normalizer.safetensors" for split in EXPLAINED_SPLITS],
        batch_models=[f"{RESULTS}/splits/{split}/batch_model.safetensors" for split in EXPLAINED_SPLITS],
        features=[fitted_features(split) for split in EXPLAINED_SPLITS] if HAS_FEATURES else [],
        models=[f"{RESULTS}/splits/{split}/models/{{model}}" for split in EXPLAINED_SPLITS],
        gene_sets=as_input(EXPLAINED_SETS),
    output:
        table=report(
            f"{RESULTS}/models/{{model}}/features.tsv",
            caption="../../resources/report/captions/features.rst",
            category="Genes",
            labels={"content": "Features of {model}"},
        ),
        stability=f"{RESULTS}/models/{{model}}/stability.json",
        gene_sets=f"{RESULTS}/models/{{model}}/gene_sets.tsv" if EXPLAINED_SETS else [],
    conda:
        "../../envs/explain.yaml"
    resources:
        mem_mb=megabytes(3000, per_input_mb=10),
        runtime=minutes(60, per_gigabyte=30 * len(EXPLAINED_SPLITS)),
    params:
        splits=EXPLAINED_SPLITS,
        design=DESIGN,
        features=config["features"],
        shuffles=config["explanation"]["shuffles"],
        seed=config["evaluation"]["seed"],
        library=lambda wildcards: code_of("explain.py", wildcards.model),
    script:
        "../../scripts/explain.py"


rule lime:
    """What moved the prediction of single samples: new ones, or where there are none, ones that a fold held out."""
    input:
        training=f"{RESULTS}/splits/training.h5ad",
        cohort=f"{RESULTS}/cohort.h5ad" if NEW else [],
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizers=[f"{RESULTS}/splits/{split}/normalizer.safetensors" for split in EXPLAINED_SPLITS],
        batch_models=[f"{RESULTS}/splits/{split}/batch_model.safetensors" for split in EXPLAINED_SPLITS],
        features=[fitted_features(split) for split in EXPLAINED_SPLITS] if HAS_FEATURES else [],
        models=[f"{RESULTS}/splits/{split}/models/{{model}}" for split in EXPLAINED_SPLITS],
    output:
        f"{RESULTS}/models/{{model}}/lime.tsv",
    conda:
        "../../envs/explain.yaml"
    resources:
        mem_mb=megabytes(3000, per_input_mb=10),
        runtime=minutes(60, per_gigabyte=30 * len(EXPLAINED_SPLITS)),
    params:
        splits=EXPLAINED_SPLITS,
        design=DESIGN,
        samples=config["explanation"]["lime"],
        most=1000,  # training samples that their mean is taken of
        unseen_batch=config["expression"]["unseen_batch"],
        seed=config["evaluation"]["seed"],
        library=lambda wildcards: code_of("explain_samples.py", wildcards.model),
    script:
        "../../scripts/explain_samples.py"


rule frontier:
    """How many genes a panel needs: scores of every size that was tried, out of fold."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizers=[f"{RESULTS}/splits/{split}/normalizer.safetensors" for split in FOLDS],
        batch_models=[f"{RESULTS}/splits/{split}/batch_model.safetensors" for split in FOLDS],
        features=[],
        models=[f"{RESULTS}/splits/{split}/models/panel" for split in FOLDS],
        final=f"{RESULTS}/splits/full/models/panel",
    output:
        f"{RESULTS}/models/panel/frontier.tsv",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=4),
        runtime=minutes(30),
    params:
        folds=FOLDS,
        design=DESIGN,
        seed=config["evaluation"]["seed"],
        library=code_of("frontier.py", "panel"),
    script:
        "../../scripts/frontier.py"
