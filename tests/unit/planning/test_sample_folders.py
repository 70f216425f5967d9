"""A folder of quality files for each sample: what lies in it, and what earlier versions left elsewhere."""

import io
import json
import os
import tarfile
import zipfile
from types import SimpleNamespace

import pytest

from rna2model.core import tool_failure
from rna2model.planning import tidy_folders
from rna2model.qc import fastqc_archive, sample_metrics
from rna2model.reads import fastq, strandedness
from tests.guard import bash

COVERAGE = "Percentile\t" + "\t".join(map(str, range(1, 101))) + "\ns\t" + "\t".join(["2"] * 80 + ["5"] * 20)


@pytest.mark.parametrize("most", [1, 2, 3, 10, 64])
@pytest.mark.parametrize("there", [0, 1, 2, 3, 4, 7, 10, 21, 100, 257])
def test_reads_are_taken_evenly_the_same_way_before_and_after_trimming(tmp_path, most, there):
    records = [f"@r{number}\nAC\n+\nII\n" for number in range(there)]
    evenly = fastq.Evenly(most)
    for number, record in enumerate(records):
        if number == evenly.next:
            evenly.take((SimpleNamespace(fastq_bytes=record.encode),))
    evenly.write([tmp_path / "expected"])
    (tmp_path / "all").write_text("".join(records))
    taken = bash('take_evenly "$1" <"$2"', most, tmp_path / "all")
    assert taken == (tmp_path / "expected").read_text().rstrip("\n")
    assert taken.count("@") <= most and (there <= most) == (taken.count("@") == there)


@pytest.mark.parametrize("given", ["auto", "reverse"])
def test_counters_read_the_facts_of_a_library(tmp_path, given):
    facts = strandedness.decide(10, 990, stated=given) | {
        "layout": "paired",
        "fragments": 1200,
        "flagstat": {"fragments": 7},
    }
    (tmp_path / "library.json").write_text(json.dumps(facts, indent=1))
    told = bash('read_library "$1"; echo "$strandedness $layout $fragments"', tmp_path / "library.json")
    assert told == "reverse paired 1200"


def report(name):
    """FastQC's zip file, as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(f"{name}_fastqc/", "")
        file.writestr(f"{name}_fastqc/fastqc_data.txt", f"Filename\t{name}")
        file.writestr(f"{name}_fastqc/Images/a.png", "x" * 1000)
    return packed.getvalue()


def earlier(results, name, marked=()):
    """What earlier versions left of a paired sample; `marked` are those files that are the mark of a failure."""
    files = {
        f"samples/{name}.json": b"{}",
        f"reads/paired/{name}.json": b"{}",
        f"trimming/paired/{name}.fastp.json": b"fastp",
        f"star/{name}.Log.final.out": b"final",
        f"star/{name}.Log.std.out": b"std",
        f"star/{name}.SJ.out.tab": b"junctions",
        f"samtools/{name}.stats.txt": b"stats",
        f"featurecounts/{name}.txt.summary": b"Status",
        f"strandedness/{name}.json": json.dumps(strandedness.decide(10, 990)).encode(),
        f"library/{name}.txt": b"strandedness=reverse\nlayout=paired\nfragments=1200\n",
        f"flagstat/{name}.json": b'{"QC-passed reads": {"read1": 3}}',
        f"rseqc/{name}.read_distribution.txt": b"Total Reads 1\n",
        f"rseqc/{name}.geneBodyCoverage.txt": f"{COVERAGE}\n".encode(),
        f"rseqc/{name}.junctions.txt": b"Known Splicing Events:\t3\n",
    }
    for stage in ("raw", "trimmed"):
        for mate in ("R1", "R2"):
            files[f"fastqc/{stage}/paired/{name}_{mate}_fastqc.zip"] = report(f"{name}_{mate}")
            files[f"fastqc/{stage}/paired/{name}_{mate}_fastqc.html"] = b"<html>"
    for number, (path, content) in enumerate(files.items()):
        target = results / "qc" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if path in marked:
            tool_failure.Failure(name, "rule", "log", path, "failed twice").mark([target])
        os.utime(target, (1e9, 1e9 + number))


def test_files_of_earlier_versions_are_moved_with_their_dates_and_contents(tmp_path):
    for name in ("a", "star", "a.b"):  # one is called as a folder of theirs
        earlier(tmp_path, name)
    assert tidy_folders.tidy(tmp_path, ["a", "star", "a.b"]) == 3
    assert sorted(path.name for path in (tmp_path / "qc").iterdir()) == ["a", "a.b", "star"]
    for name in ("a", "star", "a.b"):
        folder = tmp_path / "qc" / name
        ends = (
            "fastqc.tar",
            "json",
            "library.json",
            "paired.fastp.json",
            "paired.reads.json",
            "rseqc.txt",
            "stats.txt",
        )
        ends += ("Log.final.out", "SJ.out.tab", "featurecounts.txt.summary")
        assert sorted(path.name for path in folder.iterdir()) == sorted(f"{name}.{end}" for end in ends)
        assert (folder / f"{name}.Log.final.out").stat().st_mtime == 1e9 + 3
        assert (folder / f"{name}.rseqc.txt").stat().st_mtime == 1e9 + 13
        dates = [(folder / f"{name}.{end}").stat().st_mtime for end in ("library.json", "stats.txt")]
        assert dates == [1e9 + 10, 1e9 + 10.001]  # one is made of the other now
        assert sample_metrics.three_prime_bias(folder / f"{name}.rseqc.txt") == 2.5
        assert "Known Splicing Events:\t3" in (folder / f"{name}.rseqc.txt").read_text()
        facts = json.loads((folder / f"{name}.library.json").read_text())
        assert facts["sense_pct"] == 1 and facts["fragments"] == 1200 and facts["layout"] == "paired"
        assert facts["flagstat"]["QC-passed reads"]["read1"] == 3
        with tarfile.open(folder / f"{name}.fastqc.tar") as packed:
            assert packed.getnames() == [
                f"{s}/{name}_{m}_fastqc.zip" for s in ("raw", "trimmed") for m in ("R1", "R2")
            ]
    assert tidy_folders.tidy(tmp_path, ["a", "star", "a.b"]) == 0


def test_the_mark_of_a_failure_stays_one(tmp_path):
    earlier(tmp_path, "a", ["flagstat/a.json", "rseqc/a.junctions.txt", "fastqc/raw/paired/a_R1_fastqc.zip"])
    tidy_folders.tidy(tmp_path, ["a"])
    for end in ("library.json", "rseqc.txt", "fastqc.tar"):
        assert tool_failure.of(tmp_path / f"qc/a/a.{end}").reason == "failed twice"


def test_multiqc_is_given_what_it_reads_of_fastqc_and_all_else_as_it_is(tmp_path):
    (tmp_path / "x.zip").write_bytes(report("a_R1"))
    fastqc_archive.pack({"raw/a_R1_fastqc.zip": tmp_path / "x.zip"}, tmp_path / "a.fastqc.tar")
    other, unpacked = fastqc_archive.unpacked(["a.stats.txt", tmp_path / "a.fastqc.tar"], tmp_path / "fastqc")
    assert other == "a.stats.txt" and unpacked == tmp_path / "fastqc/raw/a_R1_fastqc.zip"
    with zipfile.ZipFile(unpacked) as packed:
        assert packed.namelist() == ["a_R1_fastqc/", "a_R1_fastqc/fastqc_data.txt"]
        assert packed.read("a_R1_fastqc/fastqc_data.txt") == b"Filename\ta_R1"


def test_without_any_coverage_there_is_no_bias_towards_an_end(tmp_path):
    (tmp_path / "rseqc.txt").write_text("Total Reads 1\nTotal Tags 1\n")
    assert sample_metrics.three_prime_bias(tmp_path / "rseqc.txt") is None
