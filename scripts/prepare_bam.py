"""Check the alignments that the sheet gives of one sample, and bring them into the form of our own."""

import json
from pathlib import Path

from rna2model import alignments, job

job.start(snakemake)
given, out = snakemake.input, snakemake.output

contigs = alignments.read_contigs(given.contigs)
problem = alignments.problem(given.bam, contigs, given.fasta)
if problem is None:
    alignments.one_place_each(given.bam, out.bam, given.fasta, snakemake.threads)
else:
    alignments.write_empty(contigs, out.bam)
found = alignments.describe(out.bam)
if found["mixed"]:
    problem = f"mixes single-end and paired-end reads: {given.bam}"
    alignments.write_empty(contigs, out.bam)

verdict = {"sample": snakemake.wildcards.sample, "reads": found["fragments"], "problem": problem} | found
Path(out.verdict).write_text(json.dumps(verdict) + "\n")
print(problem or found)
