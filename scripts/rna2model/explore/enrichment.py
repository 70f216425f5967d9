"""Gene sets among the differential genes (preranked GSEA, by gseapy), for people to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.core import gene_ids

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sized

    import pandas as pd

SMALLEST, LARGEST = 5, 1000  # genes of a set that are in the ranking
PERMUTATIONS, SEED = 1000, 1
COLUMNS = ["contrast", "gene_set", "genes", "matched", "es", "nes", "p", "fdr", "leading_edge"]


def test(
    differential: pd.DataFrame, sets: Mapping[str, Collection[str]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(DataFrame of COLUMNS, details) of the differential table (differential.COLUMNS) against {set: genes}.

    Genes are ranked by the Wald statistic; the enrichment score, its normalisation and p are of Subramanian et al. 2005, with
    sets drawn at random from the ranked genes. details: `matched_by` (gene_id or symbol, whichever finds more of
    the sets' genes) and `matched_pct`, the share of the sets' genes that were ranked.
    """
    import gseapy
    import pandas as pd

    sets = {name: list(dict.fromkeys(gene_ids.plain(genes))) for name, genes in sets.items()}
    differential = differential.assign(gene_id=gene_ids.plain(list(differential["gene_id"])))
    wanted = {gene for genes in sets.values() for gene in genes}
    ranked = differential[differential["stat"].notna()]
    matches = {column: len(wanted & set(ranked[column])) for column in ("gene_id", "symbol")}
    by = max(matches, key=matches.__getitem__)
    details = {"matched_by": by, "matched_pct": round(100 * matches[by] / len(wanted), 2)}
    parts = [pd.DataFrame(columns=COLUMNS)]
    for contrast, part in ranked.groupby("contrast", sort=False):
        part = part[part[by].fillna("") != ""].sort_values("base_mean", ascending=False, kind="stable")
        ranking = part.drop_duplicates(by).set_index(by)["stat"]  # of genes of one symbol the most expressed
        present = set(ranking.index)
        usable = {name: [g for g in genes if g in present] for name, genes in sets.items()}
        usable = {n: genes for n, genes in usable.items() if SMALLEST <= len(genes) <= LARGEST}
        if not usable or len(ranking) <= SMALLEST:
            continue
        result = gseapy.prerank(
            rnk=ranking.sort_values(ascending=False, kind="stable"),
            gene_sets=usable,
            min_size=SMALLEST,
            max_size=LARGEST,
            permutation_num=PERMUTATIONS,
            seed=SEED,
            threads=1,
            outdir=None,
            no_plot=True,
        ).res2d
        parts.append(_tidy(result, contrast, sets, usable))
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True), details


def why_empty(differential: pd.DataFrame, sets: Sized, details: Mapping[str, Any]) -> str:
    """Message on why `test` had no gene set to test."""
    if not len(differential):
        return "no gene sets: there is no differential expression to rank genes by"
    return (
        f"no gene set has {SMALLEST} to {LARGEST} of the tested genes ({details['matched_pct']} % of the genes of"
        f" {len(sets)} sets were found, by {details['matched_by']}); sets must name genes as the annotation does, by id or"
        " symbol"
    )


def _tidy(result, contrast, sets, usable):
    import pandas as pd

    names = result["Term"].astype(str)
    numbers = {
        ours: pd.to_numeric(result[theirs]).to_numpy()
        for ours, theirs in (("es", "ES"), ("nes", "NES"), ("p", "NOM p-val"), ("fdr", "FDR q-val"))
    }
    frame = pd.DataFrame(
        {
            "contrast": contrast,
            "gene_set": names.to_numpy(),
            "genes": [len(sets[name]) for name in names],
            "matched": [len(usable[name]) for name in names],
            **numbers,
            "leading_edge": result["Lead_genes"].astype(str).str.replace(";", ",").to_numpy(),
        }
    )
    return frame.sort_values(["fdr", "gene_set"], kind="stable")[COLUMNS]
