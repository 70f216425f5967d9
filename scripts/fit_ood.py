"""Fit the out-of-distribution limits of one split on its training samples."""

from rna2model import models
from rna2model.core import job
from rna2model.serving import out_of_distribution
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs = snakemake.input

data = split_data.read(inputs.cohort, inputs.manifest, snakemake.params.split, snakemake.params.design)
genes = preprocessing.load(
    inputs.normalizer, inputs.batch_model
)  # without features: distance is in expression
genes = genes.shown_to(
    models.class_of(snakemake.params.shipped, snakemake.params.design["task"], snakemake.params.own)
)
fitted = out_of_distribution.OutOfDistribution()
fitted.fit(data.expression(data.train, genes), data.groups(data.train))
fitted.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(fitted.axes_)} components")
