"""Scores of one model in each level of columns of the sheet."""

from rna2model import cohort, gate, job, predictions, splitdata, subgroups

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, design = cohort.read(given.cohort), params.design
table = predictions.read(given.folds)
cells = {name: gate.column(given.samples, gate.column_name(name)) for name in params.columns}
training = splitdata.training_outcomes(
    data, splitdata.read_manifest(given.manifest), set(table["split"]), design
)
found = subgroups.table(
    table, cells, design, splitdata.group_of(data, design), params.seed, training=training
)
found.to_csv(snakemake.output[0], sep="\t", index=False)
