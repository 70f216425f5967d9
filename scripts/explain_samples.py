"""Explain single samples: new ones by the final model, or held-out ones by the model of the fold that held them out."""

import numpy as np
import pandas as pd

from rna2model import models
from rna2model.cohort import cohort, outcome
from rna2model.core import job
from rna2model.explain import lime
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params
design, unseen = params.design, params.unseen_batch
unseen = "uncorrected" if unseen == "refuse" else unseen  # these predictions are not for use


def explain(split, folder, fitted, samples, choose):
    """Rows of the table for those of `samples` (None: the held-out ones of the split) that `choose` takes."""
    model, what = models.load(folder, allow_code=True), outcome.quantity(design)
    fitted = fitted.shown_to(model)
    data = split_data.read(inputs.training, inputs.manifest, split, design)
    training = data.expression(data.train, fitted)[: params.most]
    seen = data if samples is None else split_data.SplitData(everyone, [], samples, [], design)
    rows = choose(len(seen.test))
    X = seen.expression(seen.test, fitted, unseen=unseen)[rows]
    taken = [seen.test[row] for row in rows]
    return lime.table(
        model, taken, X, training, fitted.names, data.cohort.symbol_of, split, what, params.seed
    )


learned = preprocessing.load_splits(inputs)
if inputs.cohort:
    everyone = cohort.read(inputs.cohort)
    known = outcome.known(design, everyone.obs)
    new = [name for name, is_known in zip(everyone.samples, known, strict=True) if not is_known]
    first = np.arange(min(params.samples, len(new)))
    parts = [explain(params.splits[-1], inputs.models[-1], learned[-1], new, lambda n: first)]
else:
    rng, parts = np.random.default_rng(params.seed), []
    folds = params.splits[:-1]
    for number, split in enumerate(folds):
        share = len(range(number, params.samples, len(folds)))  # in turn
        take = lambda n, share=share: np.sort(rng.permutation(n)[:share])  # noqa: E731
        if share:
            parts.append(explain(split, inputs.models[number], learned[number], None, take))
table = pd.concat(parts, ignore_index=True)
table.to_csv(snakemake.output[0], sep="\t", index=False, float_format="%.6g")
print(table.drop_duplicates("sample")[["sample", "split", "explained", "fidelity"]].to_string(index=False))
