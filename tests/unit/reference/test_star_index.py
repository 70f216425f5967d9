"""A given STAR index is compared with the annotation before any job; its tables are those that STAR itself writes."""

import random
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.reference import genome, star_index

LENGTHS = {"one": 4000, "two": 2500}
LINE = "{}\tx\t{}\t{}\t{}\t.\t{}\t.\t{}\n"


def line(chromosome, start, end, gene, transcript, kind="exon", strand="+"):
    values = f'gene_id "{gene}"; transcript_id "{transcript}"; gene_biotype "lncRNA";'
    return LINE.format(chromosome, kind, start, end, strand, values)


EXONS = [
    ("one", 100, 300, "g1", "t1"),
    ("one", 500, 700, "g1", "t1"),
    ("one", 100, 300, "g1", "t2"),  # shared by two transcripts
    ("one", 250, 420, "g1", "t3"),  # overlapping, then adjacent
    ("one", 421, 450, "g1", "t3"),
    ("one", 1000, 1400, "g2", "t4"),
    ("one", 1000, 1400, "g2", "t4"),  # there twice
    ("two", 10, 90, "g3", "t5"),
    ("two", 1800, 2100, "g3", "t5"),
    ("absent", 5, 90, "g4", "t6"),  # STAR leaves out what is on no sequence of the genome
]


def gff3(exons):
    """The same as GFF3, with its genes behind their parts."""
    parts = [f"{e[0]}\tx\texon\t{e[1]}\t{e[2]}\t.\t+\t.\tParent=rna-{e[4]}\n" for e in exons]
    above = {f"{e[0]}\tx\tmRNA\t{e[1]}\t{e[2]}\t.\t+\t.\tID=rna-{e[4]};Parent=gene-{e[3]}\n" for e in exons}
    genes = {f"{e[0]}\tx\tgene\t{e[1]}\t{e[2]}\t.\t+\t.\tID=gene-{e[3]}\n" for e in exons}
    return "".join(["##gff-version 3\n", *parts, *sorted(above), *sorted(genes)])


def write_gtf(path, exons, shuffled=True):
    lines = [line(*exon) for exon in exons] + [line("one", 1, 2, "g1", "t1", "start_codon")]
    random.Random(len(exons)).shuffle(lines)
    path.write_text("#!genome-build x\n" + "".join(lines))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(folder of an index that STAR made with EXONS, the GTF)."""
    if not shutil.which("STAR"):
        pytest.skip("STAR is not installed")
    folder = tmp_path_factory.mktemp("star")
    drawn = random.Random(3)
    (folder / "g.fa").write_text(
        "".join(f">{n}\n{''.join(drawn.choices('ACGT', k=k))}\n" for n, k in LENGTHS.items())
    )
    gtf = write_gtf(folder / "a.gtf", EXONS)
    sizes = [str(part) for pair in genome.star_sizes(LENGTHS).items() for part in (f"--{pair[0]}", pair[1])]
    command = [
        "STAR",
        "--runMode",
        "genomeGenerate",
        "--genomeDir",
        folder / "index",
        "--genomeFastaFiles",
        folder / "g.fa",
    ]
    command += ["--sjdbGTFfile", gtf, "--outFileNamePrefix", f"{folder}/", *sizes]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "index", gtf


def test_the_annotation_that_an_index_was_made_with_is_recognised(made, tmp_path):
    folder, gtf = made
    assert star_index.problems(folder, counts=True) == []
    assert star_index.differences(folder, gtf, "exon", "gene_id") == []
    text = gtf.read_text()
    for name, other in {
        "order": "".join(sorted(text.splitlines(keepends=True))),
        "names": text.replace('transcript_id "t', 'transcript_id "x'),
        "quotes": text.replace('"', ""),
        "format": gff3(EXONS),
        "keys": text.replace("gene_id", "level 2; gene_id"),
    }.items():
        (tmp_path / name).write_text(other)
        assert star_index.differences(folder, tmp_path / name, "exon", "gene_id") == [], name


@settings(max_examples=40, deadline=None)
@given(
    place=st.integers(0, 8),
    change=st.sampled_from(["lost", "longer", "other gene", "new gene", "other strand"]),
)
def test_any_other_exon_or_gene_is_told(made, tmp_path_factory, place, change):
    folder, _ = made
    exons = list(EXONS)
    chromosome, start, end, gene, transcript = exons[place]
    if change == "new gene":
        exons.append((chromosome, start + 1, end, "g9", "t9"))
    else:
        exons = [e for e in exons if e[:4] != exons[place][:4] or change == "longer"]
        changed = {"longer": (start, end + 7, gene), "other gene": (start, end, "g8")}.get(change)
        exons += [(chromosome, *changed, transcript)] if changed else []
        exons += [(*EXONS[place], "exon", "-")] if change == "other strand" else []
    path = write_gtf(tmp_path_factory.mktemp("a") / "a.gtf", exons)
    (problem,) = star_index.differences(folder, path, "exon", "gene_id")
    same_genes = {e[3] for e in exons} == {e[3] for e in EXONS}
    assert ("exons of" in problem) == same_genes, problem
    assert "Set reference.index to null" in problem


def test_an_index_without_annotation_cannot_count(made, tmp_path):
    shutil.copytree(made[0], tmp_path / "index")
    for name in star_index.GENE_FILES:
        (tmp_path / "index" / name).unlink()
    assert star_index.problems(tmp_path / "index", counts=False) == []
    (problem,) = star_index.problems(tmp_path / "index", counts=True)
    assert "was made without annotation (it lacks exonGeTrInfo.tab, geneInfo.tab)" in problem


@pytest.mark.parametrize("text", ["", "x\n", "3\n1\t2\n", "9\n99\t299\t1\t0\t0\n"])
def test_tables_that_are_damaged_are_told(made, tmp_path, text):
    shutil.copytree(made[0], tmp_path / "index")
    (tmp_path / "index/exonGeTrInfo.tab").write_text(text)
    (problem,) = star_index.differences(tmp_path / "index", made[1], "exon", "gene_id")
    assert "its tables of genes cannot be read" in problem


def test_a_fault_far_down_is_left_to_the_job_that_reads_it_all(made, tmp_path):
    (tmp_path / "a.gtf").write_text(made[1].read_text() + "one\tx\texon\t1\n")
    assert star_index.differences(made[0], tmp_path / "a.gtf", "exon", "gene_id") == []
