"""Quality metrics of one sample, computed from the tools' reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RIBOSOMAL = {"rRNA", "Mt_rRNA", "rRNA_pseudogene"}  # gene biotypes of Ensembl, GENCODE and NCBI


def three_prime_bias(rseqc: str | Path) -> float | None:
    """Mean coverage of the last fifth of transcripts over that of the first (RSeQC geneBody_coverage); 1 is even.

    rseqc : path of RSeQC's tables, that of coverage first where anything was covered
    """
    lines = Path(rseqc).read_text().splitlines()
    if len(lines) < 2 or not lines[0].startswith("Percentile"):
        return None
    coverage = [float(value) for value in lines[1].split("\t")[1:]]
    fifth = len(coverage) // 5
    first, last = sum(coverage[:fifth]), sum(coverage[-fifth:])
    return round(last / first, 2) if first and last else None


def rrna_pct(genes: Iterable[Mapping[str, str]], counts: Mapping[str, int]) -> float | None:
    """Share of the counted fragments that lie in ribosomal RNA genes, percent; None without such genes.

    Several places share most of these reads, and those are not counted: a library can hold more.
    """
    ribosomal = [row["gene_id"] for row in genes if row["biotype"] in RIBOSOMAL]
    whole = sum(counts.values())
    if not ribosomal or not whole:
        return None
    return round(100 * sum(counts[gene] for gene in ribosomal) / whole, 2)
