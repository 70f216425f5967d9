"""Predict the samples that have no label, with the bundle."""

from pathlib import Path

import numpy as np

from rna2model import bundle, cohort, job, outcome

job.start(snakemake)
given, design = snakemake.input, snakemake.params.design

data = cohort.read(given.cohort)
known = outcome.known(design, data.obs)
new = [name for name, is_known in zip(data.samples, known, strict=True) if not is_known]
batches = data.column(design["batch"], new) if design["batch"] else np.full(len(new), "", dtype=object)

serve = bundle.Bundle(Path(given.manifest).parent)
table = serve.predict(
    new,
    data.counts[data.rows(new)],
    data.genes,
    batches,
    unseen=snakemake.params.unseen_batch,
    cells={column: data.column(column, new) for column in serve.covariates},
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
print(table.to_string(index=False))
