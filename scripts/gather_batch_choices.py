"""What `batch_correction: auto` chose in every split, and from what."""

import pandas as pd

from rna2model.core import job
from rna2model.expression.batch import registry
from rna2model.training import batch_choice

job.start(snakemake)

parts = []
for split, path in zip(snakemake.params.splits, snakemake.input, strict=True):
    table = batch_choice.table(registry.load(path).choice_)
    table.insert(0, "split", split)
    parts.append(table)
pd.concat(parts, ignore_index=True).to_csv(snakemake.output[0], sep="\t", index=False)
