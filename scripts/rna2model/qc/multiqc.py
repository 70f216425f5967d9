"""Custom sections of the MultiQC page: status of each sample with its reason, and the fates of its fragments."""

from __future__ import annotations

import csv
from collections import Counter
from html import escape
from typing import TYPE_CHECKING

from rna2model.qc.fragment_fates import FATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rna2model.core.tool_failure import Failure

STATUS_COLUMNS = (
    "sample",
    "status",
    "reason",
    "reads",
    "mapped_pct",
    "assigned_pct",
    "duplicate_pct",
    "rrna_pct",
    "three_prime_bias",
    "strandedness",
    "sense_pct",
    "inferred_sex",
    "flags",
)


PER_PAGE = 500  # samples; a browser is slow with more on one MultiQC page


def parts(samples: list[str]) -> dict[str, list[str]]:
    """{page: names of its samples}: one page `cohort`, or `part1` and so on of 500 samples each, as the sheet has them."""
    if len(samples) <= PER_PAGE:
        return {"cohort": samples}
    starts = range(0, len(samples), PER_PAGE)
    return {
        f"part{number}": samples[start : start + PER_PAGE] for number, start in enumerate(starts, start=1)
    }


def sections(
    path: str | Path, samples: Iterable[str] | None = None, failures: Iterable[Failure] = ()
) -> dict[str, str]:
    """{file name: content} of the sections made from samples.tsv, of all or the named samples.

    failures : of tools without which a sample is still counted (tool_failure.Failure); they are flags of their samples here
    """
    rows = _read(path)
    _flag(rows, failures)
    if samples is not None:
        wanted = set(samples)
        rows = [row for row in rows if row["sample"] in wanted]
    used = [column for column in STATUS_COLUMNS if any(row[column] for row in rows)]
    counted = [row for row in rows if row["reads"]]
    fates = [fate for fate in FATES if any(int(row[fate]) for row in counted)]
    strands = [
        [row["sample"], row["sense_pct"], _rest(row["sense_pct"])] for row in counted if row["sense_pct"]
    ]
    return {
        "sample_status_mqc.tsv": _section(
            "sample_status",
            "Sample status",
            "says which samples entered the cohort, and why the others did not",
            "table",
            [
                [_title(column) for column in used],
                *([_shown(row[c]) for c in used] for row in sorted(rows, key=_doubt)),
            ],
            ["pconfig:", "    sort_rows: false"],
        ),
        "fragments_mqc.tsv": _section(
            "fragment_fates",
            "Where the fragments went",
            "counts every fragment of a library once, from the FASTQ file to a gene or out",
            "bargraph",
            [["sample", *fates], *([row["sample"], *(row[fate] for fate in fates)] for row in counted)],
        ),
        "strandedness_mqc.tsv": _section(
            "strandedness",
            "Strandedness",
            "shows the share of reads on the strand of their gene: about 0 % reverse, 100 % forward, 50 % unstranded",
            "bargraph",
            [["sample", "sense", "antisense"], *strands],
        ),
    }


INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Quality of all samples</title><style>
body {{ font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 80em; padding: 0 1em }}
table {{ border-collapse: collapse }} td, th {{ border-bottom: 1px solid #ccc; padding: .2em .7em; text-align: left }}
.excluded td {{ background: #fbe9e7 }}
</style></head><body>
<h1>Quality of all samples</h1>
<p>{included} samples entered the cohort, {excluded} did not. MultiQC shows at most {most} samples on a page:</p>
<ul>
{pages}
</ul>
<h2>Sample status</h2>
<table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def index(path: str | Path, pages: Mapping[str, Sequence[str]]) -> str:
    """HTML page with the status of every sample of samples.tsv and links to `pages`, as `parts` gives them."""
    rows = _read(path)
    used = [column for column in STATUS_COLUMNS if any(row[column] for row in rows)]
    statuses = Counter(row["status"] for row in rows)
    page_of = {name: page for page, names in pages.items() for name in names}
    return INDEX.format(
        included=statuses["included"],
        excluded=statuses["excluded"],
        most=PER_PAGE,
        pages="\n".join(
            f"<li>{_link(page, f'{escape(names[0])} to {escape(names[-1])}')} ({len(names)})</li>"
            for page, names in pages.items()
        ),
        head="".join(f"<th>{_title(column)}</th>" for column in used),
        rows="\n".join(_status(row, used, page_of.get(row["sample"])) for row in sorted(rows, key=_doubt)),
    )


def _status(row, columns, page):
    name, *cells = (escape(row[column]) for column in columns)  # the first column is the sample
    cells = [_link(page, name) if page else name, *cells]
    return f'<tr class="{row["status"]}">' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _link(page, text):
    return f'<a href="{page}/multiqc_report.html">{text}</a>'


def _read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _flag(rows, failures):
    """Add the failures of tools to the flags of included samples, unless already there."""
    reasons_of_sample = {}
    for failure in failures:
        reasons_of_sample.setdefault(failure.sample, dict.fromkeys([failure.reason]))[failure.reason] = None
    for row in rows:
        if row["status"] == "included":
            more = [
                reason for reason in reasons_of_sample.get(row["sample"], ()) if reason not in row["flags"]
            ]
            row["flags"] = "; ".join(filter(None, [row["flags"], *more]))


def _rest(percent):
    return str(round(100 - float(percent), 2))


def _doubt(row):
    """Sort key: excluded samples first, then flagged ones, so that they are at the top of a long table."""
    return row["status"] == "included", not row["flags"]


def _shown(cell):
    """Escape a cell for MultiQC, which inserts it into the page unescaped and reads commas as thousands separators."""
    return escape(cell).replace(",", "&#44;")


def _title(column):
    return column.replace("_pct", " %").replace("_", " ")


def _section(key, name, description, plot, table, settings=()):
    header = {"id": key, "section_name": name, "description": description, "plot_type": plot}
    lines = [f"# {label}: '{text}'" for label, text in header.items()] + [f"# {line}" for line in settings]
    return "\n".join([*lines, *("\t".join(cells) for cells in table)]) + "\n"
