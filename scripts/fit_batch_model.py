"""Fit the batch model of one split on its training samples."""

from rna2model import batch, job, normalization, splitdata

SETTINGS = {"reference": "reference_batch", "mean_only": "mean_only", "adapt_samples": "adapt_samples"}

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
batches = data.batches(data.train)
method, labels = params.expression["batch_correction"], data.labels(data.train)
if method != "none":
    batch.check_confounding(batches, labels)

expression = normalization.load(given.normalizer).transform(data.counts(data.train))
settings = {name: params.expression[key] for name, key in SETTINGS.items()}
model = batch.make(method, **settings)
model.fit(expression, batches, protect=labels if params.expression["protect_target"] else None)
model.save(snakemake.output[0])
print(f"{method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
