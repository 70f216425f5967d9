"""What journals ask for beside scores: subgroups, whether the cohort is large enough, the TRIPOD+AI checklist."""

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
            caption="../resources/report/captions/subgroups.rst",
            category="Models",
            labels={"content": "Scores of {model} by subgroup"},
        ),
    log:
        f"{RESULTS}/logs/subgroups/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/subgroups/{{model}}.tsv"
    conda:
        "../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=1),
        runtime=minutes(30),
    params:
        columns=SUBGROUPS,
        design=DESIGN,
        seed=config["evaluation"]["seed"],
        library=LIBRARY,
    script:
        "../scripts/subgroups.py"
