"""Learn from the training samples of one split how far a new sample may lie from them."""

from rna2model import job, ood, splitdata

job.start(snakemake)
given = snakemake.input

data = splitdata.read(given.cohort, given.manifest, snakemake.params.split, snakemake.params.design)
normalizer, batch_model, _ = splitdata.artefacts(given.normalizer, given.batch_model)
fitted = ood.OutOfDistribution()
fitted.fit(data.expression(data.train, normalizer, batch_model), data.groups(data.train))
fitted.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(fitted.axes_)} components")
