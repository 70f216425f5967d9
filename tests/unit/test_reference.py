"""Genome and annotation are checked against each other before anything is aligned."""

import gzip

import pytest

from rna2model import reference
from rna2model.errors import InputProblem

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


def test_gene_length_is_the_union_of_its_exons(gtf):
    one, two = reference.genes(gtf(GTF))
    assert (one["length"], one["start"], one["end"], one["gene_name"]) == (250, 1, 300, "ONE")
    assert (two["gene_id"], two["length"], two["strand"], two["gene_name"]) == ("g2", 5, "-", "g2")


def test_gzip_is_known_by_content_not_by_name(tmp_path):
    path = tmp_path / "packed.gtf"
    path.write_bytes(gzip.compress(GTF.encode()))
    assert len(reference.genes(path)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1\tx\texon\t1\t9\t.\t+\t.\tID=exon1;Parent=t1\n", "looks like GFF3"),
        ('1\tx\texon\t1\t9\t.\t+\t.\tgene_name "A";\n', "line 1: this 'exon' line has no gene_id"),
        ('1\tx\tCDS\t1\t9\t.\t+\t.\tgene_id "A";\n', "has no 'exon' lines"),
        ("1 x exon 1 9\n", "line 1: has 1 tab-separated cells"),
    ],
)
def test_an_annotation_that_cannot_be_counted_is_explained(gtf, text, expected):
    with pytest.raises(InputProblem, match=expected):
        reference.genes(gtf(text))


def test_chromosomes_that_do_not_match_are_explained_with_the_fix(gtf):
    records = reference.genes(gtf(GTF))
    with pytest.raises(InputProblem, match="add 'chr' to column 1"):
        reference.check_chromosomes("g.fa", "a.gtf", {"chr1": 1000, "chr2": 1000}, records)
    with pytest.raises(InputProblem, match="same source and release"):
        reference.check_chromosomes("g.fa", "a.gtf", {"scaffold_9": 1000}, records)


def test_genes_beyond_their_chromosome_mean_another_assembly(gtf):
    with pytest.raises(InputProblem, match="different assemblies"):
        reference.check_chromosomes("g.fa", "a.gtf", {"1": 200, "2": 1000}, reference.genes(gtf(GTF)))


def test_a_partial_match_is_noted_not_refused(gtf):
    notes = reference.check_chromosomes("g.fa", "a.gtf", {"1": 1000}, reference.genes(gtf(GTF)))
    assert notes == ["1 chromosomes of the annotation are not in the genome: 2"]


def test_star_sizes_follow_the_manual():
    assert reference.star_sizes({"1": 3_100_000_000}) == {"genomeSAindexNbases": 14, "genomeChrBinNbits": 18}
    assert reference.star_sizes({"1": 1_000_000})["genomeSAindexNbases"] == 8  # log2(1e6)/2 - 1 = 8.97
    assert reference.star_sizes({str(i): 1000 for i in range(100_000)})["genomeChrBinNbits"] == 9


@pytest.mark.parametrize("text", ["", "ACGT\n", ">a\nAC\n>a\nGT\n"])
def test_what_is_not_a_genome_is_refused(tmp_path, text):
    path = tmp_path / "g.fa"
    path.write_text(text)
    with pytest.raises(InputProblem):
        reference.contigs(path)


def test_introns_lie_between_exons_of_one_transcript(gtf):
    assert reference.splice_sites(gtf(GTF)) == [("1", 149, 200, "+")]
