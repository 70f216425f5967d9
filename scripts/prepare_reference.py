"""Unpack the reference, check genome against annotation, and write what later rules read from it."""

import json
from dataclasses import replace
from pathlib import Path

from rna2model.core import files, job
from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, circular, fingerprint, genome, transcripts

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params

files.unpack(inputs.fasta, out.fasta)
lengths = genome.contigs(out.fasta)
gene_model = annotation.read(inputs.gtf, params.feature, params.attribute)
if problem := gene_model.census.problem(
    inputs.gtf, params.feature
):  # of a file too large for the look before any job
    raise InputProblem(problem)
circles = circular.sequences(gene_model, lengths)
notes = genome.check_chromosomes(inputs.fasta, inputs.gtf, lengths, gene_model.genes, circles)
notes += circular.notes(gene_model.genes, lengths, circles) + gene_model.census.notes(params.feature)
counted = replace(
    gene_model,
    genes=circular.places(gene_model, lengths),
    transcripts=transcripts.for_tools(gene_model.transcripts, lengths),
)
introns = genome.splice_sites(t for t in counted.transcripts if t.chromosome in lengths)
tables = {
    out.star: [f"{name} {value}" for name, value in genome.star_sizes(lengths).items()],
    out.contigs: [f"{name}\t{length}" for name, length in lengths.items()],
    out.splice_sites: ["{}\t{}\t{}\t{}".format(*intron) for intron in introns],
    out.owners: [f"{piece.name}\t{piece.gene}\t{piece.whole}" for piece in counted.transcripts],
    out.transcripts: genome.bed12(counted.transcripts),
    out.bodies: genome.bed12(genome.gene_bodies(counted)),
}
for path, lines in tables.items():
    Path(path).write_text("".join(line + "\n" for line in lines))
genome.write_gtf(counted, out.gtf)
genome.write_genes(counted.genes, out.genes)

without_type = sum(not gene["biotype"] for gene in gene_model.genes)
if without_type:
    notes.append(
        f"{without_type} genes have no biotype (gene_biotype, gene_type): shares by biotype leave them out"
    )
without_strand = sum(gene["strand"] in (".", "?") for gene in gene_model.genes)
if without_strand:
    notes.append(f"{without_strand} genes have no strand: reads of both strands count for them")
facts = {
    **fingerprint.of_reference(
        inputs.fasta, inputs.gtf, lengths, fingerprint.genome(out.fasta)[0], gene_model
    ),
    "introns": len(introns),
    "format": "GFF3" if gene_model.is_gff3 else "GTF",
    "gene_id_is_transcript_id": gene_model.census.gene_id_is_transcript_id(),
    "notes": notes,
}
Path(out.facts).write_text(json.dumps(facts, indent=1) + "\n")
print(*(f"{name}: {value}" for name, value in facts.items()), sep="\n")
