"""Salmon's transcripts summed up to genes, one sample alone.

tximport's lengthScaledTPM (Soneson et al. 2015) with one difference: a gene's length is the mean over its annotated
transcripts instead of a mean over the cohort's samples, so that a sample's counts never depend on other samples.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def read_owners(path: str | Path) -> dict[str, str]:
    """{transcript: gene} of reference/transcripts.tsv: name, gene, and the name of the transcript that it is a piece of."""
    with open(path) as file:
        return dict(line.rstrip("\n").split("\t")[:2] for line in file)


def read_quant(path: str | Path) -> list[tuple[str, float, float, float]]:
    """Rows (name, length, TPM, fragments) of quant.sf; none where Salmon could not quantify."""
    path = Path(path)
    if not path.is_file():
        return []
    with open(path, newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [(r["Name"], float(r["Length"]), float(r["TPM"]), float(r["NumReads"])) for r in rows]


def gene_counts(
    quant: Iterable[tuple[str, float, float, float]], owners: Mapping[str, str], genes: Iterable[str]
) -> dict[str, int]:
    """{gene: whole fragments} in the order of `genes`: TPM x length, scaled to the fragments that were mapped."""
    abundance: defaultdict[str, float] = defaultdict(float)
    lengths: defaultdict[str, list[float]] = defaultdict(list)
    total = 0.0
    for name, length, tpm, fragments in quant:
        abundance[owners[name]] += tpm
        lengths[owners[name]].append(length)
        total += fragments
    share = {gene: tpm * sum(lengths[gene]) / len(lengths[gene]) for gene, tpm in abundance.items()}
    whole = sum(share.values())
    return _rounded(
        {gene: total * share.get(gene, 0.0) / whole if whole else 0.0 for gene in genes}, round(total)
    )


def _rounded(values, total):
    """Whole numbers that add up to `total`: what is left after rounding down goes to the largest remainders."""
    floors = {gene: int(value) for gene, value in values.items()}
    by_remainder = sorted(values, key=lambda gene: (floors[gene] - values[gene], gene))
    for gene in by_remainder[: max(0, total - sum(floors.values()))]:
        floors[gene] += 1
    return floors


def report(folder: str | Path) -> dict[str, int]:
    """{processed, mapped, unmapped} fragments, and {sense, antisense} of the strands that Salmon saw."""
    aux, formats = Path(folder) / "aux_info" / "meta_info.json", Path(folder) / "lib_format_counts.json"
    meta = json.loads(aux.read_text()) if aux.is_file() else {}
    seen = json.loads(formats.read_text()) if formats.is_file() else {}
    processed, mapped = meta.get("num_processed", 0), meta.get("num_mapped", 0)
    return {
        "processed": processed,
        "mapped": mapped,
        "unmapped": processed - mapped,
        "sense": sum(seen.get(kind, 0) for kind in ("ISF", "OSF", "MSF", "SF")),
        "antisense": sum(seen.get(kind, 0) for kind in ("ISR", "OSR", "MSR", "SR")),
    }
