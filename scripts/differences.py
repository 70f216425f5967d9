"""Each model against the floor and the anchors, on the same samples and resamples."""

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import paired_differences, predictions
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, design = cohort.read(inputs.cohort), params.design
manifest = split_data.read_manifest(inputs.manifest)
tables = {
    name: predictions.read([path]) for name, path in zip(params.models, inputs.predictions, strict=True)
}
names = set(next(iter(tables.values()))["split"])
training = split_data.training_outcomes(data, manifest, names, design)
groups = split_data.group_of(data, design)
anchors = [*params.anchors, *(name for name in ("clinical",) if name in tables)]
table = paired_differences.differences(tables, anchors, design, groups, params.seed, training=training)
table.to_csv(snakemake.output[0], sep="\t", index=False)
