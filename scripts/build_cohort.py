"""Join the counts of the included samples into cohort.h5ad and the count matrix."""

import h5py

from rna2model.cohort import cohort
from rna2model.core import gene_table, job, spike_ins
from rna2model.core.errors import InputProblem
from rna2model.qc import gate

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params

samples = gate.included(inputs.samples)
if not samples and not params.get("may_be_empty"):
    first = next(iter(gate.column(inputs.samples, "reason").items()), None)
    first = " (the first: {}: {})".format(*first) if first else ""
    raise InputProblem(f"no sample passed quality control; the reasons are in {inputs.samples}{first}.")
files = dict(zip(params.used, inputs.counts, strict=True))
genes = gene_table.as_frame(inputs.genes)

non_genes = spike_ins.find(list(genes.index))
left_out = [gene for gene in non_genes if params.spike_ins == "drop"]
others = cohort.stream({name: files[name] for name in samples}, genes, params.metadata, out.cohort, left_out)
used = [gene for gene in genes.index if gene not in set(left_out)]
if "matrix" in out.keys():
    with h5py.File(out.cohort) as file:
        cohort.write_matrix(file["layers/counts"], samples, used, out.matrix, more=(others, left_out))
print(
    *filter(None, [spike_ins.note(non_genes, params.spike_ins)]),
    f"{len(samples)} samples x {len(used)} genes",
    sep="\n",
)
