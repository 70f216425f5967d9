"""Decide the strandedness of one sample from its alignments, or check what the sheet says."""

import json
from pathlib import Path

from rna2model import job, strandedness

job.start(snakemake)

genes = strandedness.clear_genes(snakemake.input.genes)
sense, antisense = strandedness.observe(snakemake.input.bam, genes)
evidence = strandedness.decide(sense, antisense, given=snakemake.params.given)

Path(snakemake.output.evidence).write_text(json.dumps(evidence) + "\n")
Path(snakemake.output.decision).write_text(evidence["strandedness"] + "\n")
print(json.dumps(evidence, indent=1))
