"""Permutation test of logistic_l2, or of ridge for numbers, over the cross-validation folds."""

import json
from pathlib import Path

from rna2model import job, permutation, permutation_ridge, selection, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

folds = []
paths = given.normalizers, given.batch_models, given.features or [None] * len(params.folds)
for split, *artefacts in zip(params.folds, *paths, strict=True):
    data = splitdata.read(given.cohort, given.manifest, split, params.design)
    fitted = splitdata.artefacts(*artefacts)
    folds.append(
        permutation.Fold(
            split,
            data.train,
            data.test,
            data.expression(data.train, *fitted),
            data.expression(data.test, *fitted, unseen=params.unseen_batch),
            selection.make(params.features, features=fitted[-1], seed=params.seed),
        )
    )

labels = dict(zip(data.cohort.samples, data.outcome(data.cohort.samples), strict=True))
test = permutation_ridge if params.design["task"] == "regression" else permutation
groups = data.groups(data.cohort.samples)
result = test.permutation_test(
    folds,
    labels,
    groups=None if groups is None else dict(zip(data.cohort.samples, groups, strict=True)),
    n=params.permutations,
    seed=params.seed,
    inner_folds=params.inner_folds,
)
Path(snakemake.output[0]).write_text(json.dumps(result, indent=1) + "\n")
