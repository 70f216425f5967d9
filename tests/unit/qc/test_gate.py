"""The QC gate and the decision on strandedness: evidence in, verdict with a reason out."""

import pytest

from rna2model.qc import fragment_fates, gate
from rna2model.reads import strandedness

LIMITS = {"min_reads": 1000, "min_mapped_pct": 50, "min_assigned_pct": 30}
LIMITS |= {"max_rrna_pct": 20, "max_duplicate_pct": 90}
GOOD = {
    "reads": 5000,
    "problem": None,
    "mapped_pct": 98.0,
    "assigned_pct": 80.0,
    "strandedness": "reverse",
    "sense_pct": 1.0,
    "duplicate_pct": 40.0,
    "rrna_pct": None,
    "three_prime_bias": 1.1,
    "inferred_sex": "female",
    "flags": [],
    "fates": dict.fromkeys(fragment_fates.FATES, 0),
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"reads": 999}, "too few reads: 999, minimum 1000"),
        ({"mapped_pct": 7.5}, "too few reads mapped: 7.5 %, minimum 50 %"),
        ({"assigned_pct": 29.9}, "too few reads in genes: 29.9 %, minimum 30 %"),
        ({"rrna_pct": 35.0}, "too much ribosomal RNA: 35.0 %, maximum 20 %"),
        ({"duplicate_pct": 95.5}, "too many duplicates: 95.5 %, maximum 90 %"),
        ({"problem": "truncated gzip: x", "reads": 9}, "truncated gzip: x"),
    ],
)
def test_a_sample_is_excluded_by_the_limit_it_misses(change, reason):
    row = gate.judge("s", GOOD | change, LIMITS)
    assert (row["status"], row["reason"]) == ("excluded" if reason else "included", reason)


def test_a_sex_that_the_genes_contradict_is_flagged():
    assert (
        gate.judge("s", GOOD, LIMITS, {"Sex": "M"})["flags"]
        == "Sex is M in the sheet, but the genes look female"
    )
    assert gate.judge("s", GOOD, LIMITS, {"sex": "female", "gender": "unknown"})["flags"] == ""


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
    decision = strandedness.decide(20, 980, stated="forward")
    assert decision["strandedness"] == "forward"
    assert decision["flag"] == "given as forward, but the reads look reverse (2 % sense)"
    assert strandedness.decide(20, 980, stated="reverse")["flag"] == ""


def test_genes_overlapped_from_the_other_strand_tell_nothing(tmp_path):
    table = tmp_path / "genes.tsv"
    table.write_text(
        "gene_id\tchromosome\tstart\tend\tstrand\n"
        "a\t1\t100\t200\t+\nb\t1\t150\t300\t-\nc\t1\t400\t500\t-\nd\t2\t100\t200\t-\n"
        "e\t3\t1\t900\t+\nf\t3\t10\t20\t-\ng\t3\t800\t850\t-\nh\t3\t901\t950\t-\n"
    )
    assert strandedness.clear_genes(table) == [
        ("1", 399, 500, "-"),
        ("2", 99, 200, "-"),
        ("3", 900, 950, "-"),
    ]


def test_a_library_of_thousands_of_millions_is_flagged():
    assert (
        "3.2e+12 counts are more than a library has" in gate.of_matrix("s", "", {}, library=3.2e12)["flags"]
    )
    assert gate.of_matrix("s", "", {}, library=2e8)["flags"] == ""


def of_matrix(sizes, least=100, genes=0, unit="counts"):
    """{sample: (status, reason, flags)} of a matrix whose samples have `sizes` counts."""
    reasons = gate.too_small(sizes, unit, [name for name, size in sizes.items() if not size], least)
    rows = [
        gate.of_matrix(name, "", {}, library=size, reason=reasons.get(name, ""))
        for name, size in sizes.items()
    ]
    gate.flag_small(rows, sizes, genes)
    return {row["sample"]: (row["status"], row["reason"], row["flags"]) for row in rows}


def test_a_library_of_next_to_nothing_is_excluded_or_flagged_and_small_panels_are_neither():
    deep = {f"s{i}": 2e7 + i for i in range(6)}
    assert set(of_matrix(deep, genes=20_000).values()) == {("included", "", "")}
    found = of_matrix(deep | {"none": 0, "tiny": 15, "poor": 5000}, genes=20_000)
    assert found["none"][:2] == ("excluded", "no counts in the matrix")
    assert found["tiny"][:2] == ("excluded", "too few counts: 15, minimum 100")
    status, _, flags = found["poor"]
    assert (
        status == "included"
        and "5000 counts in all: less than 1 % of what the cohort's samples have" in flags
    )
    assert {found[name] for name in deep} == {("included", "", "")}
    (kept,) = of_matrix({"tiny": 15}, least=0, genes=20_000).values()
    assert kept[0] == "included" and "15 counts in all, for 20000 genes" in kept[2]
    panel = {f"s{i}": 144 + 100 * i for i in range(6)}
    assert set(of_matrix(panel, genes=20).values()) == {("included", "", "")}
    assert of_matrix({"a": 3.0, "b": 4.0}, unit="log")["a"][0] == "included"
