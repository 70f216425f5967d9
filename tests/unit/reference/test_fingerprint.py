"""References and settings are the same when their content is, and what differs is said."""

import gzip
import json

import pytest

from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, fingerprint

FASTA = ">chr1 first\nACGTACGTAC\nGTACGT\n>chr2\nTTTTGGGG\n"
SAME = ">chr2 other words\nttttgg\nGG\n>chr1\nACGTACGTACGTACGT\n"
GTF = "".join(
    f'chr1\tx\texon\t{start}\t{end}\t.\t+\t.\tgene_id "{gene}"; transcript_id "t{gene}"; gene_name "{gene.upper()}";\n'
    for gene, start, end in (("g1", 1, 5), ("g1", 8, 9), ("g2", 11, 14))
)


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def facts(write, fasta=FASTA, gtf=GTF, name="g"):
    digest, lengths = fingerprint.genome(write(f"{name}.fa", fasta))
    path = write(f"{name}.gtf", gtf)
    return fingerprint.of_reference(f"{name}.fa", path, lengths, digest, annotation.read(path))


def test_a_genome_is_its_sequences_however_they_are_written(write, monkeypatch):
    digest, lengths = fingerprint.genome(write("a.fa", FASTA))
    assert lengths == {"chr1": 16, "chr2": 8}
    for name, text in (("a.fa.gz", FASTA), ("b.fa", SAME), ("c.fa", FASTA.replace("\n", "\r\n"))):
        assert fingerprint.genome(write(name, text)) == (digest, {n: lengths[n] for n in lengths})
    assert fingerprint.genome(write("d.fa", FASTA.replace("TTTTGGGG", "TTTTGGGC")))[0] != digest
    monkeypatch.setattr(fingerprint, "BLOCK", 3)  # headers and sequences broken anywhere
    assert fingerprint.genome(write("a.fa", FASTA))[0] == digest


def test_what_is_no_genome_is_refused(write):
    with pytest.raises(InputProblem, match="not FASTA"):
        fingerprint.genome(write("a.fa", "ACGT\n"))
    broken = write("a.fa.gz", FASTA * 1000)
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(InputProblem, match="cannot be read to its end"):
        fingerprint.genome(broken)


def test_an_annotation_is_its_exons(write):
    def digest(text, name="a.gtf"):
        return fingerprint.annotation(annotation.read(write(name, text)))

    lines = GTF.splitlines(keepends=True)
    assert digest(GTF) == digest("#!header\n" + "".join(lines[::-1]), "b.gtf.gz")
    assert digest(GTF) == digest(GTF.replace('"G1"', '"renamed"'))
    assert digest(GTF) != digest(GTF.replace("\t14\t", "\t15\t"))


def test_another_reference_is_told_by_what_differs(write):
    made = facts(write)
    assert fingerprint.reference_differences(made, facts(write, SAME, name="same")) == []
    (difference,) = fingerprint.reference_differences(
        made, facts(write, FASTA.replace("TTTTGGGG", "TTTT"), name="h")
    )
    assert (
        "made with g.fa (2 sequences, 24 bases" in difference and "h.fa (2 sequences, 20 bases" in difference
    )
    assert "chr2 has 8 bases in the bundle's and 4 in theirs" in difference
    (difference,) = fingerprint.reference_differences(made, facts(write, FASTA.replace("chr2", "MT")))
    assert "only in the bundle's: chr2" in difference
    (difference,) = fingerprint.reference_differences(made, facts(write, FASTA.replace("TTTT", "TTTA")))
    assert "names and lengths are the same, bases differ" in difference
    (difference,) = fingerprint.reference_differences(made, facts(write, gtf=GTF.replace("\t14\t", "\t15\t")))
    assert difference.startswith("annotation:") and "the same genes with other exons" in difference
    (difference,) = fingerprint.reference_differences(made, facts(write, gtf=GTF + GTF.replace("g1", "g3")))
    assert "2 genes" in difference and "3 genes" in difference and "other genes" in difference


def test_settings_are_compared_one_by_one(write):
    reference = facts(write)
    made = {"counting": {"trimming": {"tool": "fastp", "umi": None, "rrna": "/a"}}, "reference": reference}
    now = {
        "counting": {"trimming": {"tool": "cutadapt", "umi": "NNNN", "rrna": "/b"}},
        "reference": reference,
    }
    assert fingerprint.counting_differences(made, now) == [
        "trimming.tool: the bundle says 'fastp', these samples 'cutadapt'",
        "trimming.umi: the bundle says None, these samples 'NNNN'",
    ]
    (difference,) = fingerprint.counting_differences(made | {"rrna_sha256": "ab"}, made)
    assert "trimming.rrna: the bundle says sequences ab, these samples none" in difference


def test_a_matrix_may_say_how_it_was_counted(write):
    matrix = write("matrix.tsv.gz", "")
    assert fingerprint.read_beside(matrix) is None
    facts = dict.fromkeys(fingerprint.FACTS, 1)
    write("matrix.json", json.dumps({"counting": {"trimming": {}}, "reference": facts}))
    assert fingerprint.read_beside(matrix)["counting"] == {"trimming": {}}
    write("matrix.json", json.dumps([1]))
    assert fingerprint.read_beside(matrix) is None
    lacking = json.dumps({"counting": {"trimming": {}}, "reference": {"genes": 1}})
    for text, message in (
        ("{", "remove or repair it"),
        (lacking, "lacks contig_lengths"),
        ("[" * 99_999, "remove or"),
    ):
        write("matrix.json", text)
        with pytest.raises(InputProblem, match=message):
            fingerprint.read_beside(matrix)
    write("matrix.json", json.dumps({"counting": 1, "reference": facts}))
    with pytest.raises(InputProblem, match="as this workflow writes it"):
        fingerprint.read_beside(matrix)
