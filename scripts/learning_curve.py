"""Scores of one model by the number of samples it was trained on."""

import pandas as pd

from rna2model import cohort, evaluation, job, learningcurve, predictions, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, design = cohort.read(given.cohort), params.design
manifest = splitdata.read_manifest(given.manifest)
splits = {name: splitdata.of(data, manifest, name, design) for name in params.folds}
table = learningcurve.table(
    predictions.read(given.fewer),
    predictions.read(given.whole),
    {name: len(split.train) for name, split in splits.items()},
    evaluation.SHOWN[design["task"]],
    groups=dict(zip(data.samples, data.obs[design["group"]], strict=True)) if design["group"] else None,
    seed=params.seed,
    task=design["task"],
    training={name: split.outcome(split.train) for name, split in splits.items()},
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
with pd.option_context("display.width", 200):
    print(table.to_string(index=False))
