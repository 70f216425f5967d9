"""Our sections of the MultiQC page, and the pages of a large cohort."""

import re

import pytest

from rna2model.qc import multiqc
from rna2model.qc.fragment_fates import FATES


@pytest.fixture
def table(tmp_path):
    """samples.tsv of one included and one excluded sample."""
    columns = ["sample", "status", "reason", "reads", "sense_pct", "flags", *multiqc.STATUS_COLUMNS[4:10]]
    columns = [*dict.fromkeys([*columns, *multiqc.STATUS_COLUMNS, *FATES])]
    row = dict.fromkeys(columns, "") | {"sample": "a", "status": "included", "reads": "9", "sense_pct": "0.5"}
    row |= dict.fromkeys(FATES, "0") | {"assigned": "9"}
    out = dict.fromkeys(columns, "") | {
        "sample": "b",
        "status": "excluded",
        "reason": "sheet: <swapped>, late",
    }
    lines = [columns, *([r[c] for c in columns] for r in (row, out))]
    (tmp_path / "samples.tsv").write_text("".join("\t".join(line) + "\n" for line in lines))
    return tmp_path / "samples.tsv"


def test_the_quality_page_starts_with_who_is_in_and_shows_fates_that_occur(table):
    sections = multiqc.sections(table)
    status = sections["sample_status_mqc.tsv"]
    assert (
        "\nsample\tstatus\treason\treads\tsense %\nb\texcluded\tsheet: &lt;swapped&gt;&#44; late\t\t\na\tincluded"
        in status
    )
    assert "\n# pconfig:\n#     sort_rows: false\n" in status
    assert sections["fragments_mqc.tsv"].endswith("\nsample\tassigned\na\t9\n")
    assert sections["strandedness_mqc.tsv"].endswith("\na\t0.5\t99.5\n")


def test_a_page_of_some_samples_names_no_other(table):
    status = multiqc.sections(table, ["a"])["sample_status_mqc.tsv"]
    assert "\na\tincluded" in status and "\nb\t" not in status


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(500, {"cohort": 500}), (501, {"part1": 500, "part2": 1}), (1000, {"part1": 500, "part2": 500})],
)
def test_a_page_has_at_most_500_samples_and_each_sample_one_page(count, sizes):
    names = [f"s{number}" for number in range(count)]
    pages = multiqc.parts(names)
    assert {page: len(part) for page, part in pages.items()} == sizes
    assert [name for part in pages.values() for name in part] == names


def test_the_index_shows_every_sample_once_and_leads_to_its_page(table):
    page = multiqc.index(table, {"part1": ["a"]})
    assert "1 samples entered the cohort, 1 did not" in page
    assert re.findall(r'<tr class="(\w+)"><td>(.*?)</td>', page) == [
        ("excluded", "b"),
        ("included", '<a href="part1/multiqc_report.html">a</a>'),
    ]
    assert "sheet: &lt;swapped&gt;, late" in page
