"""Sentences of the report, the methods paragraph and the model card on a permutation test: its p, within batches where batch and
label go together, its statistic, its grid, and what was not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping


def p_value(test: Mapping[str, Any]) -> str:
    """The p of a permutation test, marked if it is the smallest that so few permutations can give."""
    least = (
        f" (the smallest p that {test['n']} permutations can give)"
        if test["p"] <= 1 / (test["n"] + 1) + 1e-12
        else ""
    )
    return f"{test['p']:.4f}{least}"


def leads_within(test: Mapping[str, Any]) -> bool:
    """Whether the p to quote is the one within batches: batch and label go together, and there is such a p."""
    within = test.get("within_batches") or {}
    return "p" in within and bool(within.get("associated"))


def sentence(test: Mapping[str, Any]) -> str:
    """Score, what shuffles gave and p, the one within batches first where batch and label go together."""
    score = f"{words(test.get('metric', 'auroc'))} {test['statistic']:.3f}; "
    cohort = (
        f"{test['n']} runs with shuffled labels, tuning repeated in each{_spread(test)}; p = {p_value(test)}"
    )
    within = test.get("within_batches")
    if not within:
        return f"{score}{cohort}."
    if "p" not in within:
        return f"{score}{cohort}. {within['note'][0].upper()}{within['note'][1:]}."
    beyond = f"{within['n']} runs with labels shuffled within batches{_spread(within)}; p = {p_value(within)}"
    if not leads_within(test):
        return f"{score}{cohort}. {beyond}."
    return (
        f"{score}{beyond}. Over the whole cohort: {cohort}. {_why(within)} The first p tests whether expression predicts"
        " beyond the batch; quote that one."
    )


def _spread(test: Mapping[str, Any]) -> str:
    return f", gave {test['mean']:.3f} ± {test['sd']:.3f}" if "mean" in test else ""


def _why(within: Mapping[str, Any]) -> str:
    return (
        f"Batch and label go together (Cramer's V {within['cramers_v']:.2f}), so that differences between batches alone make the p over"
        " the cohort small."
    )


def quoted(test: Mapping[str, Any]) -> str:
    """The p values as a methods section has them."""
    within = test.get("within_batches") or {}
    if "p" not in within:
        return f"p = {p_value(test)} ({test['n']} permutations of the labels over the cohort)"
    both = [
        f"p = {p_value(within)} ({within['n']} permutations of the labels within batches)",
        f"p = {p_value(test)} ({test['n']} over the cohort)",
    ]
    if not leads_within(test):
        return f"{both[1].replace('over', 'permutations of the labels over')}, {both[0]}"
    return f"{both[0]}, {both[1]}. {_why(within).removesuffix('.')}"


def explained(test: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """The statistic of p, the candidates it was tuned over, what was repeated and what was held fixed, in sentences."""
    metric = words(test.get("metric", "auroc"))
    value = f" ({test['statistic']:.3f})" if "statistic" in test else ""
    sentences = [f"The statistic of this p is the {metric} within folds, averaged over folds{value}."]
    if test.get("metric", "auroc") != "spearman":
        sentences.append("In that average a fold counts by its pairs of samples that can be compared.")
    tried, own = test.get("candidates"), test.get("candidates_in_training")
    if tried and own and tried != own:
        sentences.append(
            f"For the true labels and for the permuted ones alike, models were tuned over {tried} candidates instead of the {own} of"
            f" training, so this {metric} may differ from that of the model."
        )
    selected = (manifest.get("features") or {}).get("selection", "none") != "none"
    again = ["scaling", *["feature selection"] * selected, "tuning", "fit"]
    sentences.append(
        f"Repeated for every permutation: {', '.join(again)}. Held fixed, as they were on the training samples of each fold:"
        f" {', '.join(_fixed(manifest))}."
    )
    if manifest.get("batch_correction", "none") != "none" and _protects(manifest):
        sentences.append(
            "The batch correction protects the true labels (expression.protect_target), which permutations cannot undo: p may be too small."
        )
    return " ".join(sentences)


def _fixed(manifest: Mapping[str, Any]) -> list[str]:
    """Steps that permute.py does not repeat, but takes as they were fitted for the folds."""
    corrected = manifest.get("batch_correction", "none") != "none"
    made = any(name.startswith("features.") for name in manifest.get("files", {}))
    return [
        "the folds",
        "gene filter",
        "normalization",
        *["batch correction"] * corrected,
        *["imputation of covariates"] * bool(manifest.get("covariates")),
        *["gene-set scores"] * (made and not manifest.get("covariates")),
    ]


def _protects(manifest: Mapping[str, Any]) -> bool:
    return bool((manifest.get("expression") or {}).get("protect_target"))
