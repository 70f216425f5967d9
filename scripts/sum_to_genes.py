"""Sum Salmon's transcripts of one sample up to genes; say what was mapped, and on which strand."""

import json
from pathlib import Path

from rna2model.core import gene_table, job
from rna2model.reads import salmon, strandedness

job.start(snakemake)
inputs, out = snakemake.input, snakemake.output

quant = salmon.read_quant(f"{inputs.salmon}/quant.sf")
genes = [row["gene_id"] for row in gene_table.read(inputs.genes)]
counts = salmon.gene_counts(quant, salmon.read_owners(inputs.transcripts), genes)
report = salmon.report(inputs.salmon)

Path(out.counts).write_text(
    "".join(f"{gene}\t{count}\n" for gene, count in [("gene_id", "count"), *counts.items()])
)
Path(out.summary).write_text(json.dumps(report) + "\n")
if out.get("library"):
    evidence = strandedness.decide(report["sense"], report["antisense"], stated=snakemake.params.stated)
    Path(out.library).write_text(json.dumps(evidence) + "\n")
print(report)
