"""Fit the batch model of one split on its training samples."""

from rna2model import batch, job, normalization, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
batches = data.batches(data.train)
if params.method != "none":
    batch.check_confounding(batches, data.labels(data.train))

expression = normalization.load(given.normalizer).transform(data.counts(data.train))
model = batch.make(params.method).fit(expression, batches)
model.save(snakemake.output[0])
print(f"{params.method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
