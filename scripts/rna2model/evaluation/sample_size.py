"""Sample size: the criteria of Riley et al. for prediction models by regression without a penalty.

Numbers: Stat Med 2019;38:1262. Two classes and survival: Stat Med 2019;38:1276; BMJ 2020;368:m441. Of more than two classes the
rarest against the rest. They ask for the candidates that a model could choose from, before any selection that looked at labels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHRINKAGE, OPTIMISM, MARGIN, Z = 0.9, 0.05, 0.05, 1.959963984540054
USUAL = 0.15  # of the largest R2 that is possible: Riley et al.'s default without prior studies
BY_PARAMETER = (
    "shrinkage of at most 10 %",
    "optimism of R2 at most 0.05",
)  # criteria that each parameter makes harder
COLUMNS = ["candidates", "parameters", "n", "events", "events_per_parameter", "r2", "r2_from"]
COLUMNS += ["criterion", "minimum_n", "met", "most_parameters"]


def binary(parameters: int, share: float, r2: float) -> dict[str, float]:
    """{criterion: smallest n} for `share` of cases and an anticipated Cox-Snell R2."""
    sizes = _likelihood(parameters, r2, largest_r2(share))
    return sizes | {"overall risk within 0.05": (Z / MARGIN) ** 2 * share * (1 - share)}


def survival(parameters: int, share: float, r2: float, rate: float, at: float) -> dict[str, float]:
    """The same for `share` of samples with an event, `rate` events per sample and time, and the risk at the time `at`."""
    sizes = _likelihood(parameters, r2, largest_r2_of_survival(share))
    away = math.log1p(MARGIN * math.exp(rate * at)) / at
    return sizes | {"overall risk within 0.05": rate * (Z / away) ** 2 / (share / rate)}


def numbers(parameters: int, r2: float, mean: float, sd: float) -> dict[str, float]:
    """The same for a number with this mean and sd, and an anticipated (adjusted) R2."""
    from scipy.stats import t

    def shrinkage(n):
        inner = (r2 * (n - parameters - 1) + parameters) / (n - 1)
        return 1 + (parameters - 2) / (n * math.log(1 - inner)) if inner < 1 else 0

    def intercept(n):
        left = n - parameters - 1
        return 0.1 - t.ppf(0.975, left) * sd * math.sqrt((1 - r2) / n) / abs(mean)

    sizes = {
        BY_PARAMETER[0]: _least(lambda n: shrinkage(n) - SHRINKAGE, parameters + 2),
        BY_PARAMETER[1]: 1 + parameters * (1 - r2) / OPTIMISM,
        "residual sd within 10 %": 234 + parameters,
    }
    if abs(mean) > sd / 10:  # a target around 0 has no relative margin
        sizes["mean within 10 %"] = _least(intercept, parameters + 2)
    return sizes


def largest_r2(share: float) -> float:
    """Largest Cox-Snell R2 that any model can reach for `share` of cases."""
    return 1 - math.exp(2 * (share * math.log(share) + (1 - share) * math.log(1 - share)))


def largest_r2_of_survival(share: float) -> float:
    """The same for `share` of samples with an event."""
    return 1 - math.exp(2 * share * (math.log(share) - 1))


def _likelihood(parameters, r2, most):
    by_optimism = r2 / (r2 + OPTIMISM * most)
    return {
        BY_PARAMETER[0]: parameters / ((SHRINKAGE - 1) * math.log(1 - r2 / SHRINKAGE)),
        BY_PARAMETER[1]: parameters / ((by_optimism - 1) * math.log(1 - r2 / by_optimism)),
    }


def _least(function, start):
    """Smallest whole number from `start` on where a rising function is at least 0."""
    high = start
    while function(high) < 0:
        high *= 2
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if function(middle) >= 0 else (middle + 1, high)
    return low


def table(
    y: NDArray[Any],
    task: str,
    candidates: Mapping[str, int],
    groups: Sequence[str] | NDArray[Any] | None = None,
    r2_reached: float | None = None,
    at: float | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS for what is predicted, y (n,), and candidates {what they are: number of parameters}.

    Donors count once: n is the number of groups, events those with a case (an event) among them. r2 is anticipated as USUAL, and
    where it is above 0 as r2_reached, that of out-of-fold predictions. most_parameters: what n would carry by the criterion
    (empty where it does not depend on them). at : survival, the time of the risk
    """
    facts = _facts(y, task, groups, at)
    share, n = facts.get("share"), facts["n"]
    most = 1.0 if share is None else facts["largest_r2"]
    assumed = [(USUAL * most, f"{USUAL:.0%} of the largest possible")]
    if r2_reached is not None and 0 < r2_reached < 0.9 * min(most, 1.0):
        assumed.append((r2_reached, "out-of-fold predictions"))
    rows = []
    for name, parameters in candidates.items():
        for r2, source in assumed:
            for criterion, least in facts["criteria"](parameters, r2).items():
                least = math.ceil(least - 1e-9)
                carries = _most_parameters(lambda k, r=r2: facts["criteria"](k, r), criterion, n, parameters)
                per = facts["events"] / parameters if facts["events"] is not None else None
                start = [name, parameters, n, facts["events"], per, round(r2, 4), source]
                rows.append([*start, criterion, least, "yes" if n >= least else "no", carries])
    return pd.DataFrame(rows, columns=COLUMNS)


def _facts(y, task, groups, at):
    units = np.asarray(groups if groups is not None else np.arange(len(y)))
    n = len(np.unique(units))
    if task == "regression":
        y = y.astype(float)
        return {"n": n, "events": None, "criteria": lambda p, r2: numbers(p, r2, y.mean(), y.std(ddof=1))}
    if task == "survival":
        event, time = y["event"].astype(bool), y["time"].astype(float)
        share, rate = float(event.mean()), float(event.sum() / time.sum())
        at = float(np.median(time[event])) if at is None else at
        made = {"criteria": lambda p, r2: survival(p, share, r2, rate, at)}
        made["largest_r2"] = largest_r2_of_survival(share)
    else:
        names, counts = np.unique(y, return_counts=True)
        event = y == names[counts.argmin()]
        share = float(event.mean())
        made = {"criteria": lambda p, r2: binary(p, share, r2), "largest_r2": largest_r2(share)}
    return made | {"n": n, "share": share, "events": len(np.unique(units[event]))}


def _most_parameters(criteria, criterion, n, parameters):
    """Largest number of parameters for which n is enough; None for a criterion of precision, which hardly depends on it."""
    if criterion not in BY_PARAMETER:
        return None
    low, high = 0, max(parameters, n)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if criteria(middle)[criterion] <= n else (low, middle - 1)
    return low


def reached(scores: Mapping[str, Any], y: NDArray[Any], task: str) -> float | None:
    """R2 (Cox-Snell of two classes) of out-of-fold predictions by their metrics; None where there is none."""
    if task == "regression":
        return scores.get("r2", {}).get("estimate")
    classes: Any
    counts: Any
    classes, counts = np.unique(y, return_counts=True) if task == "classification" else ((), ())
    loss = scores.get("log_loss", {}).get("estimate")
    if len(classes) != 2 or loss is None:
        return None
    share = counts / counts.sum()
    return float(1 - np.exp(-2 * (-(share * np.log(share)).sum() - loss)))


def sentences(adequacy: pd.DataFrame) -> list[str]:
    """Sentences about the table `adequacy` for report and checklist, one for each kind of candidate parameters."""
    lines = []
    for name, part in adequacy.groupby("candidates", sort=False):
        row, usual = part.iloc[0], part[part["r2_from"] == part["r2_from"].iloc[0]]
        least = int(usual["minimum_n"].max())
        per = (
            ""
            if pd.isna(row["events"])
            else f" ({int(row['events'])} events, {row['events_per_parameter']:.2g} per candidate)"
        )
        asking = usual.loc[usual["minimum_n"].idxmax(), "criterion"]
        many = "parameter" if row["parameters"] == 1 else "parameters"
        sentence = (
            f"{name[0].upper()}{name[1:]}: {int(row['parameters']):,} candidate {many}, {int(row['n'])} independent"
            f" samples{per}; a regression without penalty would need {least:,} (Riley et al.: {asking}; R² {row['r2']:.2g}, {row['r2_from']})."
        )
        carries = usual["most_parameters"].dropna()
        if least > row["n"] and len(carries):
            sentence += (
                f" With this many samples the criteria allow {int(carries.min())} candidate parameters."
            )
        if row["parameters"] > row["n"]:
            sentence += (
                " With more candidates than samples no cohort of this kind meets the criteria: the penalty, inner tuning and"
                " out-of-fold scores stand in for them, and do not replace a larger cohort."
            )
        lines.append(sentence)
    return lines
