"""Unpack the reference, check genome against annotation, and write what later rules read from it."""

import json
from pathlib import Path

from rna2model import annotation, files, fingerprint, job, reference

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

files.unpack(given.fasta, out.fasta)
lengths = reference.contigs(out.fasta)
found = annotation.read(given.gtf, params.feature, params.attribute)
notes = reference.check_chromosomes(given.fasta, given.gtf, lengths, found.genes)
introns = reference.splice_sites(found.transcripts)
tables = {
    out.star: [f"{name} {value}" for name, value in reference.star_sizes(lengths).items()],
    out.contigs: [f"{name}\t{length}" for name, length in lengths.items()],
    out.splice_sites: ["{}\t{}\t{}\t{}".format(*intron) for intron in introns],
    out.owners: [f"{transcript.name}\t{transcript.gene}" for transcript in found.transcripts],
    out.transcripts: reference.bed12(found.transcripts),
    out.bodies: reference.bed12(reference.gene_bodies(found)),
}
for path, lines in tables.items():
    Path(path).write_text("".join(line + "\n" for line in lines))
reference.write_gtf(found, out.gtf)
reference.write_genes(found.genes, out.genes)

without_type = sum(not gene["biotype"] for gene in found.genes)
if without_type:
    notes.append(
        f"{without_type} genes have no biotype (gene_biotype, gene_type): shares by biotype leave them out"
    )
facts = {
    **fingerprint.of_reference(given.fasta, given.gtf, lengths, fingerprint.genome(out.fasta)[0], found),
    "introns": len(introns),
    "format": "GFF3" if found.is_gff3 else "GTF",
    "notes": notes,
}
Path(out.facts).write_text(json.dumps(facts, indent=1) + "\n")
print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
