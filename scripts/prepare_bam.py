"""Check the alignments that the sheet gives of one sample, and bring them into the form of our own."""

import json
from pathlib import Path

from rna2model.core import job
from rna2model.reads import bam

job.start(snakemake)
inputs, out = snakemake.input, snakemake.output

contigs = bam.read_contigs(inputs.contigs)
problem, facts = bam.take_over(
    inputs.bam, out.bam, contigs, inputs.fasta, snakemake.threads, snakemake.params.umi_in_names
)

verdict = {"sample": snakemake.wildcards.sample, "reads": facts["fragments"], "problem": problem} | facts
Path(out.verdict).write_text(json.dumps(verdict) + "\n")
print(problem or facts)
