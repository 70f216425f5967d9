"""Each model against the floor and the anchors, on the same samples and resamples."""

from rna2model import cohort, job, paired, predictions, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, design = cohort.read(given.cohort), params.design
manifest = splitdata.read_manifest(given.manifest)
tables = {name: predictions.read([path]) for name, path in zip(params.models, given.predictions, strict=True)}
names = set(next(iter(tables.values()))["split"])
training = splitdata.training_outcomes(data, manifest, names, design)
groups = splitdata.group_of(data, design)
anchors = [*params.anchors, *(name for name in ("clinical",) if name in tables)]
found = paired.differences(tables, anchors, design, groups, params.seed, training=training)
found.to_csv(snakemake.output[0], sep="\t", index=False)
