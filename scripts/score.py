"""Predict the held-out samples of one split."""

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core import job
from rna2model.evaluation import predictions
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, wildcards = snakemake.input, snakemake.wildcards

data = split_data.read(inputs.cohort, inputs.manifest, wildcards.split, snakemake.params.design)
unseen = snakemake.params.unseen_batch
if unseen == "refuse" and wildcards.split.startswith(("batch.", "full", "transfer")):
    unseen = "uncorrected"  # holding a batch out is the point, and a fixed hold-out often is one
model = models.load(inputs.model, allow_code=True)
fitted = preprocessing.load(inputs.normalizer, inputs.batch_model, inputs.features).shown_to(model)
expression = data.expression(data.test, fitted, unseen=unseen)

shown, curves = outcome.times(data.outcome(data.full), snakemake.params.landmarks)
table = predictions.table(data.test, model, expression, {**shown, **curves})
table = predictions.scored(table, wildcards.split, data.outcome(data.test))
table.to_csv(snakemake.output[0], sep="\t", index=False)
