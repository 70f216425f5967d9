"""Unpack the reference, check genome against annotation, and write what later rules read from it."""

import json
from pathlib import Path

from rna2model import job, reference

job.start(snakemake)
given, out = snakemake.input, snakemake.output

reference.unpack(given.fasta, out.fasta)
reference.unpack(given.gtf, out.gtf)
lengths = reference.contigs(out.fasta)
genes = reference.genes(out.gtf, snakemake.params.feature, snakemake.params.attribute)
notes = reference.check_chromosomes(given.fasta, given.gtf, lengths, genes)
reference.write_genes(genes, out.genes)

sizes = reference.star_sizes(lengths)
Path(out.star).write_text("".join(f"{name} {value}\n" for name, value in sizes.items()))
introns = reference.splice_sites(out.gtf, snakemake.params.feature)
Path(out.splice_sites).write_text("".join("{}\t{}\t{}\t{}\n".format(*intron) for intron in introns))

facts = {
    "fasta_sha256": reference.checksum(out.fasta),
    "gtf_sha256": reference.checksum(out.gtf),
    "genome_bases": sum(lengths.values()),
    "contigs": len(lengths),
    "genes": len(genes),
    "introns": len(introns),
    "notes": notes,
}
Path(out.facts).write_text(json.dumps(facts, indent=1) + "\n")
print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
