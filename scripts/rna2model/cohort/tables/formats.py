"""Text formats that are recognised by their first rows. To add one, append a `Format` to FORMATS."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rna2model.cohort.tables import columns
from rna2model.cohort.tables.layout import GENES, GEO_BEGIN

if TYPE_CHECKING:
    from rna2model.cohort.tables.layout import Layout

GSM = re.compile(r"GSM\d+")
DEPMAP_GENE = re.compile(r"(\S+) \(([^()\s]+)\)")
FEATURE_COUNTS = ["geneid", "chr", "start", "end", "strand", "length"]


@dataclass(frozen=True)
class Format:
    """`matches(layout)`: whether a table is in this format; `note`: a remark for the user about its values.

    `single`: it holds one sample, and is given in the sheet's column counts_file.
    """

    name: str
    matches: Callable[[Layout], bool]
    note: str = ""
    single: bool = False


def _names(layout):
    return [columns.plain(name) for name in layout.columns]


def _has(*wanted):
    return lambda layout: set(wanted) <= set(_names(layout))


def _begins(*wanted):
    return lambda layout: _names(layout)[: len(wanted)] == list(wanted)


def _is_star(layout):
    return len(layout.header) == 4 and any(
        row[0].startswith("N_unmapped") for row in [layout.header, *layout.rows[:1]]
    )


def _is_two_columns(layout):
    """Gene and count without a header, as HTSeq writes it: its first line reads as a header whose sample is a number."""
    first, *rest = layout.header
    return len(rest) == 1 and bool(re.fullmatch(r"\d+(\.\d+)?", rest[0])) and not GENES.fullmatch(first)


def _is_geo(layout):
    return any(line.strip().strip('"') == GEO_BEGIN for line in layout.comments)


def _is_depmap(layout):
    labels = [bool(DEPMAP_GENE.fullmatch(name)) for name in layout.columns]
    return len(labels) > 2 and sum(labels) > max(0.5 * len(labels), 1) and labels[-1]


def _is_prepde(layout):
    return _names(layout)[0] == "geneid" and any("|" in row[0] for row in layout.rows)


def _is_ncbi(layout):
    return layout.columns[0] == "GeneID" and all(GSM.fullmatch(name) for name in layout.columns[1:])


def _is_recount(layout):
    return any(line.startswith("##annotation=") for line in layout.comments)


FORMATS = [
    Format("STAR's ReadsPerGene.out.tab", _is_star, single=True),
    Format("Salmon's quant.sf", _has("name", "effectivelength", "tpm", "numreads"), single=True),
    Format("kallisto's abundance.tsv", _has("targetid", "efflength", "estcounts", "tpm"), single=True),
    Format("RSEM's table", _has("effectivelength", "expectedcount", "tpm"), single=True),
    Format(
        "STAR counts of the GDC (TCGA)", _has("unstranded", "strandedfirst", "strandedsecond"), single=True
    ),
    Format("HTSeq's table, or another without header", _is_two_columns, single=True),
    Format("a series matrix of GEO", _is_geo),
    Format("a table of featureCounts", _begins(*FEATURE_COUNTS)),
    Format(
        "gene sums of recount3",
        _is_recount,
        "its values are sums of base coverage, not reads: divide them by the mean read length (compute_read_counts of recount3)"
        " if counts are wanted",
    ),
    Format("counts made by NCBI for GEO", _is_ncbi),
    Format("a table of cBioPortal", _begins("hugosymbol", "entrezgeneid")),
    Format("a table of DepMap", _is_depmap),
    Format("prepDE's gene_count_matrix", _is_prepde),
    Format("a matrix of UCSC Xena", lambda layout: layout.columns[0] == "Ensembl_ID"),
    Format("a GCT file", lambda layout: layout.is_gct),
]


def recognise(layout: Layout) -> Format | None:
    """The Format of a table, or None for a plain one."""
    return next((one for one in FORMATS if layout.columns and one.matches(layout)), None)
