"""Statistics that journals require besides scores: subgroups, sample size, the TRIPOD+AI checklist."""

SUBGROUPS = config["evaluation"]["subgroups"]


rule subgroups:
    """Scores of a model in each level of columns of the sheet, which no model reads for it."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        samples=f"{RESULTS}/samples.tsv",
        folds=[f"{RESULTS}/splits/{split}/predictions/{{model}}.tsv" for split in FOLDS],
    output:
        report(
            f"{RESULTS}/models/{{model}}/subgroups.tsv",
            caption="../../resources/report/captions/subgroups.rst",
            category="Models",
            labels={"content": "Scores of {model} by subgroup"},
        ),
    log:
        f"{RESULTS}/logs/subgroups/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/subgroups/{{model}}.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(30),
    params:
        columns=SUBGROUPS,
        design=DESIGN,
        seed=config["evaluation"]["seed"],
        library=code_of("subgroups.py"),
    script:
        "../../scripts/subgroups.py"


rule adequacy:
    """Whether the cohort is large enough for the genes and covariates that models choose from."""
    input:
        cohort=f"{RESULTS}/splits/training.h5ad",
        manifest=f"{RESULTS}/splits/manifest.tsv",
        normalizer=f"{RESULTS}/splits/full/normalizer.safetensors",
        features=fitted_features("full"),
        metrics=f"{RESULTS}/models/{config['shipped_model']}/metrics.json",
    output:
        report(
            f"{RESULTS}/models/adequacy.tsv",
            caption="../../resources/report/captions/adequacy.rst",
            category="Models",
            labels={"content": "Sample sizes that models need"},
        ),
    log:
        f"{RESULTS}/logs/adequacy/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/adequacy/cohort.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(10),
    params:
        design=DESIGN,
        library=code_of("adequacy.py"),
    script:
        "../../scripts/adequacy.py"


rule tripod:
    """The TRIPOD+AI checklist, filled in where the run knows."""
    input:
        manifest=f"{RESULTS}/bundle/manifest.json",
        metrics=f"{RESULTS}/models/{config['shipped_model']}/metrics.json",
        chance=f"{RESULTS}/models/dummy/metrics.json",
        samples=f"{RESULTS}/samples.tsv",
        versions=f"{RESULTS}/versions.tsv",
        adequacy=f"{RESULTS}/models/adequacy.tsv",
        differences=f"{RESULTS}/models/differences.tsv",
        subgroups=f"{RESULTS}/models/{config['shipped_model']}/subgroups.tsv" if SUBGROUPS else [],
    output:
        report(
            f"{RESULTS}/models/tripod_ai.md",
            caption="../../resources/report/captions/tripod.rst",
            category="Report",
            labels={"content": "TRIPOD+AI checklist"},
        ),
    log:
        f"{RESULTS}/logs/tripod/run.log",
    benchmark:
        f"{RESULTS}/benchmarks/tripod/run.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(5),
    params:
        config=config,
        models=MODELS,
        library=code_of("tripod.py"),
    script:
        "../../scripts/tripod.py"
