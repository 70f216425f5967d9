"""Rows of a count table that are not genes: spike-ins, reporter constructs, and reads that a counter could not assign.

The family: spike-ins (ERCC, SIRV, sequins, ArrayControl, UniSp, Affymetrix' bacterial controls, PhiX), reporters of a construct
(GFP, mCherry, luciferase), ribosomal RNA as one lump (`rRNA`, `45S`), and the rows that counters write below their genes. A
spike-in says how much of it was added, a reporter who got it: as a gene it would be the best of all predictors, and part
of the library size. Official symbols of any species are genes: CFP, ERCC1, RNA45SN1, Rn45s, lacZ and cas9 stay.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

COUNTER = re.compile(
    r"__\w+|N_(unmapped|multimapping|noFeature|ambiguous)|Unassigned_\w+"
    r"|no_feature|ambiguous|too_low_aQual|not_aligned|alignment_not_unique|\*"  # HTSeq of old; samtools idxstats
)
KINDS = {
    "spike-ins": re.compile(
        r"(g?spike-?in[-_.])?ERCC[-_.]?\d{5}([.|_-].*)?|SIRV[-_.]?(set)?\d{1,5}\w?([.|_-].*)?|(?i:array[-_. ]?control)([-_. ].*)?"
        r"|(?i:g?spike[-_. ]?ins?)([-_. ].*)?|UniSp\d+([-_.].*)?"
        r"|AFFX-(r2-)?(Ec|Bs|P1|Bio[A-D]n?|Cre|Dap|Lys|Phe|Thr|Trpn?)X?-.*|(?i:(chr)?phi[-_]?x(174)?)([-_.].*)?"
    ),
    "reporters": re.compile(
        r"(?i:e?gfp|e?yfp|ecfp|ebfp2?|mcherry|td-?tomato|dsred2?|mscarlet|mvenus|mkate2|zsgreen1?"
        r"|([frn]|firefly|renilla|nano)?[-_. ]?luc(iferase)?2?|rtta3?|creert2?|wpre)"
    ),
    "ribosomal RNA": re.compile(
        r"(?i:r[-_]?rna([-_. ]?(45|28|18|5\.8|5|16|23|12)s)?|(45|28|18|5\.8)s([-_. ]?r[-_]?rna)?)"
    ),
}
NO_REPORTER = {"luc", "luc2", "rluc", "fluc2"}  # too short to be sure of
SEQUIN = re.compile(r"R[12]_\d{1,3}(_\d+)?")
FEW_SEQUINS = 10  # the mixture has 78 genes; a gene or two of that name are someone's own


def of_counter(gene: str) -> bool:
    """Whether a row holds the reads that a counter could not assign to a gene."""
    return COUNTER.fullmatch(gene) is not None


def find(genes: Collection[str]) -> dict[str, str]:
    """{id: kind} of the ids that are not genes, in their order; without the unassigned rows of a counter."""
    non_genes = {}
    for gene in genes:
        for kind, pattern in KINDS.items():
            if pattern.fullmatch(gene) and gene.lower() not in NO_REPORTER:
                non_genes[gene] = kind
    sequins = [gene for gene in genes if SEQUIN.fullmatch(gene)]
    if FEW_SEQUINS <= len(sequins) < len(genes) / 2:
        non_genes |= dict.fromkeys(sequins, "spike-ins")
    return non_genes if len(non_genes) < len(genes) else {}  # a table of spike-ins alone is about them


def note(non_genes: Mapping[str, str], policy: str) -> str:
    """A line of the log about `find`'s result, or an empty text."""
    kinds: dict[str, list[str]] = {}
    for gene, kind in non_genes.items():
        kinds.setdefault(kind, []).append(gene)
    listed = "; ".join(
        f"{len(names)} {kind} ({', '.join(names[:3])}{' ...' if len(names) > 3 else ''})"
        for kind, names in kinds.items()
    )
    what = "kept as genes" if policy == "keep" else "left out of the cohort, not of counts/matrix.tsv.gz"
    return f"rows that are no genes: {listed}: {what} (expression.spike_ins: {policy})" if listed else ""
