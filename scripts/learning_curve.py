"""Scores of one model by the number of samples it was trained on."""

import pandas as pd

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import classification, learning_curve, predictions
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, design = cohort.read(inputs.cohort), params.design
manifest = split_data.read_manifest(inputs.manifest)
training = split_data.training_outcomes(data, manifest, params.folds, design)
table = learning_curve.table(
    predictions.read(inputs.fewer),
    predictions.read(inputs.whole),
    {name: len(outcomes) for name, outcomes in training.items()},
    classification.SHOWN[design["task"]],
    groups=split_data.group_of(data, design),
    seed=params.seed,
    task=design["task"],
    training=training,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
with pd.option_context("display.width", 200):
    print(table.to_string(index=False))
