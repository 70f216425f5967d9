"""Why a library lost most of its fragments, to be added to the reason of an exclusion."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST = 0.5  # share of the fragments that one fate must have taken to be the cause


def of_loss(
    fates: Mapping[str, int],
    longest: Sequence[int] | None,
    min_length: int | None,
    reference: Mapping[str, Any],
) -> dict[str, str]:
    """{low metric: cause} of one sample.

    Keys are `nothing_left` (no fragment came through trimming), `mapped_pct` and `assigned_pct`; each is there only where one
    fate took most of the fragments. longest : bases of the longest read of each mate, or None; min_length :
    trimming.min_length, or None without trimming; reference : facts of the reference (reference.json)
    """
    causes, aligned = {}, sum(fates.values()) - fates["faulty"] - fates["trimmed"]
    if fates["trimmed"] and not aligned:
        causes["nothing_left"] = _all_trimmed(longest, min_length)
    kept = aligned - fates["rrna"]
    for fate, text in {
        "multimapped": "have several places in the genome",
        "no_feature": "lie outside the counted features of {gtf}",
        "ambiguous": "are ambiguous, in several genes of {gtf}",
        "low_mapq": "have a mapping quality below alignment.min_mapq",
        "duplicates": "are copies of a molecule",
    }.items():
        share = fates[fate] / max(kept, 1)
        if share > MOST:
            fate_text = text.format(gtf=Path(reference["gtf"]).name)
            causes["assigned_pct"] = f"{100 * share:.0f} % of the fragments {fate_text}"
            if fate == "ambiguous" and reference.get("gene_id_is_transcript_id"):
                causes["assigned_pct"] = (
                    f"{100 * share:.0f} % ambiguous: gene_id equals transcript_id in {Path(reference['gtf']).name}, so that"
                    " the transcripts of a gene overlap as genes of their own"
                )
    if fates["unmapped"] > MOST * max(kept, 1):
        causes["assigned_pct"] = f"{100 * fates['unmapped'] / kept:.0f} % of the fragments are unmapped"
    return causes


def _all_trimmed(longest, min_length):
    lengths = {f"R{mate}": most for mate, most in enumerate(longest or (), start=1)}
    short = [f"{mate} has {most} bases" for mate, most in lengths.items() if min_length and most < min_length]
    if short:
        return (
            f"all reads are shorter than trimming.min_length {min_length} ({', '.join(short)}); set it lower"
        )
    return (
        "trimming left no reads: without adapters, bad qualities and N nothing has the length of trimming.min_length"
        f" ({min_length})"
    )
