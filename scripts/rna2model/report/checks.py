"""What a reader must know before any number: where samples went, what was checked, what is doubtful."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import duplicates, outcome
from rna2model.evaluation.classification import TRANSPORTED, leading
from rna2model.expression.batch import registry
from rna2model.qc import gate
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

SMALL = 75  # test samples, below which a score is too uncertain to be quoted alone (TRIPOD+AI discussions)
CONFOUNDED = 0.3  # Cramer's V of batch and target
ROUNDING = 1e-15  # smaller values are shown as zero
CHANCE_BAND = (
    0.1  # how far from chance the mean of shuffled labels may lie (AUROC, concordance; 0 for correlations)
)


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table cell; an en dash for none, and a power of ten where it would read as zero (a target of small unit)."""
    if value is None or value != value:
        return "–"
    small = ROUNDING < abs(value) < 0.5 * 10**-digits
    return f"{value:.2g}" if small else f"{value:.{digits}f}"


def flow(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """How many samples went where."""
    samples = run["samples"]
    included = samples[samples["status"] == "included"]
    labelled = set(run["predictions"][run["shipped"]]["sample"])
    excluded = samples[samples["status"] == "excluded"]
    return {
        "sheet": len(samples),
        "excluded": len(excluded),
        "reasons": Counter(short(reason) for reason in excluded["reason"]),
        "included": len(included),
        "labelled": len(labelled),
        "new": len(included) - len(set(included["sample"]) & labelled),
        "classes": dict(zip(*np.unique(_labels(run, config)[0], return_counts=True), strict=True))
        if config["design"]["task"] != "regression"
        else {},
    }


def confounding(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cramer's V of batch and target over the labelled samples, or None without a batch column."""
    if not config["design"]["batch"]:
        return None
    labels, used = _labels(run, config)
    if used.empty:  # a frozen bundle's new sheet
        return None
    return registry.confounding(used[gate.column_name(config["design"]["batch"])], labels)


def _labels(run: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[NDArray[Any], pd.DataFrame]:
    """((n,) class of each labelled sample or its substitute, their rows of samples.tsv)."""
    used = run["samples"][run["samples"]["sample"].isin(run["predictions"][run["shipped"]]["sample"])]
    cells = {name: used[gate.column_name(name)].tolist() for name in outcome.columns(config["design"])}
    return outcome.labels(config["design"], cells), used


def warnings(run: Mapping[str, Any], task: str) -> Iterator[str]:
    """What a reader must know before any number, worst first; samples come after, in one line for each reason."""
    shipped, chance = run["metrics"][run["shipped"]], run["metrics"]["dummy"]
    main = leading(task, shipped)
    score, floor = shipped.get(main, {}), chance.get(main, {})
    if score.get("lower") is not None and score["lower"] <= max(floor.get("estimate") or 0, 0):
        yield (
            f"The shipped model ({run['shipped']}) is not clearly better than a model without genes: its interval"
            f" ({number(score['lower'])} to {number(score['upper'])}) reaches dummy's {words(main)}"
            f" ({number(floor['estimate'])})."
        )
    yield from (f"{name}: {detail}" for name, verdict, detail in checks(run) if verdict == "failed")
    if run["confounding"] and run["confounding"]["cramers_v"] > CONFOUNDED:
        yield (
            f"Batch and target are confounded (Cramer's V {run['confounding']['cramers_v']:.2f}): part of any score"
            " may be the batch. Look at leave-one-batch-out."
        )
    if doubtful := _doubtful(run):
        more = f" So may {len(doubtful) - 1} more pairs: splits/one_library.tsv." if len(doubtful) > 1 else ""
        yield f"S{duplicates.doubt(*doubtful[0])[1:]}{more}"
    if run["flow"]["labelled"] < SMALL:
        yield f"{run['flow']['labelled']} test samples: below about {SMALL}, no score is precise; quote the intervals."
    yield from _perfect(run)
    yield from of_samples(run)


def _perfect(run: Mapping[str, Any]) -> Iterator[str]:
    """If every prediction is right, bootstrap intervals have no width; state the error rate that n samples cannot exclude."""
    table = run["predictions"][run["shipped"]]
    if run["task"] != "classification" or (table["truth"] != table["predicted"]).any():
        return
    group = run["group_of"]
    n = len({group.get(name) or name for name in table["sample"]})
    yield (
        f"Every out-of-fold prediction is right, so the intervals have no width. With {n} of {n}"
        f" {'groups' if group else 'samples'} right, an error rate of up to {1 - 0.05 ** (1 / n):.0%} cannot be ruled out"
        " (upper 95 % limit)."
    )


def of_samples(run: Mapping[str, Any]) -> Iterator[str]:
    """Excluded and flagged samples, one sentence for all that share a reason."""
    kinds: dict[str, list[str]] = {}
    for row in run["samples"].itertuples():
        if row.status == "excluded":
            kinds.setdefault(f"excluded: {row.reason}", []).append(row.sample)
        elif getattr(row, "flags", ""):
            kinds.setdefault(row.flags, []).append(row.sample)
    too_few = None
    if run["outliers"] is not None:
        for row in run["outliers"].itertuples():
            if row.verdict.startswith("too few"):
                too_few = row.verdict
            elif row.verdict != "like the others":
                kinds.setdefault(f"unlike the other samples ({row.verdict})", []).append(row.sample)
    for reason, names in kinds.items():
        verb = " was " if reason.startswith("excluded") else ": "
        who = names[0] if len(names) == 1 else f"{len(names)} samples ({few(names)})"
        yield f"{who}{verb if len(names) == 1 else verb.replace('was', 'were')}{reason}."
    if too_few:
        yield f"{too_few.replace('to say', 'to look for outliers').capitalize()}."


def short(reason: str) -> str:
    """The first of the reasons for which a sample was excluded, without its numbers."""
    return re.split("[:;]", reason)[0]


def few(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def checks(run: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """[(what was checked, passed | look | failed | not run, what was found)] of the checks for leakage and confounding."""
    return [
        *_folds(run),
        _duplicates(run),
        _shuffled(run),
        _batch_alone(run),
        _held_out_batches(run),
    ]


def _folds(run: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Check splits/manifest.tsv: no sample, and no group, is in both training and test of a split."""
    folds = run["folds"]
    if folds is None:
        yield "Training and test samples are apart", "not run", "splits/manifest.tsv is not there"
        return
    shared = divided = pairs = 0
    group = run["group_of"]
    for _, part in folds.groupby(["repeat", "fold"]):
        sides = [part.loc[part["role"] == role, "sample"] for role in ("train", "test")]
        train, test = (set(side) for side in sides)
        pairs, shared = pairs + 1, shared + len(train & test)
        if group:
            divided += len(
                {group.get(name, name) for name in train} & {group.get(name, name) for name in test}
            )
    detail = f"{shared} samples on both sides of {pairs} splits"
    yield "Training and test samples are apart", "failed" if shared else "passed", detail
    if group:
        detail = f"{divided} groups on both sides of {pairs} splits"
        yield "Groups are never divided", "failed" if divided else "passed", detail
    else:
        yield (
            "Groups are never divided",
            "look",
            "the design names no group: if samples share a donor, animal or culture, set design.group",
        )


def _duplicates(run: Mapping[str, Any]) -> tuple[str, str, str]:
    """Report pairs that may be duplicates; duplicates.check stops the run at certain ones before folds are assigned."""
    name = "No library stands under two names"
    if run["folds"] is None:
        return name, "not run", "splits/manifest.tsv is not there"
    if doubtful := _doubtful(run):
        return name, "look", f"{len(doubtful)} pairs of samples may be one library: splits/one_library.tsv"
    detail = (
        f"no two samples of different groups have the same counts, correlate by more than {duplicates.SAME}"
    )
    if run["unit"] not in duplicates.COUNTED:
        return name, "passed", f"{detail}; lanes of one library cannot be recognised in {run['unit']} values"
    return name, "passed", f"{detail} or differ by counting noise alone"


def _doubtful(run: Mapping[str, Any]) -> list[list[Any]]:
    """Pairs that may be one library: list of rows as duplicates.check returns them."""
    table = run.get("one_library")
    return [] if table is None else table[duplicates.COLUMNS].values.tolist()


def _shuffled(run: Mapping[str, Any]) -> tuple[str, str, str]:
    """Models of shuffled labels must score at chance level, neither better nor worse."""
    name = "Shuffled labels score as chance does"
    test = run["metrics"][run["shipped"]].get("permutation")
    if not test or "mean" not in test:
        why = ((run["permutations"] or {}).get(run["shipped"]) or {}).get("note")
        return name, "not run", why or "no permutation test of the shipped model (evaluation.permutations)"
    chance = 0.0 if test.get("metric") in ("spearman", "r2", "pearson") else 0.5
    near = abs(test["mean"] - chance) <= max(CHANCE_BAND, 3 * test["sd"] / np.sqrt(test["n"]))
    detail = f"mean {words(test.get('metric', 'auroc'))} {number(test['mean'])} of {test['n']} shuffles, chance is {chance:g}"
    return name, "passed" if near else "look", detail


def _batch_alone(run: Mapping[str, Any]) -> tuple[str, str, str]:
    name, design = "The batch alone hardly predicts the target", (run["diagnostics"] or {}).get("design")
    if not design:
        return name, "not run", "the design has no batch"
    auc = design.get("batch_only_auc")
    detail = (
        f"Cramer's V of batch and target {number(design['cramers_v'], 2)} (0 unrelated, 1 the same); a model that knows only the"
        f" batch has AUROC {number(auc, 2)}"
    )
    doubtful = design["cramers_v"] > CONFOUNDED or (auc or 0) > 0.65
    return name, "look" if doubtful else "passed", detail


def _held_out_batches(run: Mapping[str, Any]) -> tuple[str, str, str]:
    """Compare scores in batches that the model was not trained on with those of random folds."""
    name, metrics = "The score holds in batches never seen", run["metrics"][run["shipped"]]
    held = metrics.get("leave_one_batch_out") or {}
    pairs = {
        metric: (held[metric]["estimate"], metrics[metric]["estimate"])
        for metric in TRANSPORTED[run["task"]]
        if metric in held and metric in metrics
    }
    pairs = {metric: both for metric, both in pairs.items() if None not in both}
    if not pairs:
        return name, "not run", "evaluation.leave_one_batch_out is off, or there is no batch"
    detail = " and ".join(
        f"{words(metric)} {number(there)} there, {number(here)} on random folds"
        for metric, (there, here) in pairs.items()
    )
    trained = metrics.get("held_out_batches") or {}
    if shared := sum(split["shared"] for split in trained.values()):
        return name, "failed", f"{detail}; but {shared} groups were on both sides"
    if left_out := sum(split["left_out"] for split in trained.values()):
        detail += (
            f"; {left_out} times a sample did not train, since the batch that was held out has samples of its group"
            f" (trained on {min(split['trained'] for split in trained.values())} samples at least)"
        )
    return name, "look" if any(there < here - 0.1 for there, here in pairs.values()) else "passed", detail
