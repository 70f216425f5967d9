"""Whatever an annotation calls its transcripts, and wherever they lie, tools get names and places that they can take."""

import re

from hypothesis import given
from hypothesis import strategies as st

from rna2model.reference import annotation, genome
from rna2model.reference import transcripts as pieces

NAMES = st.text(st.sampled_from("ab .2;\"'%é\t"), min_size=1, max_size=4)
EXONS = st.lists(st.tuples(st.integers(1, 500), st.integers(0, 60)), min_size=1, max_size=3)


@st.composite
def transcripts(draw):
    """Transcripts with names of few letters, so that many meet; each (gene, name, sequence, strand) once, as when read."""
    keys = st.tuples(
        st.sampled_from(["g1", "g2"]), NAMES, st.sampled_from(["1", "2"]), st.sampled_from("+-.?")
    )
    return [
        annotation.Transcript(
            name, gene, chromosome, strand, [(start, start + more) for start, more in draw(EXONS)]
        )
        for gene, name, chromosome, strand in draw(st.lists(keys, unique=True, min_size=1, max_size=12))
    ]


def strands(one):
    return "+-" if one.strand in ".?" else one.strand


@given(transcripts())
def test_each_exon_of_each_gene_is_there_under_one_safe_name(drawn):
    prepared = pieces.for_tools(drawn, {"1": 1000, "2": 1000})
    names = [one.name for one in prepared]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[!-~]+", name) and not set(name) & set(";\"'") for name in names)
    before = [(t.gene, t.chromosome, s, exon) for t in drawn for s in strands(t) for exon in t.exons]
    assert sorted(before) == sorted(
        (t.gene, t.chromosome, t.strand, exon) for t in prepared for exon in t.exons
    )
    first = {one.name: one for one in prepared}
    assert all(first[one.whole].whole == one.whole and first[one.whole].gene == one.gene for one in prepared)


@given(transcripts())
def test_names_that_are_safe_and_there_once_stay(drawn):
    names = [one.name for one in drawn]
    kept = {n for n in names if names.count(n) == 1 and re.fullmatch(r"[ab.2%]+", n)}
    assert kept <= {one.name for one in pieces.for_tools(drawn, {})}


@given(transcripts())
def test_what_tools_take_is_taken_as_it_is(drawn):
    once = pieces.for_tools(drawn, {"1": 1000, "2": 1000})
    again = pieces.for_tools(once, {"1": 1000, "2": 1000})
    assert [(t.name, t.strand, t.exons) for t in again] == [(t.name, t.strand, t.exons) for t in once]


def test_a_gene_without_strand_has_its_length_once(tmp_path):
    line = '1\tS\texon\t{}\t{}\t.\t.\t.\tgene_id "g"; transcript_id "t";\n'
    (tmp_path / "a.gtf").write_text(line.format(1, 100) + line.format(201, 300))
    features = annotation.read(tmp_path / "a.gtf")
    assert (features.genes[0]["strand"], features.genes[0]["length"]) == (".", 200)
    features.transcripts = pieces.for_tools(features.transcripts, {"1": 1000})
    genome.write_gtf(features, tmp_path / "b.gtf")
    again = annotation.read(tmp_path / "b.gtf")
    assert again.genes[0]["length"] == 200 and sorted(t.strand for t in again.transcripts) == ["+", "-"]
    assert len({t.whole for t in features.transcripts}) == 2  # two strands to look on, not two pieces


def test_copies_on_two_chromosomes_are_no_pieces_of_one(tmp_path):
    line = '{}\tS\texon\t{}\t{}\t.\t+\t.\tgene_id "g"; transcript_id "t";\n'
    (tmp_path / "a.gtf").write_text(line.format("X", 1, 100) + line.format("Y", 51, 150))
    copies = pieces.for_tools(annotation.read(tmp_path / "a.gtf").transcripts, {})
    assert [(t.name, t.whole) for t in copies] == [("t", "t"), ("t.2", "t.2")]
    (tmp_path / "a.gtf").write_text(line.format("X", 1, 100) + line.format("Y", 51, 190))
    spliced = pieces.for_tools(annotation.read(tmp_path / "a.gtf").transcripts, {})
    assert [(t.name, t.whole) for t in spliced] == [("t", "t"), ("t.2", "t")]
