"""Learn gene-set scores and covariates of one split from its training samples."""

from rna2model import job, pipeline, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
normalizer, batch_model, _ = splitdata.artefacts(given.normalizer, given.batch_model)
fitted = pipeline.fit_features(
    data, normalizer, batch_model, params.features, params.covariates, given.gene_sets
)
fitted.save(snakemake.output[0])
print(
    f"{len(fitted.names_)} features, {fitted.n_covariates_} of them from {', '.join(params.covariates) or 'no covariates'}"
)
