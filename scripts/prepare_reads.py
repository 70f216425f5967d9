"""Check the FASTQ files of one sample and bring its lanes together."""

import json
from pathlib import Path

from rna2model import job, reads

job.start(snakemake)

mates = [snakemake.input.r1, snakemake.input.r2] if snakemake.input.r2 else [snakemake.input.r1]
lanes = list(zip(*mates, strict=True))
copies, part = reads.Copies(), reads.Evenly(snakemake.config["qc"]["fastqc_reads"])
fragments, problem = reads.inspect(lanes, copies, part)
reads.join(lanes, snakemake.output.reads, good=problem is None)
if problem:
    part = reads.Evenly(0)
part.write(snakemake.output.part)

verdict = {
    "sample": snakemake.wildcards.sample,
    "reads": fragments,
    "duplicate_pct": copies.duplicate_pct(),
    "problem": problem,
}
Path(snakemake.output.verdict).write_text(json.dumps(verdict) + "\n")
print(problem or f"{fragments} reads or read pairs, no problem found")
