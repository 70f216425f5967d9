"""Scores of a panel by the number of its genes."""

import pandas as pd

from rna2model import models
from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import classification, frontier, predictions
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, design = cohort.read(inputs.cohort), params.design
manifest = split_data.read_manifest(inputs.manifest)
fitted = [models.load(folder) for folder in inputs.models]
parts = {size: [] for size in fitted[0].panels_}
for split, model, learned in zip(
    params.folds, fitted, preprocessing.load_splits(inputs, fitted[0]), strict=True
):
    own = split_data.of(data, manifest, split, design)
    X, truth = own.expression(own.test, learned), own.outcome(own.test)
    for size, tables in parts.items():
        table = predictions.table(own.test, model.at_size(size), X)
        tables.append(predictions.scored(table, split, truth))
table = frontier.table(
    {size: pd.concat(tables, ignore_index=True) for size, tables in parts.items()},
    models.load(inputs.final),
    fitted,
    classification.SHOWN[design["task"]],
    groups=split_data.group_of(data, design),
    seed=params.seed,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
with pd.option_context("display.width", 200):
    print(table.to_string(index=False))
