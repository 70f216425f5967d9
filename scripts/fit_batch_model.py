"""Fit the batch model of one split on its training samples."""

from rna2model import batch, job, normalization, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
batches = data.batches(data.train)
method, labels = params.expression["batch_correction"], data.labels(data.train)
if method != "none":
    batch.check_confounding(batches, labels)

expression = normalization.load(given.normalizer).transform(data.counts(data.train))
model = batch.make(method, params.expression["reference_batch"], params.expression["mean_only"])
model.fit(expression, batches, protect=labels if params.expression["protect_target"] else None)
model.save(snakemake.output[0])
print(f"{method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
