"""GTF and GFF3 of the usual sources give the same genes; what cannot be counted is explained with its line."""

import gzip
import subprocess

import pytest

from rna2model.core.errors import InputProblem
from rna2model.reference import annotation
from tests.unit.reference.test_genome import GTF

ENSEMBL = """##gff-version 3
1\te\tgene\t1\t300\t.\t+\t.\tID=gene:G1;Name=ONE;biotype=protein_coding;gene_id=G1;version=2
1\te\tmRNA\t1\t300\t.\t+\t.\tID=transcript:T1;Parent=gene:G1;biotype=protein_coding;transcript_id=T1
1\te\texon\t1\t100\t.\t+\t.\tParent=transcript:T1;Name=E1;exon_id=E1
1\te\tCDS\t10\t100\t.\t+\t0\tID=CDS:P1;Parent=transcript:T1
1\te\texon\t201\t300\t.\t+\t.\tParent=transcript:T1
"""
NCBI = """##gff-version 3
1\tn\texon\t5\t90\t.\t-\t.\tID=exon-NM_1-1;Parent=rna-NM_1,rna-NM_2;gene=abc%2C1
1\tn\tgene\t5\t90\t.\t-\t.\tID=gene-abc;Name=abc%2C1;gene_biotype=protein_coding
1\tn\tmRNA\t5\t90\t.\t-\t.\tID=rna-NM_1;Parent=gene-abc
1\tn\tmRNA\t5\t90\t.\t-\t.\tID=rna-NM_2;Parent=gene-abc
2\tn\tgene\t5\t90\t.\t-\t.\tID=gene-trn;gene_biotype=tRNA
2\tn\texon\t5\t90\t.\t-\t.\tID=exon-trn-1;Parent=gene-trn
"""


@pytest.fixture
def gtf(tmp_path):
    def write(text):
        path = tmp_path / "a.gtf"
        path.write_text(text)
        return path

    return write


def test_gene_length_is_the_union_of_its_exons(gtf):
    one, two = annotation.read(gtf(GTF)).genes
    assert (one["length"], one["start"], one["end"], one["gene_name"]) == (250, 1, 300, "ONE")
    assert (two["gene_id"], two["length"], two["strand"], two["gene_name"]) == ("g2", 5, "-", "g2")


def test_gzip_is_known_by_content_not_by_name(tmp_path):
    path = tmp_path / "packed.gtf"
    path.write_bytes(gzip.compress(GTF.encode()))
    assert len(annotation.read(path).genes) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('1\tx\texon\t1\t9\t.\t+\t.\tgene_name "A";\n', "line 1: this 'exon' line has no gene_id"),
        (
            '1\tx\tCDS\t1\t9\t.\t+\t.\tgene_id "A";\n',
            "has no 'exon' lines; set quantification.feature to a type it has in column 3: CDS \\(1\\)",
        ),
        ('1\tx\texon\tone\t9\t.\t+\t.\tgene_id "A";\n', "start 'one' and end '9' must be numbers"),
        ('1\tx\texon\t9\t1\t.\t+\t.\tgene_id "A";\n', "are no interval"),
        ("1\tx\texon\t1\t9\t.\t+\t.\tlogic=1\n", "line 1: this 'exon' line has no gene_id"),
        ("##gff-version 3\n", "no lines at all"),
        ("1 x exon 1 9\n", "line 1: has 1 tab-separated cells"),
    ],
)
def test_an_annotation_that_cannot_be_counted_is_explained(gtf, text, expected):
    with pytest.raises(InputProblem, match=expected):
        annotation.read(gtf(text))


def test_an_annotation_cut_short_is_named_wherever_it_ends(tmp_path):
    packed = gzip.compress(GTF.encode() * 2000)
    (tmp_path / "cut.gtf.gz").write_bytes(packed[:-20])
    with pytest.raises(InputProblem, match=r"cut\.gtf\.gz cannot be read to its end"):
        annotation.read(tmp_path / "cut.gtf.gz")


def test_gff3_of_ensembl(gtf):
    features = annotation.read(gtf(ENSEMBL))
    (gene,), (transcript,) = features.genes, features.transcripts
    assert features.is_gff3
    assert (gene["gene_id"], gene["gene_name"], gene["biotype"], gene["length"]) == (
        "G1",
        "ONE",
        "protein_coding",
        200,
    )
    assert (transcript.name, transcript.coding) == ("T1", [(10, 100)])


def test_gff3_of_ncbi_with_parents_after_children_and_shared_exons(gtf):
    features = annotation.read(gtf(NCBI))
    assert [(g["gene_id"], g["gene_name"], g["biotype"]) for g in features.genes] == [
        ("abc", "abc,1", "protein_coding"),
        ("trn", "trn", "tRNA"),
    ]
    assert [t.name for t in features.transcripts] == ["NM_1", "NM_2", "gene-trn"]


def test_names_and_biotypes_that_only_gene_lines_have_are_found(gtf):
    lines = """1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "g1"; gene "ONE"; gene_biotype "lncRNA";
1\tx\texon\t1\t9\t.\t+\t.\tgene_id "g1";
"""
    (gene,) = annotation.read(gtf(lines)).genes
    assert (gene["gene_name"], gene["biotype"]) == ("ONE", "lncRNA")


def test_bacterial_annotations_count_by_another_feature_and_attribute(gtf):
    text = "1\tp\tCDS\t1\t90\t.\t+\t0\tID=cds1;locus_tag=B0001;Name=thrL\n"
    (gene,) = annotation.read(gtf(text), feature="CDS", attribute="locus_tag").genes
    assert (gene["gene_id"], gene["length"]) == ("B0001", 90)


def test_a_round_trip_through_gffread_keeps_the_genes(gtf, tmp_path):
    if subprocess.run(["which", "gffread"], capture_output=True).returncode:
        pytest.skip("gffread is not installed")
    path = gtf(
        GTF.replace("#!header\n", "").replace("\t9\t", "\t90\t")
    )  # gffread drops transcripts of a few bases
    subprocess.run(["gffread", path, "-o", tmp_path / "a.gff3"], check=True)
    before, after = annotation.read(path), annotation.read(tmp_path / "a.gff3")
    keys = ("gene_id", "chromosome", "start", "end", "strand", "length")
    assert [[g[k] for k in keys] for g in before.genes] == [[g[k] for k in keys] for g in after.genes]


def test_gff3_is_decoded_after_it_is_split(gtf):
    """Of the characters that GFF3 encodes a comma separates parents, a semicolon attributes, = keys, tab cells."""
    text = """##gff-version 3
a%7C1\tx\tgene\t1\t90\t.\t+\t.\tID=gene-a%2Cb;Name=x%3By%3Dz%2525
a%7C1\tx\tmRNA\t1\t90\t.\t+\t.\tID=rna-p%2Cq;Parent=gene-a%2Cb
a%7C1\tx\tmRNA\t1\t90\t.\t+\t.\tID=rna-r;Parent=gene-a%2Cb
a%7C1\tx\texon\t1\t90\t.\t+\t.\tParent=rna-p%2Cq,rna-r
"""
    features = annotation.read(gtf(text))
    (gene,) = features.genes
    assert (gene["gene_id"], gene["gene_name"], gene["chromosome"]) == ("a,b", "x;y=z%25", "a|1")
    assert [t.name for t in features.transcripts] == ["p,q", "r"]


def test_coding_exons_belong_to_their_gene_when_genes_are_counted(gtf):
    features = annotation.read(
        gtf(NCBI + "1\tn\tCDS\t9\t80\t.\t-\t0\tID=cds-1;Parent=rna-NM_1\n"), feature="gene"
    )
    assert [gene["gene_id"] for gene in features.genes] == ["abc", "trn"]
    assert features.census.reach("gene") == (2, 2)
