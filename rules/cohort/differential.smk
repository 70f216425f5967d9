"""Which genes and gene sets differ between the classes, and counts without batches: for people to look at."""


rule test_differential:
    """DESeq2 on the counts of the labelled samples: each class against the first, batch and covariates in the design."""
    input:
        f"{RESULTS}/cohort.h5ad",
    output:
        table=report(
            f"{RESULTS}/expression/differential.tsv",
            caption="../../resources/report/captions/differential.rst",
            category="Genes",
            labels={"content": "Differential expression, table"},
        ),
        details=f"{RESULTS}/expression/differential.json",
        volcano=report(
            f"{RESULTS}/expression/volcano.svg",
            caption="../../resources/report/captions/volcano.rst",
            category="Genes",
            labels={"content": "Differential expression, volcano plot"},
        ),
        ma=report(
            f"{RESULTS}/expression/ma.svg",
            caption="../../resources/report/captions/ma.rst",
            category="Genes",
            labels={"content": "Differential expression, MA plot"},
        ),
    log:
        f"{RESULTS}/logs/test_differential/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/test_differential/cohort.tsv"
    retries: 2
    conda:
        "../../envs/explore.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(2000, per_input_mb=30),
        runtime=minutes(240),
    params:
        design=DESIGN,
        unit=UNIT,
        gene_filter=config["expression"]["filter"],
        library=code_of("differential_expression.py"),
    script:
        "../../scripts/differential_expression.py"


if config["expression"]["gene_sets"]:

    rule enrich_gene_sets:
        """The user's gene sets among the differential genes (GSEA)."""
        input:
            differential=f"{RESULTS}/expression/differential.tsv",
            sets=as_input(config["expression"]["gene_sets"]),
        output:
            f"{RESULTS}/expression/gsea.tsv",
            f"{RESULTS}/expression/gsea.json",
        log:
            f"{RESULTS}/logs/enrich_gene_sets/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/enrich_gene_sets/cohort.tsv"
        retries: 2
        conda:
            "../../envs/explore.yaml"
        resources:
            mem_mb=megabytes(2000, per_input_mb=30),
            runtime=minutes(60),
        params:
            library=code_of("enrich_gene_sets.py"),
        script:
            "../../scripts/enrich_gene_sets.py"


if config["expression"]["combat_seq"]:

    rule adjust_counts:
        """ComBat-seq: integer counts of all samples without their batches, learned without labels."""
        input:
            f"{RESULTS}/cohort.h5ad",
        output:
            f"{RESULTS}/expression/combat_seq.tsv.gz",
            f"{RESULTS}/expression/combat_seq.json",
        log:
            f"{RESULTS}/logs/adjust_counts/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/adjust_counts/cohort.tsv"
        retries: 2
        conda:
            "../../envs/explore.yaml"
        resources:
            mem_mb=megabytes(2000, per_input_mb=60),
            runtime=minutes(120),
        params:
            batch=DESIGN["batch"],
            library=code_of("combat_seq.py"),
        script:
            "../../scripts/combat_seq.py"


EXPLORATION = [  # of every run; t-SNE and UMAP, which take longer, come with the target `explore`
    f"{RESULTS}/expression/{name}"
    for name in ("batch_corrected.tsv.gz", "sample_clustering.tsv", "outliers.tsv", "differential.tsv")
]
EXPLORATION += [f"{RESULTS}/expression/gsea.tsv"] if config["expression"]["gene_sets"] else []
EXPLORATION += [f"{RESULTS}/expression/combat_seq.tsv.gz"] if config["expression"]["combat_seq"] else []
