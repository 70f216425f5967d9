"""Whether tuning took a penalty at the end of its grid, at which end, and whether the inner folds held any signal at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STRONGEST = {
    "C": "lowest",
    "alpha": "highest",
    "alpha_over_largest": "highest",
}  # the end with the strongest penalty
LEAST_GAIN = (
    0.01  # of the loss of a model without genes, by which a model must beat it to have found a signal
)


def at_end(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """{parameter, value, end, penalty, signal} of a fitted model's settings, or None where the penalty lies inside the grid.

    end : lowest | highest of the candidates; penalty : strongest | weakest; signal : whether the chosen candidate beats a model
    without genes in the inner folds, None where the settings do not say.
    """
    tried = settings.get("candidates") or []
    name: Any = next((name for name in STRONGEST if tried and name in tried[0] and name in settings), None)
    values = sorted({one[name] for one in tried}) if name else []
    if len(values) < 2 or values[0] < settings[name] < values[-1]:
        return None
    end = "lowest" if settings[name] <= values[0] else "highest"
    chosen = [one for one in tried if np.isclose(one[name], settings[name], rtol=1e-9)]
    penalty = "strongest" if end == STRONGEST[name] else "weakest"
    place = {"parameter": name, "value": settings[name], "end": end, "penalty": penalty}
    return place | {"signal": _signal(settings, chosen)}


def _signal(settings, chosen):
    """Whether the best of the chosen candidates beats a model without genes; None where that is not known."""
    counts = list(settings.get("class_counts", {}).values())
    for measure, floor in (
        ("minus_log_loss", _entropy(counts, settings.get("class_weight"))),
        ("balanced_accuracy", 1 / len(counts) if counts else None),
        ("minus_mse", -(settings["target_sd"] ** 2) if "target_sd" in settings else None),
    ):
        if floor is not None and chosen and measure in chosen[0]:
            return bool(max(one[measure] for one in chosen) > floor + LEAST_GAIN * abs(floor))
    return None


def _entropy(counts, class_weight):
    """Minus the log loss of the class shares, or of equal shares where classes weigh the same."""
    if not counts:
        return None
    shares = (
        np.full(len(counts), 1 / len(counts))
        if class_weight == "balanced"
        else np.array(counts) / sum(counts)
    )
    return float((shares * np.log(shares)).sum())


def summary(final: Mapping[str, Any], folds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """{final: at_end, folds: n, strongest, weakest, no_signal: of how many folds} of settings of the final model and the folds'."""
    at_ends = [at_end(settings) for settings in folds]
    ends = [one["penalty"] for one in at_ends if one]
    counted = {"strongest": ends.count("strongest"), "weakest": ends.count("weakest")}
    counted["no_signal"] = sum(one is not None and _no_signal(one) for one in at_ends)
    return {"final": at_end(final), "folds": len(folds), **counted}


def _no_signal(end):
    return end["penalty"] == "strongest" and end["signal"] is False


def sentence(summary: Mapping[str, Any] | None) -> str:
    """What a summary means, in words; empty where the final penalty lies inside the grid."""
    if not summary or not (end := summary.get("final")):
        return ""
    chosen = f"Tuning chose the {end['penalty']} penalty of its grid ({end['parameter']} {end['value']:.2g}, the {end['end']})"
    folds = f", and so in {summary[end['penalty']]} of {summary['folds']} folds." if summary["folds"] else "."
    if _no_signal(end):
        return f"{chosen}: there was no signal in the inner folds, where nothing beat a model without genes by 1 % of its loss{folds}"
    other = "stronger" if end["penalty"] == "strongest" else "weaker"
    return f"{chosen}{folds.removesuffix('.')}; a {other} one might do as well or better (training.search widens the grid)."
