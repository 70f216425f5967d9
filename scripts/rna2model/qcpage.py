"""Our own sections of the MultiQC page, as its custom content: who is in and why not, and where the fragments went."""

import csv

from rna2model.fragments import FATES

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


def sections(path):
    """{file name: content} of the sections made from samples.tsv."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
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
            [used, *([row[column] for column in used] for row in rows)],
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


def _rest(percent):
    return str(round(100 - float(percent), 2))


def _section(key, name, description, plot, table):
    header = {"id": key, "section_name": name, "description": description, "plot_type": plot}
    lines = [f"# {label}: '{text}'" for label, text in header.items()]
    return "\n".join([*lines, *("\t".join(cells) for cells in table)]) + "\n"
