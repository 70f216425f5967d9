"""Scores of one model in each level of columns of the sheet."""

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import predictions, subgroups
from rna2model.qc import gate
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, design = cohort.read(inputs.cohort), params.design
table = predictions.read(inputs.folds)
cells = {name: gate.column(inputs.samples, gate.column_name(name)) for name in params.columns}
training = split_data.training_outcomes(
    data, split_data.read_manifest(inputs.manifest), set(table["split"]), design
)
by_level = subgroups.table(
    table, cells, design, split_data.group_of(data, design), params.seed, training=training
)
by_level.to_csv(snakemake.output[0], sep="\t", index=False)
