"""Predict the held-out samples of one split."""

from rna2model import job, models, predictions, splitdata

job.start(snakemake)
given, wildcards = snakemake.input, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, snakemake.params.design)
unseen = snakemake.params.unseen_batch
if unseen == "refuse" and wildcards.split.startswith("batch."):
    unseen = "uncorrected"  # holding a batch out is the point
fitted = splitdata.artefacts(given.normalizer, given.batch_model, given.features)
expression = data.expression(data.test, *fitted, unseen=unseen)

table = predictions.table(data.test, models.load(given.model), expression)
table.insert(1, "split", wildcards.split)
table.insert(2, "truth", data.labels(data.test))
table.to_csv(snakemake.output[0], sep="\t", index=False)
