"""Fit the batch model of one split on its training samples."""

from rna2model import batchchoice, job, normalization, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = splitdata.read(given.cohort, given.manifest, snakemake.wildcards.split, params.design)
expression = normalization.load(given.normalizer).transform(data.counts(data.train))
model, scores = batchchoice.fit(
    params.expression["batch_correction"],
    expression,
    data.batches(data.train),
    data.labels(data.train),
    **batchchoice.settings(params.expression),
)
model.save(snakemake.output[0])
print(f"{model.method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
if scores:
    print("balanced accuracy on batches held out of the training samples:", scores)
