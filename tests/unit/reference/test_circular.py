"""Genes across the origin of a circular chromosome, in the four ways in which they are written, are the same bases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rna2model.core.errors import InputProblem
from rna2model.reference import annotation, circular, genome
from rna2model.reference import transcripts as pieces

REGION = "##gff-version 3\nc\tR\tregion\t1\t1000\t.\t+\t.\tID=c;Is_circular=true\n"
GENE = "c\tR\tgene\t{0}\t{1}\t.\t{2}\t.\tID=gene-a\nc\tR\tCDS\t{0}\t{1}\t.\t{2}\t0\tID=cds-a;Parent=gene-a\n"


def bases(transcripts):
    return sorted(
        (t.chromosome, base) for t in transcripts for start, end in t.exons for base in range(start, end + 1)
    )


def prepared(path, lengths, feature="exon"):
    """(annotation as read, transcripts for the tools, notes), or the problem that rule prepare_reference ends with."""
    features = annotation.read(path, feature)
    circles = circular.sequences(features, lengths)
    genome.check_chromosomes("g.fa", path, lengths, features.genes, circles)
    return (
        features,
        pieces.for_tools(features.transcripts, lengths),
        circular.notes(features.genes, lengths, circles),
    )


@given(start=st.integers(2, 1000), size=st.integers(1, 999), strand=st.sampled_from("+-"))
def test_each_way_of_writing_gives_the_same_bases(tmp_path_factory, start, size, strand):
    end = start + size - 1
    expected = sorted(("c", (place - 1) % 1000 + 1) for place in range(start, end + 1))
    ways = [(start, end)]
    if end > 1000:
        ways += [(start - 1000, end - 1000)]
        ways += [(start, end - 1000)] if end - 1000 < start else []
    for first, last in ways:
        path = tmp_path_factory.mktemp("a") / "a.gff"
        path.write_text(REGION + GENE.format(first, last, strand))
        features, transcripts, notes = prepared(path, {"c": 1000}, "CDS")
        (gene,) = features.genes
        assert (gene["start"], gene["end"], gene["length"]) == (start, end, size)
        assert bases(transcripts) == expected
        assert bool(notes) == (end > 1000) == (len(transcripts) == 2)
        assert all("a" in note and "counted up to its end and from 1" in note for note in notes)
        assert {t.whole for t in transcripts} == {transcripts[0].name}


@pytest.mark.parametrize(("strand", "order"), [("+", [(901, 1000), (1, 50)]), ("-", [(1, 50), (901, 1000)])])
def test_pieces_come_in_the_direction_of_the_transcript(tmp_path, strand, order):
    (tmp_path / "a.gff").write_text(REGION + GENE.format(901, 1050, strand))
    transcripts = prepared(tmp_path / "a.gff", {"c": 1000}, "CDS")[1]
    assert [t.exons for t in transcripts] == [[exon] for exon in order]


def test_exons_that_meet_at_the_origin_are_no_intron_of_the_whole_chromosome(tmp_path):
    line = 'c\tR\tCDS\t{}\t{}\t.\t+\t0\tgene_id "a"; transcript_id "a.t"; exon_number "{}";\n'
    (tmp_path / "a.gtf").write_text(line.format(901, 1000, 1) + line.format(1, 50, 2))
    features, transcripts, _ = prepared(tmp_path / "a.gtf", {"c": 1000}, "CDS")
    assert genome.splice_sites(transcripts) == []
    (gene,) = circular.places(features, {"c": 1000})
    assert (gene["start"], gene["end"], gene["length"]) == (901, 1050, 150)
    # a gene of a short contig, spliced from end to end, stays one
    (tmp_path / "a.gtf").write_text(line.format(1, 400, 1) + line.format(601, 1000, 2))
    assert len(prepared(tmp_path / "a.gtf", {"c": 1000}, "CDS")[1]) == 1


def gtf(genes, **more):
    """A GTF of single exons {gene: (start, end, strand)} on one chromosome."""
    return "".join(
        f'c\tR\texon\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}"; transcript_id "{gene}.t";\n'
        for gene, (start, end, strand) in {**genes, **more}.items()
    )


INSIDE = {f"g{i}": (100 * i + 101, 100 * i + 180, "+-"[i % 2]) for i in range(7)}


def test_a_gtf_whose_one_gene_runs_over_the_end_is_of_a_circle(tmp_path):
    (tmp_path / "a.gtf").write_text(gtf(INSIDE, last=(950, 1060, "+")))
    _, transcripts, (note,) = prepared(tmp_path / "a.gtf", {"c": 1000})
    assert "a gene runs over its end and all others fit" in note and note.endswith("last")
    assert max(end for t in transcripts for _, end in t.exons) == 1000


@pytest.mark.parametrize(
    "genes",
    [
        INSIDE | {"last": (950, 1200, "+")},  # over g0 on its strand, too
        INSIDE | {"last": (950, 1060, "+"), "other": (960, 1050, "+")},
        INSIDE | {"last": (950, 1060, "+"), "beyond": (1100, 1150, "+")},
        INSIDE | {"last": (400, 1060, "+")},  # longer than half of the chromosome
        {"last": (950, 1060, "+")},  # nothing else that fits
    ],
)
def test_other_genes_beyond_the_end_are_refused_without_claiming_to_know_why(tmp_path, genes):
    (tmp_path / "a.gtf").write_text(gtf(genes))
    with pytest.raises(
        InputProblem, match=r"Either they are of different assemblies.*Or the chromosome is circular"
    ):
        prepared(tmp_path / "a.gtf", {"c": 1000})


@pytest.mark.parametrize("length", [990, 1010])
def test_a_circle_of_another_length_is_another_assembly(tmp_path, length):
    (tmp_path / "a.gff").write_text(REGION + GENE.format(901, 1050, "+"))
    with pytest.raises(InputProblem, match="different assemblies"):
        prepared(tmp_path / "a.gff", {"c": length}, "CDS")


def test_what_gff3_does_not_call_circular_is_not(tmp_path):
    lines = (
        gtf(INSIDE, last=(950, 1060, "+")).replace('gene_id "', "ID=").replace('"; transcript_id "', ";Name=")
    )
    (tmp_path / "a.gff").write_text("##gff-version 3\n" + lines.replace('";', ""))
    with pytest.raises(InputProblem, match="Is_circular=true"):
        prepared(tmp_path / "a.gff", {"c": 1000})
