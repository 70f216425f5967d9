"""Scores of one model by the number of samples it was trained on."""

import pandas as pd

from rna2model import cohort, evaluation, job, learningcurve, predictions, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, design = cohort.read(given.cohort), params.design
manifest = splitdata.read_manifest(given.manifest)
training = splitdata.training_outcomes(data, manifest, params.folds, design)
table = learningcurve.table(
    predictions.read(given.fewer),
    predictions.read(given.whole),
    {name: len(outcomes) for name, outcomes in training.items()},
    evaluation.SHOWN[design["task"]],
    groups=splitdata.group_of(data, design),
    seed=params.seed,
    task=design["task"],
    training=training,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
with pd.option_context("display.width", 200):
    print(table.to_string(index=False))
