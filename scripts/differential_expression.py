"""Test the labelled samples for differential expression between classes, and draw it."""

from rna2model import cohort, differential, exploration, exploration_figures, job

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
exploration.conclude(table, out.table, note, **details)
for draw, path in ((exploration_figures.volcano, out.volcano), (exploration_figures.ma, out.ma)):
    exploration_figures.empty(note, path) if note else draw(table, path)
