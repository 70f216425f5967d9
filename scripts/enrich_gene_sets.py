"""Look for the user's gene sets among the differential genes."""

import pandas as pd

from rna2model import differential, enrichment, exploration, genesets, job

job.start(snakemake)

sets = genesets.read_gmt(snakemake.input.sets)
tested = pd.read_csv(snakemake.input.differential, sep="\t", dtype={name: str for name in differential.TEXT})
table, details = enrichment.test(tested, sets)
note = None if len(table) else enrichment.why_empty(tested, sets, details)
exploration.conclude(table, snakemake.output[0], note, sets=len(sets), **details)
