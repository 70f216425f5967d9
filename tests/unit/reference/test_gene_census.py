"""Annotations that are sound files and would give counts of few genes, or of none: said before any job, with what helps."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rna2model.inputs import config
from rna2model.reference import annotation, gene_census, precheck


def gtf_line(kind, start, end, gene, transcript="", strand="+", more="", chromosome="1"):
    return f'{chromosome}\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}"; transcript_id "{transcript}"; {more}\n'


def bacterium(proteins, rnas):
    """GTF as NCBI writes it: `exon` lines of RNA genes only."""
    text = ""
    for number in range(proteins + rnas):
        start, gene = 1000 * number + 1, f"B{number:04}"
        text += gtf_line("gene", start, start + 600, gene)
        kinds = ("CDS", "start_codon") if number < proteins else ("transcript", "exon")
        text += "".join(gtf_line(kind, start, start + 600, gene, f"unassigned_{gene}") for kind in kinds)
    return text


def bacterium_gff3(proteins, rnas):
    text = "##gff-version 3\n1\tR\tregion\t1\t9999999\t.\t+\t.\tID=1:1..9999999;Is_circular=true\n"
    for number in range(proteins + rnas):
        place, gene = f"\t{1000 * number + 1}\t{1000 * number + 601}\t.\t+\t.\t", f"B{number:04}"
        text += f"1\tR\tgene{place}ID=gene-{gene};locus_tag={gene}\n"
        if number < proteins:
            text += f"1\tR\tCDS{place}ID=cds-{gene};Parent=gene-{gene};locus_tag={gene}\n"
        else:
            text += f"1\tR\ttRNA{place}ID=rna-{gene};Parent=gene-{gene}\n1\tR\texon{place}ID=exon-{gene};Parent=rna-{gene}\n"
        text += f"1\tR\tsequence_feature{place}ID=id-{gene}\n"  # no gene, whatever its number
    return text


@pytest.fixture
def problem(tmp_path):
    """What the look before any job says of an annotation (text), reading on where its first lines look odd."""

    def problem(text, thorough=True, **counting):
        (tmp_path / "g.fa").write_text(">1\nACGT\n")
        (tmp_path / "a.gtf").write_text(text)
        full, _ = config.complete({"quantification": counting})
        full["reference"] = {"fasta": str(tmp_path / "g.fa"), "gtf": str(tmp_path / "a.gtf"), "index": None}
        return "\n".join(precheck.problems(full, thorough=thorough))

    problem.path = tmp_path / "a.gtf"
    return problem


@pytest.mark.parametrize("write", [bacterium, bacterium_gff3])
@given(proteins=st.integers(0, 40), rnas=st.integers(1, 40))
def test_exons_of_few_genes_are_refused_with_the_types_that_reach_more(
    tmp_path_factory, write, proteins, rnas
):
    path = tmp_path_factory.mktemp("a") / "a.gtf"
    path.write_text(write(proteins, rnas))
    census = annotation.read(path).census
    assert census.reach("exon") == (rnas, proteins + rnas)
    problem = census.problem(path, "exon")
    assert bool(problem) == (rnas < (proteins + rnas) / 2)
    if problem:
        assert f"'exon' lines reach {rnas} of {proteins + rnas} genes" in problem
        assert f"set quantification.feature: CDS ({proteins}) or gene ({proteins + rnas})" in problem
    elif proteins:
        assert (
            f"reach {rnas} of {proteins + rnas} genes; the others are not counted" in census.notes("exon")[0]
        )
    assert census.problem(path, "gene") == ""
    assert bool(census.notes("CDS")) == (proteins < gene_census.NEARLY_ALL * (proteins + rnas))


@pytest.mark.parametrize("write", [bacterium, bacterium_gff3])
def test_a_file_of_more_lines_than_are_looked_at_is_read_on_where_it_looks_odd(problem, write, monkeypatch):
    monkeypatch.setattr(precheck, "MOST_LINES", 100)
    assert "'exon' lines reach 20 of 320 genes" in problem(write(300, 20))
    assert problem(write(300, 20), thorough=False) == ""  # a job asks nothing that takes time


def test_the_reading_stops_where_a_file_looks_as_it_should(problem, monkeypatch):
    monkeypatch.setattr(precheck, "MOST_LINES", 100)
    text = "".join(gtf_line("exon", 1000 * i + 1, 1000 * i + 90, f"g{i}", f"t{i}") for i in range(200))
    assert problem(text + bacterium(900, 1)) == ""


def test_whoever_counts_coding_exons_means_the_genes_that_code(tmp_path):
    lines = [
        gtf_line(kind, 100 * i + 1, 100 * i + 90, f"g{i}", f"t{i}")
        for i in range(30)
        for kind in ("gene", "exon")
    ]
    lines += [gtf_line("CDS", 100 * i + 1, 100 * i + 90, f"g{i}", f"t{i}") for i in range(9)]
    (tmp_path / "a.gtf").write_text("".join(lines))
    census = annotation.read(tmp_path / "a.gtf", feature="CDS").census
    assert census.problem("a.gtf", "CDS") == ""
    assert "'CDS' lines reach 9 of 30 genes" in census.notes("CDS")[0]


def test_pseudogenes_without_exons_and_lines_that_are_no_genes_do_not_matter(tmp_path):
    text = "##gff-version 3\n"
    for i in range(40):
        place = f"\t{100 * i + 1}\t{100 * i + 90}\t.\t+\t.\t"
        text += f"1\tR\tgene{place}ID=gene-{i}\n1\tR\tmRNA{place}ID=rna-{i};Parent=gene-{i}\n1\tR\texon{place}Parent=rna-{i}\n"
        text += f"1\tR\tcDNA_match{place}ID=match-{i}\n1\tR\tbiological_region{place}ID=id-{i}\n"
    text += "".join(f"1\tR\tpseudogene\t{9000 + i}\t{9500 + i}\t.\t+\t.\tID=gene-p{i}\n" for i in range(12))
    (tmp_path / "a.gff").write_text(text)
    census = annotation.read(tmp_path / "a.gff").census
    assert census.reach("exon") == (40, 52) and census.problem("a.gff", "exon") == ""


def isoforms(genes, each, own_ids, shared=0.0):
    """GTF of transcripts that overlap within a gene, or (`shared`) of neighbours; gene_id as own_ids says."""
    drawn, text = random.Random(genes), ""
    for gene in range(genes):
        start = 2000 * gene + 1
        for number in range(each):
            name = f"NM_{gene}.{number}"
            identity, end = name if own_ids else f"G{gene}", start + 800 + drawn.randint(0, 50)
            text += gtf_line("exon", start, end, identity, name, more=f'gene_name "S{gene}";')
            if drawn.random() < shared:
                text += gtf_line(
                    "exon", start + 100, end, f"{identity}x", f"{name}x", more=f'gene_name "S{gene}x";'
                )
    return text


def test_isoforms_as_genes_are_refused(problem):
    message = problem(isoforms(30, 2, own_ids=True))
    assert "its gene ids are those of transcripts" in message and "60 of 60 share at least half" in message
    assert "Set quantification.attribute: gene_name, which names 30 genes" in message
    assert problem(isoforms(30, 2, own_ids=True), attribute="gene_name") == ""
    without = isoforms(30, 2, own_ids=True).replace("gene_name", "note")
    assert "Take a GTF with ids of genes" in problem(without)
    assert problem(isoforms(30, 2, own_ids=False)) == ""


def test_one_transcript_for_each_gene_of_its_name_passes(problem):
    text = isoforms(60, 1, own_ids=True)
    assert problem(text) == ""
    census = annotation.read(problem.path).census
    assert census.gene_id_is_transcript_id() and census.notes("exon") == []
    operon = "".join(gtf_line("exon", 300 * i + 1, 300 * i + 304, f"b{i}", f"b{i}") for i in range(50))
    assert problem(operon) == ""  # stop and start codons of neighbours overlap by four bases
    assert annotation.read(problem.path).census.notes("exon") == []


def test_some_overlap_is_noted(problem):
    assert problem(isoforms(200, 1, own_ids=True, shared=0.06)) == ""
    (note,) = annotation.read(problem.path).census.notes("exon")
    assert "share at least half of their bases with another" in note


def test_ids_of_transcripts_are_those_the_file_gives(tmp_path):
    path = tmp_path / "a.gtf"
    path.write_text('1\tx\texon\t1\t90\t.\t+\t.\tgene_id "g1";\n')
    assert not annotation.read(path).census.gene_id_is_transcript_id()
    path.write_text(
        "##gff-version 3\n1\tx\tgene\t1\t90\t.\t+\t.\tID=g1\n1\tx\texon\t1\t90\t.\t+\t.\tParent=g1\n"
    )
    assert not annotation.read(path).census.gene_id_is_transcript_id()
    path.write_text(
        "##gff-version 3\n1\tx\tmRNA\t1\t90\t.\t+\t.\tID=t1\n1\tx\texon\t1\t90\t.\t+\t.\tParent=t1\n"
    )
    assert annotation.read(path).census.gene_id_is_transcript_id()


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(1, 60), st.integers(0, 20)), max_size=25)
)
def test_shared_bases_are_counted_as_by_hand(exons):
    census = gene_census.Census()
    for gene, forward, start, length in exons:
        census.places[gene].append(("1", "+-"[forward], start, start + length))
    sets = {
        g: {(s, b) for _, s, a, e in places for b in range(a, e + 1)} for g, places in census.places.items()
    }
    expected = sum(
        2 * sum(any(base in sets[other] for other in sets if other != gene) for base in bases) >= len(bases)
        for gene, bases in sets.items()
    )
    assert census._sharing() == expected
