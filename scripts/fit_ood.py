"""Learn from the training samples of one split how far a new sample may lie from them."""

from rna2model import job, ood, preprocessing, splitdata

job.start(snakemake)
given = snakemake.input

data = splitdata.read(given.cohort, given.manifest, snakemake.params.split, snakemake.params.design)
genes = preprocessing.load(given.normalizer, given.batch_model)  # without features: distance is in expression
fitted = ood.OutOfDistribution()
fitted.fit(data.expression(data.train, genes), data.groups(data.train))
fitted.save(snakemake.output[0])
print(f"{len(data.train)} training samples, {len(fitted.axes_)} components")
