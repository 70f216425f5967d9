"""Fit the batch model of one split on its training samples."""

from rna2model import job, normalization, pipeline, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
model, scores = pipeline.fit_batch_model(data, normalization.load(given.normalizer), params.expression)
model.save(snakemake.output[0])
print(f"{model.method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
if scores:
    print("balanced accuracy on batches held out of the training samples:", scores)
