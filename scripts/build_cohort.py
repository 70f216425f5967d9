"""Join the counts of the included samples into cohort.h5ad and the count matrix."""

import numpy as np

from rna2model import cohort, gate, job
from rna2model.errors import InputProblem

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

samples = gate.included(given.samples)
if not samples:
    raise InputProblem(f"no sample passed quality control; the reasons are in {given.samples}.")
files = dict(zip(params.used, given.counts, strict=True))
genes = cohort.read_gene_table(given.genes)

counts = np.empty((len(samples), len(genes)), dtype=np.int32)
for row, name in enumerate(samples):
    counts[row] = cohort.read_counts(files[name], genes.index)

cohort.build(counts, samples, genes, params.metadata).write_h5ad(out.cohort)
if "matrix" in out.keys():
    cohort.write_matrix(counts, samples, genes.index, out.matrix)
print(f"{len(samples)} samples x {len(genes)} genes")
