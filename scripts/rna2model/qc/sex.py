"""Compare the sex that a sample's genes show with the sheet, to detect swapped samples.

XIST is expressed from an inactive X chromosome, the others lie on Y (human and mouse symbols, human Ensembl ids).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

FEMALE = {"XIST", "ENSG00000229807"}
MALE = {"RPS4Y1", "DDX3Y", "UTY", "KDM5D", "EIF1AY", "EIF2S3Y"}
MALE |= {"ENSG00000129824", "ENSG00000067048", "ENSG00000183878", "ENSG00000012817", "ENSG00000198692"}
COLUMNS = ("sex", "gender")
WORDS = {"female": "female", "f": "female", "woman": "female", "xx": "female"}
WORDS |= {"male": "male", "m": "male", "man": "male", "xy": "male"}
ENOUGH = 20  # reads of these genes, below which nothing is concluded
CLEAR = 0.9  # share of one kind


def kinds(genes: Iterable[str], symbols: Iterable[Any]) -> dict[str, str]:
    """{gene: female or male} for the sex-specific genes; empty unless both kinds are present."""
    kind_of_gene = {}
    for gene, symbol in zip(genes, symbols, strict=True):
        names = {gene.split(".")[0].upper(), str(symbol).upper()}
        if names & FEMALE:
            kind_of_gene[gene] = "female"
        elif names & MALE:
            kind_of_gene[gene] = "male"
    return kind_of_gene if len(set(kind_of_gene.values())) == 2 else {}


def judge(kinds: Mapping[str, str], counts: Mapping[str, float]) -> str:
    """female, male or unclear, of {gene: count}; empty where the annotation has no such genes."""
    if not kinds:
        return ""
    totals: dict[str, float] = {"female": 0, "male": 0}
    for gene, kind in kinds.items():
        totals[kind] += counts.get(gene, 0)
    whole = sum(totals.values())
    best = max(totals, key=totals.__getitem__)
    return best if whole >= ENOUGH and totals[best] >= CLEAR * whole else "unclear"


def of_matrix(
    kinds: Mapping[str, str], counts: NDArray[Any], genes: Iterable[str], samples: Iterable[str]
) -> dict[str, str]:
    """{sample: judgement} of a matrix (n_samples, n_genes)."""
    columns = {gene: place for place, gene in enumerate(genes) if gene in kinds}
    return {
        name: judge(kinds, {gene: row[place] for gene, place in columns.items()})
        for name, row in zip(samples, counts, strict=True)
    }


def contradiction(seen: str, metadata: Mapping[str, Any]) -> str:
    """A flag if the sheet's sex (or gender) column contradicts the genes, else an empty text."""
    for column, cell in metadata.items():
        stated = WORDS.get(str(cell).strip().lower())
        if column.lower() in COLUMNS and stated and seen in ("female", "male") and stated != seen:
            return f"{column} is {cell} in the sheet, but the genes look {seen}"
    return ""
