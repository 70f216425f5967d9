"""Fit the normalizer of one split on its training samples."""

from rna2model import job, normalization, splitdata

job.start(snakemake)
params = snakemake.params

data = splitdata.read(
    snakemake.input.cohort, snakemake.input.manifest, snakemake.wildcards.split, params.design
)
normalizer = normalization.make(
    params.expression["normalization"],
    gene_ids=data.cohort.genes,
    gene_lengths=data.cohort.lengths,
    gene_filter=params.expression["filter"],
    unit=params.unit,
    missing=params.expression["missing"],
)
normalizer.fit(
    data.counts(data.train), groups=data.labels(data.train)
)  # groups: only the class sizes are used
normalizer.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(normalizer.genes_)} of {len(data.cohort.genes)} genes kept")
