"""Fit the normalizer of one split on its training samples."""

from rna2model.core import job
from rna2model.expression.normalization import methods
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

split = snakemake.wildcards.split
data = split_data.read(inputs.cohort, inputs.manifest, split, params.design)
normalizer = methods.fit(data, params.expression, params.unit)
normalizer.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(normalizer.genes_)} of {len(data.cohort.genes)} genes kept")
if left_out := len(data.full) - len(data.train) - len(data.test) if split.startswith("batch.") else 0:
    print(
        f"{left_out} samples do not train: the held-out batch has samples of their {params.design['group']}"
    )
