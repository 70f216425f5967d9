"""Gather the out-of-fold predictions of one model and compute its metrics."""

import json
from pathlib import Path

from rna2model import cohort, evaluation, job, predictions

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = cohort.read(given.cohort)
groups = dict(zip(data.samples, data.obs[params.group], strict=True)) if params.group else None

table = predictions.read(given.folds)
table.to_csv(snakemake.output.predictions, sep="\t", index=False)
metrics = evaluation.metrics(table, groups=groups, seed=params.seed)
if given.batches:
    held_out = predictions.read(given.batches)
    metrics["leave_one_batch_out"] = evaluation.metrics(held_out, groups=groups, seed=params.seed)
if given.permutation:
    metrics["permutation"] = json.loads(Path(given.permutation[0]).read_text())
Path(snakemake.output.metrics).write_text(json.dumps(metrics, indent=1) + "\n")
