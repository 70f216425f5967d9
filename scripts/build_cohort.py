"""Join the counts of the included samples into cohort.h5ad and the count matrix."""

import h5py

from rna2model import cohort, gate, genetable, job, spikeins
from rna2model.errors import InputProblem

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

samples = gate.included(given.samples)
if not samples and not params.get("may_be_empty"):
    first = next(iter(gate.column(given.samples, "reason").items()), None)
    first = " (the first: {}: {})".format(*first) if first else ""
    raise InputProblem(f"no sample passed quality control; the reasons are in {given.samples}{first}.")
files = dict(zip(params.used, given.counts, strict=True))
genes = genetable.as_frame(given.genes)

found = spikeins.find(list(genes.index))
left_out = [gene for gene in found if params.spike_ins == "drop"]
others = cohort.stream({name: files[name] for name in samples}, genes, params.metadata, out.cohort, left_out)
used = [gene for gene in genes.index if gene not in set(left_out)]
if "matrix" in out.keys():
    with h5py.File(out.cohort) as file:
        cohort.write_matrix(file["layers/counts"], samples, used, out.matrix, more=(others, left_out))
print(
    *filter(None, [spikeins.note(found, params.spike_ins)]),
    f"{len(samples)} samples x {len(used)} genes",
    sep="\n",
)
