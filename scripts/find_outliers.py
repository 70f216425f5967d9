"""Find samples that are unlike the others, with the reason in words."""

from rna2model.core import job
from rna2model.explore import outliers
from rna2model.explore import views as exploration

job.start(snakemake)

views, samples, _ = exploration.read(snakemake.input.normalized, snakemake.input.corrected)
labels, batches = exploration.roles(snakemake.input.cohort, snakemake.params.design, samples)
table, details = outliers.find(views["normalized"], samples, labels, batches)
exploration.conclude(table, snakemake.output[0], **details)
