"""Test the user's gene sets for enrichment among the differential genes (GSEA)."""

import pandas as pd

from rna2model.core import job
from rna2model.explore import differential, enrichment, views
from rna2model.expression.features import gene_sets

job.start(snakemake)

sets = gene_sets.read_gmt(snakemake.input.sets)
tested = pd.read_csv(snakemake.input.differential, sep="\t", dtype={name: str for name in differential.TEXT})
table, details = enrichment.test(tested, sets)
note = None if len(table) else enrichment.why_empty(tested, sets, details)
views.conclude(table, snakemake.output[0], note, sets=len(sets), **details)
