"""The QC gate and the decision on strandedness: evidence in, verdict with a reason out."""

import json

import pytest

from rna2model import gate, strandedness

LIMITS = {"min_reads": 1000, "min_mapped_pct": 50, "min_assigned_pct": 30}
GOOD = {
    "reads": 5000,
    "problem": None,
    "mapped_pct": 98.0,
    "assigned_pct": 80.0,
    "strandedness": "reverse",
    "sense_pct": 1.0,
    "flag": "",
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"reads": 999}, "too few reads: 999, minimum 1000"),
        ({"mapped_pct": 7.5}, "too few reads mapped: 7.5 %, minimum 50 %"),
        ({"assigned_pct": 29.9}, "too few reads in genes: 29.9 %, minimum 30 %"),
        ({"problem": "truncated gzip: x", "reads": 9}, "truncated gzip: x"),
    ],
)
def test_a_sample_is_excluded_by_the_limit_it_misses(change, reason):
    row = gate.judge("s", GOOD | change, LIMITS)
    assert (row["status"], row["reason"]) == ("excluded" if reason else "included", reason)


def test_evidence_counts_pairs_once_and_unmapped_reads_in_the_rates(tmp_path):
    flagstat = {"QC-passed reads": {"total": 210, "primary": 200, "primary mapped": 150}}
    strand = strandedness.decide(0, 500)
    for name, content in {
        "verdict": {"reads": 120, "problem": None},
        "flagstat": flagstat,
        "strand": strand,
    }.items():
        (tmp_path / name).write_text(json.dumps(content))
    facts = gate.read_evidence(*(tmp_path / n for n in ("verdict", "flagstat", "strand")), [30, 20], True)
    assert (facts["reads"], facts["mapped_pct"], facts["assigned_pct"]) == (120, 75.0, 50.0)


def test_an_empty_library_has_rates_of_zero_not_of_nothing():
    assert gate._percent(0, 0) == 0.0


def test_a_mixed_cohort_is_flagged_on_the_odd_sample():
    rows = [gate.judge(name, GOOD, LIMITS) for name in "abc"]
    rows.append(gate.judge("odd", GOOD | {"strandedness": "forward"}, LIMITS))
    gate.mixed_strands(rows)
    assert [row["flags"] for row in rows] == ["", "", "", "forward in a cohort that is mostly reverse"]


def test_samples_tsv_lists_every_sample_with_its_metadata(tmp_path):
    rows = [gate.judge("a", GOOD, LIMITS), gate.left_out("b", "swapped tube")]
    gate.write(rows, {"a": {"sex": "f"}, "b": {"sex": "m"}}, tmp_path / "samples.tsv")
    lines = (tmp_path / "samples.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["sample", "status", "reason"] and lines[0].endswith("\tsex")
    assert lines[2].startswith("b\texcluded\tsheet: swapped tube\t") and lines[2].endswith("\tm")
    assert gate.included(tmp_path / "samples.tsv") == ["a"]


def test_a_sheet_column_of_our_name_does_not_hide_ours(tmp_path):
    gate.write([gate.judge("a", GOOD, LIMITS)], {"a": {"status": "dead"}}, tmp_path / "samples.tsv")
    header, row = ((tmp_path / "samples.tsv").read_text().splitlines()[i].split("\t") for i in (0, 1))
    assert dict(zip(header, row, strict=True))["status"] == "included"
    assert dict(zip(header, row, strict=True))["sheet_status"] == "dead"


@pytest.mark.parametrize(
    ("sense", "antisense", "decision"),
    [(950, 50, "forward"), (50, 950, "reverse"), (480, 520, "unstranded"), (3, 5, "unstranded")],
)
def test_strandedness_follows_the_reads(sense, antisense, decision):
    assert strandedness.decide(sense, antisense)["strandedness"] == decision


def test_doubt_is_flagged():
    assert "ambiguous: 70 %" in strandedness.decide(700, 300)["flag"]
    assert "undetermined: only 8 reads" in strandedness.decide(3, 5)["flag"]
    assert strandedness.decide(510, 490)["flag"] == ""


def test_a_given_value_is_used_and_its_contradiction_flagged():
    decision = strandedness.decide(20, 980, given="forward")
    assert decision["strandedness"] == "forward"
    assert decision["flag"] == "given as forward, but the reads look reverse (2 % sense)"
    assert strandedness.decide(20, 980, given="reverse")["flag"] == ""


def test_genes_overlapped_from_the_other_strand_tell_nothing(tmp_path):
    table = tmp_path / "genes.tsv"
    table.write_text(
        "gene_id\tchromosome\tstart\tend\tstrand\n"
        "a\t1\t100\t200\t+\nb\t1\t150\t300\t-\nc\t1\t400\t500\t-\nd\t2\t100\t200\t-\n"
    )
    assert strandedness.clear_genes(table) == [("1", 399, 500, "-"), ("2", 99, 200, "-")]
