"""Test the labelled samples for differential expression between classes, and plot the result."""

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.explore import differential, figures, views

job.start(snakemake)
out, params = snakemake.output, snakemake.params

data = cohort.read(snakemake.input[0])
table, note, details = differential.of_cohort(
    data,
    data.symbol_of,
    params.design,
    params.unit,
    params.gene_filter,
    snakemake.threads,
)
views.conclude(table, out.table, note, **details)
for draw, path in ((figures.volcano, out.volcano), (figures.ma, out.ma)):
    figures.empty(note, path) if note else draw(table, path)
