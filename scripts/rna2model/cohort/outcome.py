"""The outcome to predict: cells of the sheet as classes, numbers or survival times, and strata in place of classes for
the latter two."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import numerals
from rna2model.core.errors import InputProblem
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

EVENT = {"1", "1.0", "true", "yes", "event", "dead", "deceased", "died"}
CENSORED = {"0", "0.0", "false", "no", "censored", "alive", "living"}
SURVIVAL = np.dtype([("time", np.float64), ("event", np.bool_)])
MOST_PARTS = 10  # of the range of a numeric target, between which folds are balanced
PARTS = 4  # ... that stand for classes where a method asks for classes
TIMES: NDArray[Any] = np.arange(10, 95, 5)  # per cent of the event times: where survival curves are compared
LANDMARKS = (25, 50, 75)  # ... and where survival probabilities are shown


def columns(design: Mapping[str, Any]) -> list[str]:
    """The sheet's columns that hold what is predicted."""
    return [design["time"], design["event"]] if design["task"] == "survival" else [design["target"]]


def title(design: Mapping[str, Any]) -> str:
    """What is predicted, in words."""
    if design["task"] == "survival":
        return f"time to {design['event']} ({design['time']})"
    return design["target"]


def quantity(design: Mapping[str, Any]) -> str | None:
    """Name of the one number that a model predicts; None for classes."""
    return {"regression": design["target"], "survival": "risk"}.get(design["task"])


def is_known(metadata: Mapping[str, str], design: Mapping[str, Any]) -> bool:
    """Whether a sample with these cells ({column: text}) can train; one that cannot is a new sample."""
    return not any(is_missing(metadata[column]) for column in columns(design))


def known(design: Mapping[str, Any], obs: Mapping[str, Sequence[str]]) -> NDArray[np.bool_]:
    """(n,) bool of samples given as {column: list of cells}: `is_known`."""
    cells = [obs[column] for column in columns(design)]
    return np.array([not any(map(is_missing, row)) for row in zip(*cells, strict=True)], dtype=bool)


def labels(design: Mapping[str, Any], obs: Mapping[str, Any]) -> NDArray[np.str_]:
    """(n,) str: the class of each sample, or its stratum for numbers and survival; empty if the outcome is unknown."""
    rows = np.flatnonzero(known(design, obs))
    y = read(design, lambda column: [obs[column][row] for row in rows])
    labels_of_rows = np.full(len(next(iter(obs.values()))), "", dtype=object)
    labels_of_rows[rows] = classes(design["task"], y)
    return labels_of_rows.astype(str)


def class_order(labels: Iterable[Any], positive: str | None = None) -> list[str]:
    """The different labels in alphabetical order, but with the `positive` one last: AUPRC, threshold and signs refer
    to it."""
    names = sorted(set(map(str, labels)))
    return sorted(names, key=lambda name: name == positive)


def class_numbers(classes: Iterable[str], labels: Iterable[Any]) -> NDArray[np.int64]:
    """(n,) place of each label in `classes`, which hold all of them."""
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place[str(label)] for label in labels], dtype=int)


def positive_problems(path: str | Path, samples: Sequence[Any], design: Mapping[str, Any]) -> list[str]:
    """Problems of design.positive: one of two labels of the samples (sheet.Sample) that train."""
    positive, column = design.get("positive"), design["target"]
    counts = Counter(sample.metadata[column] for sample in samples)
    listed = ", ".join(f"{label!r} ({count})" for label, count in sorted(counts.items()))
    if positive is None or not samples or (str(positive) in counts and len(counts) == 2):
        return []
    if str(positive) not in counts:
        return [
            f"{path}, column {column}: no labelled sample is design.positive {str(positive)!r}; its labels are {listed}"
        ]
    return [
        f"{path}, column {column}: design.positive names one of two classes, here are {len(counts)}: {listed}; leave it out"
    ]


def read(design: Mapping[str, Any], column: Callable[[str], Any]) -> NDArray[Any]:
    """(n,) what is predicted of some samples; column: function from a column's name to their cells, a list of str.

    str classes; float64 numbers; or for survival a structured array of time (float64) and event (bool).
    """
    cells = [column(name) for name in columns(design)]
    if design["task"] == "classification":
        return np.asarray(cells[0]).astype(str)
    if design["task"] == "regression":
        return np.array([number(cell) for cell in cells[0]], dtype=float)
    return np.array([(number(time), event(cell)) for time, cell in zip(*cells, strict=True)], dtype=SURVIVAL)


def number(cell: str) -> float:
    """A cell as a finite float; InputProblem for any other text."""
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputProblem(f"{cell!r} is not a number")
    return value


def event(cell: str) -> bool:
    """Whether a cell says that the event happened; InputProblem for words that say neither."""
    word = cell.strip().lower().partition(":")[0]  # also "1:DECEASED"
    if word not in EVENT | CENSORED:
        raise InputProblem(
            f"{cell!r} says neither event ({', '.join(sorted(EVENT))}) nor censored ({', '.join(sorted(CENSORED))})"
        )
    return word in EVENT


def classes(task: str, y: NDArray[Any], parts: int = PARTS) -> NDArray[np.str_]:
    """(n,) str, classes to compare or balance: those of a classification, parts of equal size of a numeric target, event
    and censored of survival."""
    if task == "survival":
        return np.where(y["event"], "event", "censored")
    if task == "regression":
        edges: Any = np.unique(np.quantile(y, np.linspace(0, 1, parts + 1)))[1:-1] if len(y) else []
        return np.array([f"part {i + 1}" for i in np.searchsorted(edges, y, side="right")], dtype=str)
    return np.asarray(y).astype(str)


def strata(
    task: str, y: NDArray[Any], groups: NDArray[Any] | None, folds: int
) -> tuple[NDArray[np.str_], tuple[str, ...] | None]:
    """((n,) str classes that `folds` folds are balanced over, those which every fold needs or None for all).

    A numeric target is cut into as many parts as leave a group of each part for each fold.
    """
    n_groups = len(y) if groups is None else len(set(np.asarray(groups).tolist()))
    parts = max(1, min(MOST_PARTS, n_groups // folds))
    needed = {"classification": None, "regression": (), "survival": ("event",)}[task]
    return classes(task, y, parts), needed


def times(
    y: NDArray[Any], landmarks: Sequence[float] | None = None
) -> tuple[dict[str, float], dict[str, float]]:
    """({column: time} at which survival is shown, and {column: time} at which its curves are compared), by the event times.

    They only say when to look: shared by all splits, so that their predictions fit together.
    """
    if y.dtype != SURVIVAL or not y["event"].any():
        return {}, {}
    at = np.percentile(y["time"][y["event"]], TIMES)
    shown = landmarks or [at[list(TIMES).index(share)] for share in LANDMARKS]
    rounded = sorted({float(f"{time:.3g}") for time in shown})
    return {f"survival_{time:g}": time for time in rounded}, {
        f"curve_{time:.9g}": float(f"{time:.9g}") for time in sorted(set(at.tolist()))
    }


def problems(path: str | Path, labelled: Sequence[Any], design: Mapping[str, Any]) -> list[str]:
    """Problems (a list of str) of the cells to predict, in sheet `path`; labelled: samples in which none is empty."""
    task, name = design["task"], design["target"]
    if task == "classification":
        present_classes = sorted({sample.metadata[name] for sample in labelled})
        if len(present_classes) > 1:
            return positive_problems(path, labelled, design)
        present = f"only {present_classes[0]!r}" if present_classes else "no value"
        return [f"{path}, column {name}: classification needs at least two classes, found {present}"]
    wrong = cell_problems(path, labelled, design)
    if wrong:
        return wrong
    y = read(design, lambda column: [sample.metadata[column] for sample in labelled])
    if task == "regression" and len(np.unique(y)) < 2:
        present = f"only {y[0]:g}" if len(y) else "no value"
        return [f"{path}, column {name}: regression needs different numbers, found {present}"]
    if task == "survival" and not y["event"].any():
        present = f"none of the {len(y)} samples with a time has" if len(y) else "no sample has a time and"
        return [f"{path}, column {design['event']}: {present} an event; there is nothing to learn from"]
    return []


def cell_problems(path: str | Path, labelled: Sequence[Any], design: Mapping[str, Any]) -> list[str]:
    """Problems of cells that are not a number, a time above 0, or an event: row, content, and what to do."""
    readers: dict[str, Callable[[str], Any]] = dict.fromkeys(columns(design), number)
    if design["task"] == "survival":
        readers = {design["time"]: _positive, design["event"]: event}
    problems = []
    if design["task"] == "survival" and (other := _other_codes(path, labelled, design["event"])):
        problems.append(other)
        del readers[design["event"]]
    for column, reader in readers.items():
        cells = [sample.metadata[column] for sample in labelled]
        for sample in labelled:
            try:
                reader(sample.metadata[column])
            except InputProblem as problem:
                hint = numerals.advice(sample.metadata[column], cells) if reader is not event else ""
                problems.append(
                    f"{path} row {sample.row}, column {column}, sample {sample.name}: {problem};"
                    f" {hint or 'an empty cell makes a new sample, which is predicted only'}"
                )
    return problems


def _other_codes(path, labelled, column):
    """The problem of events coded 1 and 2, as R's survival has them, or 0, 1 and 2, as competing events; None of others."""
    codes = {
        f"{value:g}"
        for value in map(numerals.plain, {s.metadata[column] for s in labelled})
        if value is not None
    }
    if (
        "2" not in codes
        or not codes <= {"0", "1", "2"}
        or len(codes) < len({s.metadata[column] for s in labelled})
    ):
        return None
    if "0" in codes:
        return (
            f"{path}, column {column}: 0, 1 and 2 are codes of competing events; write 1 for the event to predict and 0 for all"
            " others (censored)"
        )
    return (
        f"{path}, column {column}: {' and '.join(sorted(codes))} are codes of R's survival, where 1 is censored and 2 the event;"
        " write 0 for censored and 1 for the event (if 1 is the event in your sheet, write 0 for 2)"
    )


def _positive(cell: str) -> None:
    if number(cell) <= 0:
        raise InputProblem(f"{cell!r}: a time to event must be above 0 (correct it, or fill `exclude`)")
