"""Each model against the floor and the anchors, on the same samples and resamples."""

import csv

from rna2model import cohort, evaluation, job, predictions, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, design = cohort.read(given.cohort), params.design
manifest = splitdata.read_manifest(given.manifest)
groups = splitdata.group_of(data, design)
tables = {name: predictions.read([path]) for name, path in zip(params.models, given.predictions, strict=True)}
names = set(next(iter(tables.values()))["split"])
training = splitdata.training_outcomes(data, manifest, names, design)

with open(snakemake.output[0], "w", newline="") as file:
    out = csv.writer(file, delimiter="\t", lineterminator="\n")
    out.writerow(["model", "against", "metric", "difference", "lower", "upper"])
    for model, table in tables.items():
        for other in params.anchors:
            for metric in evaluation.COMPARED[design["task"]] if other != model else ():
                found = evaluation.paired_difference(
                    table, tables[other], metric, groups, params.seed, task=design["task"], training=training
                )
                out.writerow([model, other, metric, *(found[key] for key in ("estimate", "lower", "upper"))])
