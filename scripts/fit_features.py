"""Learn gene-set scores and covariates of one split from its training samples."""

from rna2model.core import job
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data = split_data.read(inputs.cohort, inputs.manifest, snakemake.wildcards.split, params.design)
fitted = preprocessing.load(inputs.normalizer, inputs.batch_model)
fitted.fit_features(data, params.features, params.covariates, inputs.gene_sets)
fitted.save(features=snakemake.output[0])
print(
    f"{len(fitted.names)} features, {fitted.features.n_covariates_} of them from {', '.join(params.covariates) or 'no covariates'}"
)
