"""Make a cohort from a count matrix and the sheet; of all samples also samples.tsv and the count matrix."""

import numpy as np
import pandas as pd

from rna2model import annotation, cohort, gate, imputation, job, matrix, sexcheck

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

used = [name for name in params.metadata if name not in params.excluded]
values, genes, notes = matrix.load(given.matrix, used, params.unit, params.missing)

empty = matrix.empty_samples(used, values, params.unit)
reasons = params.excluded | dict.fromkeys(
    empty, f"no {'values' if params.unit == 'log' else 'counts'} in the matrix"
)
keep = [column for column, name in enumerate(used) if name not in empty]
samples = [used[column] for column in keep]
counts = values.T[keep].astype(np.int64 if params.unit == "counts" else np.float64)

gene_table = pd.DataFrame(index=pd.Index(genes, name="gene_id"))
if given.gtf:
    known = annotation.read(given.gtf, params.feature, params.attribute).genes
    gene_table, unknown = matrix.annotate(gene_table, known)
    notes.append(
        f"{unknown} genes are not in {given.gtf}"
        + ("; TPM needs the length of every gene" if unknown else "")
    )


def write_status():
    """samples.tsv: who is in, who not and why, and what is odd about whom."""
    kinds = sexcheck.kinds(genes, gene_table.get("gene_name", genes)) if params.unit != "log" else {}
    seen = sexcheck.of_matrix(kinds, counts, genes, samples)
    gaps = dict(zip(used, imputation.missing_share(values.T), strict=True))
    sizes = dict(
        zip(used, values.sum(axis=0) if "counts" in params.unit else np.zeros(len(used)), strict=True)
    )
    rows = [
        gate.left_out(name, reasons[name])
        if name in reasons
        else gate.of_matrix(name, seen[name], metadata, gaps[name], sizes[name])
        for name, metadata in params.metadata.items()
    ]
    gate.write(rows, params.metadata, out.samples)


cohort.build(counts, samples, gene_table, params.metadata, params.unit).write_h5ad(out.cohort)
if "matrix" in out.keys():
    write_status()
    cohort.write_matrix(counts, samples, genes, out.matrix)
print(*notes, f"{len(samples)} samples x {len(genes)} genes", sep="\n")
