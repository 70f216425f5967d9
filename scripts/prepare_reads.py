"""Check the FASTQ files of one sample, join its lanes, and rename reads that tools would name differently."""

import json
from pathlib import Path

from rna2model.core import files, job
from rna2model.reads import fastq, lanes, read_names

job.start(snakemake)
umi = snakemake.params.umi_in_names

mates = [snakemake.input.r1, snakemake.input.r2] if snakemake.input.r2 else [snakemake.input.r1]
lane_files = list(zip(*mates, strict=True))
copies, part = fastq.Copies(), fastq.Evenly(snakemake.config["qc"]["fastqc_reads"])
named, shape = read_names.Names(umi), fastq.Shape()
fragments, problem = fastq.inspect(lane_files, copies, part, named, shape)
problem = problem or named.problem_of(fragments)
repeated = problem is None and len(lane_files) > 1 and lanes.share_names(lane_files)
if problem is None and (named.odd or repeated):
    read_names.rewrite(lane_files, snakemake.output.reads, umi, repeated)
else:
    lanes.join(lane_files, snakemake.output.reads, good=problem is None)
if problem:
    part = fastq.Evenly(0)
part.write(snakemake.output.part)

verdict = {
    "sample": snakemake.wildcards.sample,
    "reads": fragments,
    "duplicate_pct": copies.duplicate_pct(),
    "problem": problem,
    "longest": shape.longest[: len(mates)],
    "poly_g": shape.has_poly_g(),
    "failed_filter": named.failed,
    "note": named.note(fragments),
    "files": {str(path): files.alike(path) for lane in lane_files for path in lane},
}
Path(snakemake.output.verdict).write_text(json.dumps(verdict) + "\n")
print(problem or f"{fragments} reads or read pairs, no problem found")
print(shape.describe())
for what, number in named.odd.items():
    print(f"names were written anew: {what} ({number} reads or read pairs)")
if repeated:
    print("names were written anew: lanes have the same names")
