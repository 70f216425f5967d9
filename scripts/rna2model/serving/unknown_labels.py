"""Labels of an external validation that the model never saw: a typo, another spelling, another word, or another class.

No prediction of such a sample can be right or wrong, and one of them would be a class of its own in every metric (one typo
among 40 samples: AUROC .83 instead of 1.00). They keep their prediction, take no part in any metric, and are named. None is
renamed: what a label means is the sheet's to say.
"""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PROBABILITY = "prob_"
SIMILAR = 0.75  # share of two words that agrees; "control" and "contrl" have 0.92, "case" and "csae" 0.75
SYNONYMS = (  # what cohorts call the same thing
    {"case", "cases", "patient", "disease", "diseased", "affected", "sick"},
    {"control", "controls", "ctrl", "ctl", "healthy", "normal", "unaffected"},
    {"tumor", "tumour", "cancer", "malignant", "carcinoma", "t"},
    {"normal", "healthy", "adjacent", "nontumor", "nontumour", "benign", "n"},
    {"female", "f", "woman", "women", "xx"},
    {"male", "m", "man", "men", "xy"},
    {"yes", "y", "true", "1", "positive", "pos", "responder", "r"},
    {"no", "n", "false", "0", "negative", "neg", "nonresponder", "nr"},
    {"treated", "treatment", "trt"},
    {"untreated", "vehicle", "mock", "control"},
    {"wildtype", "wt"},
    {"mutant", "mut", "mutated"},
    {"knockout", "ko"},
)


def of(table: pd.DataFrame) -> dict[str, str]:
    """{sample: label} of the rows of a table of scored predictions whose truth is none of the model's classes; empty for
    other tasks."""
    known = classes(table)
    if not known:
        return {}
    strange = ~table["truth"].astype(str).isin(known)
    return dict(zip(table.loc[strange, "sample"], table.loc[strange, "truth"].astype(str), strict=True))


def classes(table: pd.DataFrame) -> list[str]:
    """Class names that a table of predictions has probabilities for."""
    return [name.removeprefix(PROBABILITY) for name in table if name.startswith(PROBABILITY)]


def reason(label: str, known: Sequence[str]) -> str:
    """Flag of a sample with this label, which is not scored."""
    hint = suggestion(label, known)
    return f"label {label!r} is none of the model's classes ({', '.join(map(repr, known))}): not scored{hint}"


def suggestion(label: str, known: Sequence[str]) -> str:
    """ "; did you mean 'case'?" if one class is clearly the likeliest, else an empty text."""
    for fits in (_same_letters, _same_meaning, _similar):
        near = [name for name in known if fits(label, name)]
        if len(near) == 1:
            return f"; did you mean {near[0]!r}?"
    return ""


def _plain(label):
    return "".join(letter for letter in str(label).casefold() if letter.isalnum())


def _same_letters(label, name):
    try:
        return float(label) == float(name)
    except ValueError:
        return _plain(label) == _plain(name) != ""


def _same_meaning(label, name):
    return any({_plain(label), _plain(name)} <= words for words in SYNONYMS)


def _similar(label, name):
    one, other = _plain(label), _plain(name)
    if len(one) < 4 or one.isdigit() or other.isdigit():  # 0 and 1 are no typo
        return False
    if [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]:  # nor are stage1 and stage2
        return False
    return sorted(one) == sorted(other) or difflib.SequenceMatcher(None, one, other).ratio() >= SIMILAR


def set_aside(table: pd.DataFrame) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """(`table` with a flag for each sample whose label the model never saw, (n,) bool which rows can be scored).

    InputProblem where none can.
    """
    strangers, known = of(table), classes(table)
    scored = ~table["sample"].isin(strangers).to_numpy()
    if strangers and not scored.any():
        raise InputProblem(nothing_left(Counter(strangers.values()), known))
    if strangers and "flags" in table:
        more = [reason(strangers[name], known) if name in strangers else "" for name in table["sample"]]
        both = zip(table["flags"].fillna("").astype(str), more, strict=True)
        table = table.assign(flags=["; ".join(filter(None, pair)) for pair in both])
    return table, scored


def nothing_left(counted: Mapping[str, int], known: Sequence[str]) -> str:
    """Message for a sheet without any label ({label: samples}) that is one of the model's classes."""
    labels = ", ".join(
        f"{label!r} ({n} sample{'s' if n > 1 else ''}{suggestion(label, known)})"
        for label, n in sorted(counted.items())
    )
    return (
        f"no labelled sample can validate the bundle: its classes are {', '.join(map(repr, known))}, the labels of the sheet"
        f" {labels}; write them as the bundle does, or empty these cells to have the samples predicted only"
    )


def held_out_problems(
    path: str | Path, held: Iterable[Any], trained: Iterable[Any], config: Mapping[str, Any]
) -> list[str]:
    """Problems of a fixed hold-out: a line for each class that no training sample of the sheet has."""
    design, column = config["design"], config["evaluation"]["holdout"]
    if design["task"] != "classification":
        return []
    known = sorted({sample.metadata[design["target"]] for sample in trained})
    strange = Counter(sample.metadata[design["target"]] for sample in held)
    return [
        f"{path}, column {design['target']}: {label!r} is the label of {n} sample{'s' if n > 1 else ''} of the hold-out (column"
        f" {column}) and of no training sample, so that no model can predict it{suggestion(label, known)}; correct the label,"
        " or fill `exclude`"
        for label, n in sorted(strange.items())
        if known and label not in known
    ]


def summary(strangers: Mapping[str, str], known: Sequence[str]) -> str:
    """Sentence about the samples ({sample: label}) that are not scored; empty without any."""
    if not strangers:
        return ""
    counted = Counter(strangers.values())
    labels = ", ".join(f"{n} {label!r}{suggestion(label, known)}" for label, n in sorted(counted.items()))
    return (
        f"{len(strangers)} labelled sample{'s have' if len(strangers) > 1 else ' has'} a label that the model never saw"
        f" and take{'' if len(strangers) > 1 else 's'} no part in any score: {labels}."
    )


def problems(
    path: str | Path,
    samples: Mapping[str, Any],
    names: Sequence[str],
    config: Mapping[str, Any],
    made: Mapping[str, Any],
) -> list[str]:
    """Problems (list of str) of a sheet in which no sample of `names`, which the bundle never saw, has one of its classes."""
    column, known = config["design"]["target"], list(made.get("classes") or {})
    if config["design"]["task"] != "classification" or not known or not names:
        return []
    counted = Counter(samples[name].metadata[column] for name in names)
    return [] if set(counted) & set(known) else [f"{path}, column {column}: {nothing_left(counted, known)}"]
