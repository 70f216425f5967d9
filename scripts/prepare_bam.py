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
fragments, note = alignments.describe(out.bam)

verdict = {"sample": snakemake.wildcards.sample, "reads": fragments, "problem": problem, "note": note}
Path(out.verdict).write_text(json.dumps(verdict) + "\n")
print(problem or f"{fragments} fragments. {note}")
