"""Adjust the counts of all included samples for their batches, as a table for exploration that no model reads."""

import numpy as np

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.core.errors import InputProblem
from rna2model.explore import combat_seq, views

job.start(snakemake)

data, note = cohort.read(snakemake.input[0]), None
try:
    batches = data.column(snakemake.params.batch, data.samples)
    adjusted, genes = combat_seq.adjust(data.counts, batches), data.genes
except InputProblem as problem:
    note, genes, adjusted = str(problem), [], np.empty((len(data.samples), 0), int)
cohort.write_matrix(adjusted, data.samples, genes, snakemake.output[0])
views.beside(snakemake.output[0], note, labels_used=False)
