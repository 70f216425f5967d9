"""Take reads evenly from the FASTQ files of one sample."""

import dnaio

from rna2model import job, reads

job.start(snakemake)
part = reads.Evenly(snakemake.params.most)
with dnaio.open(*snakemake.input) as records:
    for number, record in enumerate(records):
        if number == part.next:
            part.take((record,) if len(snakemake.input) == 1 else record)
part.write(snakemake.output)
print(f"every read or read pair whose number is divisible by {part.step}")
