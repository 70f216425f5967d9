"""Make a cohort from a count matrix and the sheet; of all samples also samples.tsv and the count matrix."""

import numpy as np
import pandas as pd

from rna2model.cohort import cohort, count_matrix, units
from rna2model.core import gene_ids, job, spike_ins
from rna2model.core.errors import InputProblem
from rna2model.expression.features import imputation
from rna2model.inputs import sample_count_files
from rna2model.qc import gate, sex
from rna2model.reference import annotation

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params
unit = units.of_cohort(params.unit)

used = [name for name in params.metadata if name not in params.excluded]
files = [
    sample_count_files.CountFile(name, path, None, strand) for name, (path, strand) in params.files.items()
]
source = "counts_file" if files else inputs.matrix
joined = sample_count_files.read(files, source, params.unit, inputs.gtf or None) if files else None
values, genes, notes = count_matrix.load(source, used, params.unit, params.missing, params.layer, joined)
non_genes = spike_ins.find(genes)
is_used = np.array([gene not in non_genes or params.spike_ins == "keep" for gene in genes])
notes += filter(None, [spike_ins.note(non_genes, params.spike_ins)])

sizes = dict(zip(used, values[is_used].sum(axis=0), strict=True))
empty = units.empty_samples(used, values[is_used], unit)
excluded = params.excluded | gate.too_small(sizes, unit, empty, params.min_counts)
keep = [column for column, name in enumerate(used) if name not in excluded]
samples = [used[column] for column in keep]
if used and not samples and "matrix" in out.keys():
    first = f"{used[0]}: {excluded[used[0]]}"
    raise InputProblem(f"{source}: no sample is left (the first: {first}).")
counts = values.T[keep].astype(np.int64 if unit == "counts" else np.float64)

gene_table = pd.DataFrame(index=pd.Index(genes, name="gene_id")[is_used])
if inputs.gtf:
    known = annotation.read(inputs.gtf, params.feature, params.attribute).genes
    gene_table, unknown = gene_ids.annotate(gene_table, known)
    notes.append(
        f"{unknown} genes are not in {inputs.gtf}"
        + ("; TPM needs the length of every gene" if unknown else "")
    )


def write_status():
    """samples.tsv: who is in, who not and why, and what is odd about whom."""
    symbols = gene_table.get("gene_name", gene_table.index)
    is_counted = unit in units.COUNT_UNITS
    kinds = sex.kinds(list(gene_table.index), symbols) if unit != "log" else {}
    seen = sex.of_matrix(kinds, counts[:, is_used], gene_table.index, samples)
    gaps = dict(zip(used, imputation.missing_share(values.T), strict=True))
    rows = [
        gate.left_out(name, excluded[name])
        if name in params.excluded
        else gate.of_matrix(
            name, seen.get(name, ""), metadata, gaps[name], is_counted * sizes[name], excluded.get(name, "")
        )
        for name, metadata in params.metadata.items()
    ]
    if is_counted:
        gate.flag_small(rows, sizes, np.count_nonzero(counts[:, is_used].any(axis=0)))
    gate.write(rows, params.metadata, out.samples)


cohort.build(counts[:, is_used], samples, gene_table, params.metadata, unit).write_h5ad(out.cohort)
if "matrix" in out.keys():
    write_status()
    cohort.write_matrix(counts, samples, genes, out.matrix)
print(*notes, f"{len(samples)} samples x {is_used.sum()} genes", sep="\n")
