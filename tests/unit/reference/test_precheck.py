"""What can be known of reference, disk and given alignments before a job starts, is said before a job starts."""

import gzip

import pysam
import pytest

from rna2model.inputs import config
from rna2model.inputs.sheet import Sample
from rna2model.planning import disk
from rna2model.reads import bam
from rna2model.reference import precheck
from tests.unit.reference.test_genome import GTF


@pytest.fixture
def problems_of(tmp_path):
    """Problems of a reference with the given texts."""

    def problems_of(fasta=">1 first\nACGT\n", gtf=GTF, index=None, **tools):
        (tmp_path / "g.fa.gz").write_bytes(gzip.compress(fasta.encode()))
        (tmp_path / "a.gtf").write_text(gtf)
        full, _ = config.complete(tools)
        full["reference"] = {
            "fasta": str(tmp_path / "g.fa.gz"),
            "gtf": str(tmp_path / "a.gtf"),
            "index": index,
        }
        return precheck.problems(full)

    return problems_of


def test_a_sound_reference_has_no_problems(problems_of):
    assert problems_of() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fasta": ">chr1\nACGT\n"}, "Add 'chr'|add 'chr' to column 1"),
        ({"gtf": GTF.replace("1\tx", "chr1\tx")}, "remove 'chr' from column 1"),
        ({"fasta": "ACGT\n"}, "is not FASTA"),
        ({"gtf": ">1\nACGT\n"}, "is FASTA; give the annotation here"),
        ({"gtf": '1\tx\texon\t1\t9\t.\t+\t.\tgene_name "A";\n'}, "line 1: this 'exon' line has no gene_id"),
        ({"gtf": '1\tx\tCDS\t1\t9\t.\t+\t.\tgene_id "A";\n'}, "set quantification.feature to a type it has"),
    ],
)
def test_what_a_look_at_the_first_lines_tells_is_told_before_any_job(problems_of, change, expected):
    import re

    (problem,) = problems_of(**change)
    assert re.search(expected, problem)


def test_a_truncated_annotation_is_named(problems_of, tmp_path):
    packed = gzip.compress(GTF.encode() * 2000)
    (tmp_path / "cut.gtf.gz").write_bytes(packed[: len(packed) // 2])
    full, _ = config.complete({})
    full["reference"] = {
        "fasta": str(tmp_path / "g.fa.gz"),
        "gtf": str(tmp_path / "cut.gtf.gz"),
        "index": None,
    }
    problems_of()
    (problem,) = precheck.problems(full)
    assert "cut.gtf.gz cannot be read to its end" in problem


def test_a_folder_that_is_no_index_is_refused(problems_of, tmp_path):
    (problem,) = problems_of(index=str(tmp_path))
    assert "is no STAR index: it lacks Genome" in problem
    (problem,) = problems_of(index=str(tmp_path), alignment={"tool": "hisat2"})
    assert "holds no HISAT2 index" in problem
    (tmp_path / "grch38.1.ht2").touch()
    assert precheck.hisat2_prefix(tmp_path) == str(tmp_path / "grch38")


def test_the_disk_that_a_run_takes_is_added_up(tmp_path):
    for name, content in {
        "a_R1.fastq.gz": gzip.compress(b"x" * 10) + b"0" * 10**6,
        "b.fastq": b"0" * 4 * 10**6,
    }.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "g.fa").write_bytes(b"A" * 10**6)
    full, _ = config.complete({"alignment": {"tool": "hisat2"}, "results": str(tmp_path / "new" / "results")})
    full["reference"] = {"fasta": str(tmp_path / "g.fa"), "gtf": "", "index": None}
    samples = {
        name: Sample(name, 2, "auto", "", {}, [str(tmp_path / file)])
        for name, file in (("a", "a_R1.fastq.gz"), ("b", "b.fastq"))
    }
    amount = disk.estimate(samples, full)
    assert amount["reads"] == pytest.approx(2e6, rel=0.01)
    assert amount["kept"] == pytest.approx(1e6 + 5e6 + 2 * disk.REPORTS + disk.BAM * 2e6, rel=0.01)
    trimmed, chunks = (
        disk.QUICK * 2e6,
        disk.QUICK * disk.BAM * 2e6,
    )  # reads packed quickly; sorts of both samples
    assert amount["working"] - amount["kept"] == pytest.approx(trimmed + chunks, rel=0.01)
    one = disk.estimate(samples, full, at_once=1)
    assert amount["working"] - one["working"] == pytest.approx(chunks / 2, rel=0.01)
    text, short = disk.message(amount)
    assert not short and text.startswith("disk: 2 MB of reads come in")
    assert disk.message(amount | {"free": 1})[1]
    samples["c"] = Sample("c", 4, "auto", "", {}, accessions=["SRR1"])
    fetched, waiting = (disk.estimate(samples, full, at_once=3, downloads=number) for number in (5, 0))
    assert fetched["working"] - waiting["working"] == pytest.approx(8 * 4e9)  # unpacked, twice
    assert "1 accession taken for 4 GB" in disk.message(fetched)[0]


CONTIGS = {"1": 1000, "2": 500}


def write_bam(path, contigs=CONTIGS, reads=3):
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": length} for name, length in contigs.items()]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as file:
        for number in range(reads):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence, read.flag = f"r{number}", "ACGTACGT", 0
            read.reference_id, read.reference_start, read.cigarstring = 0, 100 - number, "8M"
            file.write(read)
            read.flag = 256
            file.write(read)


def test_given_alignments_are_sorted_and_keep_one_place_of_each_read(tmp_path):
    write_bam(tmp_path / "a.bam")
    (tmp_path / "g.fa").write_text(">1\n" + "A" * 1000 + "\n>2\n" + "A" * 500 + "\n")
    problem, summary = bam.take_over(tmp_path / "a.bam", tmp_path / "out.bam", CONTIGS, tmp_path / "g.fa")
    with pysam.AlignmentFile(str(tmp_path / "out.bam")) as file:
        assert [read.query_name for read in file.fetch("1")] == ["r2", "r1", "r0"]
    assert problem is None and summary["fragments"] == 3 and not summary["mates_missing"]
    assert "no NH tags" in summary["note"] and "no unmapped reads" in summary["note"]


def test_alignments_to_another_genome_or_cut_short_are_explained(tmp_path):
    write_bam(tmp_path / "a.bam", {"chr1": 1000})
    assert "other chromosome names" in bam.problem(tmp_path / "a.bam", CONTIGS, "g.fa")
    write_bam(tmp_path / "b.bam", {"1": 999})
    assert "another assembly: 1 has 999 bases" in bam.problem(tmp_path / "b.bam", CONTIGS, "g.fa")
    write_bam(tmp_path / "c.bam", reads=2000)
    whole = (tmp_path / "c.bam").read_bytes()
    for cut in (len(whole) // 2, len(whole) - 28, 10):
        (tmp_path / "c.bam").write_bytes(whole[:cut])
        assert "damaged or truncated" in bam.problem(tmp_path / "c.bam", CONTIGS, "g.fa")


def test_an_empty_library_is_a_valid_bam_file(tmp_path):
    bam.write_empty(CONTIGS, tmp_path / "e.bam")
    with pysam.AlignmentFile(str(tmp_path / "e.bam")) as file:
        assert file.references == ("1", "2") and list(file.fetch("1")) == []
