"""Fit the normalizer of one split on its training samples."""

from rna2model import job, pipeline, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
normalizer = pipeline.fit_normalizer(data, params.expression, params.unit)
normalizer.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(normalizer.genes_)} of {len(data.cohort.genes)} genes kept")
