"""All samples together, for people to look at. No rule of a model reads anything in expression/.

Every table but the PCA has a JSON of its name beside it: how it was made, and, where it is empty, why (`note`).
"""

VIEWS = {
    "normalized": f"{RESULTS}/expression/{config['expression']['normalization']}.tsv.gz",
    "corrected": f"{RESULTS}/expression/batch_corrected.tsv.gz",
}


rule view_cohort:
    """All samples together, normalised and corrected; how much of it is batch, how much target."""
    input:
        f"{RESULTS}/cohort.h5ad",
    output:
        normalized=VIEWS["normalized"],
        corrected=VIEWS["corrected"],
        components=f"{RESULTS}/expression/pca.tsv",
        diagnostics=f"{RESULTS}/expression/diagnostics.json",
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=10),
        runtime=minutes(20),
    params:
        design=DESIGN,
        expression=config["expression"],
        unit=UNIT,
    script:
        "../../scripts/view_cohort.py"


rule embed_samples:
    """The samples on a plane, by t-SNE and UMAP (the target `explore` asks for it)."""
    input:
        **VIEWS,
    output:
        f"{RESULTS}/expression/embedding.tsv",
        f"{RESULTS}/expression/embedding.json",
    conda:
        "../../envs/explore.yaml"
    resources:
        mem_mb=megabytes(2000, per_input_mb=60),
        runtime=minutes(60),
    script:
        "../../scripts/embed_samples.py"


rule cluster_samples:
    """Which samples are alike, and whether clusters of them are the target or the batch."""
    input:
        **VIEWS,
        cohort=f"{RESULTS}/cohort.h5ad",
    output:
        correlations=f"{RESULTS}/expression/sample_clustering.tsv",
        heatmap=report(
            f"{RESULTS}/expression/heatmap.svg",
            caption="../../resources/report/captions/heatmap.rst",
            category="Samples",
            labels={"content": "Correlations of samples"},
        ),
        clusters=f"{RESULTS}/expression/clusters.tsv",
        details=expand(f"{RESULTS}/expression/{{table}}.json", table=["sample_clustering", "clusters"]),
    conda:
        "../../envs/explore.yaml"
    resources:
        mem_mb=megabytes(2000, per_input_mb=60),
        runtime=minutes(60),
    params:
        design=DESIGN,
    script:
        "../../scripts/cluster_samples.py"


rule find_outliers:
    """Samples unlike the others, with a verdict in words; it never excludes a sample."""
    input:
        **VIEWS,
        cohort=f"{RESULTS}/cohort.h5ad",
    output:
        f"{RESULTS}/expression/outliers.tsv",
        f"{RESULTS}/expression/outliers.json",
    conda:
        "../../envs/explore.yaml"
    resources:
        mem_mb=megabytes(2000, per_input_mb=60),
        runtime=minutes(60),
    params:
        design=DESIGN,
    script:
        "../../scripts/find_outliers.py"
