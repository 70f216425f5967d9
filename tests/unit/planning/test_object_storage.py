"""Object storage: what an address is, what is looked at there, and what is said of it."""

import gzip

import pytest

from rna2model.core.errors import InputProblem
from rna2model.inputs import config
from rna2model.planning import preflight
from rna2model.planning.object_storage import Store
from rna2model.reference import precheck

FASTA = b">1\n" + b"ACGT" * 50 + b"\n"
GTF = b'1\tx\texon\t1\t100\t.\t+\t.\tgene_id "g"; transcript_id "t";\n'


def store(**files):
    """A storage that holds `files`, by their address."""
    held = {f"s3://bucket/{name.replace('__', '/')}": content for name, content in files.items()}

    def read(address, most):
        if address.startswith("s3://locked/"):
            raise OSError("AccessDenied")
        return held[address][:most] if address in held else None

    return Store("s3://bucket/run/", read)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("reads/a.fastq.gz", "s3://bucket/run/reads/a.fastq.gz"),
        ("./a//b", "s3://bucket/run/a/b"),
        ("s3://other/a", "s3://other/a"),
    ],
)
def test_a_path_lies_below_the_prefix_and_an_address_where_it_says(path, address):
    assert store().address(path) == address


@pytest.mark.parametrize(
    "path", ["/data/a", "~/a", "../a", "a/../../b", "gs://bucket/a", "https://x.org/a", "a{b}"]
)
def test_what_no_job_could_fetch_is_refused(path):
    with pytest.raises(InputProblem):
        store().address(path)


def test_each_file_that_cannot_be_read_has_its_reason():
    reasons = store(run__a=b"x", run__empty=b"").unreadable(["a", "b", "empty", "s3://locked/c", "/d"])
    assert reasons.keys() == {"b", "s3://locked/c", "/d"}
    assert "s3://bucket/run/b" in reasons["b"] and "AccessDenied" in reasons["s3://locked/c"]


def test_inside_a_job_nothing_is_asked_but_paths_are_the_same():
    inside = Store("s3://bucket/run")
    assert inside.unreadable(["a"]) == {} and inside.unreadable(["/a"])


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_beginning_of_a_large_file_ends_with_a_line(monkeypatch, pack):
    monkeypatch.setattr("rna2model.planning.object_storage.BEGINNING", 1000)
    lines = b"".join(b"%d\n" % (number**7) for number in range(1000))
    with store(run__a=pack(lines)).beginning("a") as (file, whole):
        assert not whole
        assert lines.startswith(file.read_bytes()) and file.read_bytes().endswith(b"\n")
    with store(run__a=pack(b"one\ntwo")).beginning("a") as (file, whole):
        assert whole and file.name == "a"


def test_of_a_file_in_many_gzip_parts_more_than_the_first_is_seen(monkeypatch):
    monkeypatch.setattr("rna2model.planning.object_storage.BEGINNING", 200)
    parts = b"".join(gzip.compress(b"%d\n" % number) for number in range(100))
    with store(run__a=parts).beginning("a") as (file, _):
        assert file.read_bytes().startswith(b"0\n1\n2\n3\n")


def complete(**changes):
    full, problems = config.complete({"reference": {"fasta": "g.fa", "gtf": "g.gtf"}, **changes})
    assert not problems
    return full


def test_genome_and_annotation_are_looked_at_in_the_storage():
    good = {"run__g.fa": FASTA, "run__g.gtf": GTF}
    assert precheck.stored_problems(complete(), store(**good)) == []
    (problem,) = precheck.stored_problems(complete(), store(**good | {"run__g.fa": b">1\nMKLVEF\n"}))
    assert problem.startswith("config: reference.fasta: g.fa is no genome")
    (problem,) = precheck.stored_problems(
        complete(), store(**good | {"run__g.gtf": GTF.replace(b"1\t", b"chr1\t", 1)})
    )
    assert "named otherwise" in problem
    (problem,) = precheck.stored_problems(
        complete(), store(**good | {"run__g.gtf": GTF.replace(b"exon", b"gene")})
    )
    assert "g.gtf" in problem and "/tmp" not in problem


def test_ribosomal_rna_is_looked_at_in_the_storage():
    held = {"run__g.fa": FASTA, "run__g.gtf": GTF, "run__r.fa": b">a\nACGU\n"}
    config = complete(trimming={"rrna": "r.fa"})
    assert precheck.stored_problems(config, store(**held)) == []
    (problem,) = precheck.stored_problems(config, store(**held | {"run__r.fa": b">a\nMKLVEF\n"}))
    assert problem.startswith("config: trimming.rrna: r.fa is no RNA or DNA")


def test_sheet_and_config_are_checked_with_all_their_places(tmp_path):
    (tmp_path / "s.tsv").write_text(
        "sample\tfastq_1\tcondition\n"
        + "".join(f"s{i}\tr{i}.fastq.gz\t{'ab'[i % 2]}\n" for i in range(12))
        + "t\tr0.fastq.gz\ta\n"
    )
    held = {f"run__r{i}.fastq.gz": b"@" for i in range(11)} | {"run__g.fa": FASTA, "run__g.gtf": GTF}
    settings = {"samples": "s.tsv", "reference": {"fasta": "g.fa", "gtf": "g.gtf", "index": "star"}}
    problems = preflight.check(settings, [tmp_path], store=store(**held))[2]
    text = "\n".join(problems)
    assert "row 13, column fastq_1: no such file in the storage (s3://bucket/run/r11.fastq.gz)" in text
    assert "the same file twice: r0.fastq.gz" in text
    assert "config: reference.index: a folder cannot be given" in text
    assert len(problems) == 3
