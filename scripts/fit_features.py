"""Learn gene-set scores and covariates of one split from its training samples."""

from rna2model import features, genesets, job, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
normalizer, batch_model, _ = splitdata.artefacts(given.normalizer, given.batch_model)
sets = None
if given.gene_sets:
    symbols = [data.cohort.symbol_of.get(gene, "") for gene in normalizer.genes_]
    sets = genesets.members(genesets.read_gmt(given.gene_sets), normalizer.genes_, symbols)
fitted = features.Features(
    normalizer.genes_,
    sets,
    score=params.features["score"],
    covariates=params.covariates,
    impute=params.features["impute"],
)
fitted.fit(data.expression(data.train, normalizer, batch_model), data.covariates(data.train))
fitted.save(snakemake.output[0])
print(
    f"{len(fitted.names_)} features, {fitted.n_covariates_} of them from {', '.join(params.covariates) or 'no covariates'}"
)
