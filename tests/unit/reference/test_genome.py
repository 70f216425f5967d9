"""Genome and annotation are checked against each other before anything is aligned."""

import pytest

from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, genome

GTF = """#!header
1\tx\tgene\t1\t300\t.\t+\t.\tgene_id "g1"; gene_name "ONE"; gene_biotype "protein_coding";
1\tx\texon\t1\t100\t.\t+\t.\tgene_id "g1"; transcript_id "t1"; gene_name "ONE";
1\tx\texon\t51\t150\t.\t+\t.\tgene_id "g1"; transcript_id "t2"; gene_name "ONE";
1\tx\texon\t201\t300\t.\t+\t.\tgene_id "g1"; transcript_id "t2"; gene_name "ONE";
2\tx\texon\t5\t9\t.\t-\t.\tgene_id "g2"; transcript_id "t3"
"""


@pytest.fixture
def gtf(tmp_path):
    def write(text):
        path = tmp_path / "a.gtf"
        path.write_text(text)
        return path

    return write


def test_chromosomes_that_do_not_match_are_explained_with_the_fix(gtf):
    records = annotation.read(gtf(GTF)).genes
    with pytest.raises(InputProblem, match="add 'chr' to column 1"):
        genome.check_chromosomes("g.fa", "a.gtf", {"chr1": 1000, "chr2": 1000}, records)
    with pytest.raises(InputProblem, match="same source and release"):
        genome.check_chromosomes("g.fa", "a.gtf", {"scaffold_9": 1000}, records)


def test_genes_beyond_their_chromosome_mean_another_assembly(gtf):
    with pytest.raises(InputProblem, match="different assemblies"):
        genome.check_chromosomes("g.fa", "a.gtf", {"1": 200, "2": 1000}, annotation.read(gtf(GTF)).genes)


def test_a_partial_match_is_noted_not_refused(gtf):
    notes = genome.check_chromosomes("g.fa", "a.gtf", {"1": 1000}, annotation.read(gtf(GTF)).genes)
    assert notes == ["1 chromosomes of the annotation are not in the genome: 2"]


def test_star_sizes_follow_the_manual():
    assert genome.star_sizes({"1": 3_100_000_000}) == {"genomeSAindexNbases": 14, "genomeChrBinNbits": 18}
    assert genome.star_sizes({"1": 1_000_000})["genomeSAindexNbases"] == 8  # log2(1e6)/2 - 1 = 8.97
    assert genome.star_sizes({str(i): 1000 for i in range(100_000)})["genomeChrBinNbits"] == 9


@pytest.mark.parametrize("text", ["", "ACGT\n", ">a\nAC\n>a\nGT\n"])
def test_what_is_not_a_genome_is_refused(tmp_path, text):
    path = tmp_path / "g.fa"
    path.write_text(text)
    with pytest.raises(InputProblem):
        genome.contigs(path)


def test_introns_lie_between_exons_of_one_transcript(gtf):
    assert genome.splice_sites(annotation.read(gtf(GTF)).transcripts) == [("1", 149, 200, "+")]


def test_the_prepared_annotation_is_read_back_as_the_same_genes(gtf, tmp_path):
    known = annotation.read(gtf(GTF))
    genome.write_gtf(known, tmp_path / "prepared.gtf")
    again = annotation.read(tmp_path / "prepared.gtf")
    assert (again.genes, again.transcripts) == (known.genes, known.transcripts)


def test_bed_lines_hold_merged_exons_and_the_coding_part(gtf):
    coded = GTF + '1\tx\tCDS\t60\t220\t.\t+\t0\tgene_id "g1"; transcript_id "t2";\n'
    lines = list(genome.bed12(annotation.read(gtf(coded)).transcripts))
    assert lines[0].split("\t")[:8] == ["1", "0", "100", "t1", "0", "+", "100", "100"]
    assert lines[1].split("\t") == [
        "1",
        "50",
        "300",
        "t2",
        "0",
        "+",
        "59",
        "220",
        "0",
        "2",
        "100,100,",
        "0,150,",
    ]
    without = list(genome.bed12(annotation.read(gtf(GTF)).transcripts))
    assert without[1].split("\t")[6:8] == ["50", "300"]


def test_gene_bodies_are_the_longest_transcripts_of_coding_genes():
    def transcript(name, gene, length):
        return annotation.Transcript(name, gene, "1", "+", [(1, length)])

    members = [transcript("a1", "a", 500), transcript("a2", "a", 900), transcript("b1", "b", 200)]
    members.append(transcript("c1", "c", 1000))
    genes = [{"gene_id": "a", "biotype": "protein_coding"}, {"gene_id": "b", "biotype": "protein_coding"}]
    genes.append({"gene_id": "c", "biotype": "lncRNA"})
    chosen = genome.gene_bodies(annotation.Annotation(genes, members))
    assert [t.name for t in chosen] == ["a2"]
    many = [transcript(f"t{i}", f"g{i}", 400) for i in range(9000)]
    spread = genome.gene_bodies(annotation.Annotation([{"gene_id": "g0", "biotype": ""}], many))
    assert len(spread) == 1800
