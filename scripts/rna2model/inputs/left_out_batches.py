"""Whether each batch can be left out of training (evaluation.leave_one_batch_out): its name, and what is left without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from rna2model.cohort import outcome, splits
from rna2model.inputs import sheet_text
from rna2model.inputs.config import schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rna2model.inputs.sheet import Sample


def problems(path: str | Path, trained: Sequence[Sample], design: Mapping[str, Any]) -> list[str]:
    """Problems (list of str) of the batches of the labelled samples that train."""
    return [
        *_batch_names(path, trained, design["batch"]),
        *_events_elsewhere(path, trained, design),
        *_classes_elsewhere(path, trained, design),
    ]


def _batch_names(path, labelled, column):
    names = sorted({sample.metadata[column] for sample in labelled})
    pattern = schema("samples")["properties"]["sample"]["pattern"]
    bad = [n for n in names if list(Draft202012Validator({"pattern": pattern}).iter_errors(n))]
    problems = [
        f"{path}, column {column}: batch {name!r} becomes a file name for leave_one_batch_out;"
        " use letters, digits, '.', '_' or '-'"
        for name in bad
    ]
    problems += [
        f"{path}, column {column}: batch {name!r} ends with the same text 20 times or more, which Snakemake refuses in"
        " file names (leave_one_batch_out needs one); shorten it"
        for name in names
        if sheet_text.is_periodic(f"batch.{name}")  # as splits.names has it
    ]
    if len(names) < 2:
        problems.append(f"{path}, column {column}: leave_one_batch_out needs at least two batches")
    return problems


def _events_elsewhere(path, labelled, design):
    """Problems of batches without which no training sample has an event."""
    if design["task"] != "survival":
        return []
    events = outcome.read(design, lambda column: [sample.metadata[column] for sample in labelled])["event"]
    happened = {sample.name for sample, event in zip(labelled, events, strict=True) if event}
    return [
        f"{path}, column {design['event']}: all events are in batch {held_out!r}{_and_groups(design)}; leave_one_batch_out"
        " would train without an event"
        for held_out, left in _without_each_batch(labelled, design)
        if not happened.intersection(left)
    ]


def _classes_elsewhere(path, labelled, design):
    """Problems of batches without which fewer than two classes are left to train on."""
    if design["task"] != "classification":
        return []
    label_of = {sample.name: sample.metadata[design["target"]] for sample in labelled}
    classes, problems = set(label_of.values()), []
    for held_out, left in _without_each_batch(labelled, design):
        classes_left = {label_of[name] for name in left}
        lost = ", ".join(repr(label) for label in sorted(classes - classes_left))
        if len(classes_left) < 2:
            what_is_left = (
                f"all labelled samples are {classes_left.pop()!r}"
                if classes_left
                else "no labelled sample is left"
            )
            problems.append(
                f"{path}, column {design['batch']}: without batch {held_out!r}{_and_groups(design)} {what_is_left};"
                " leave_one_batch_out would have nothing to tell apart"
            )
        elif lost and design["group"]:
            problems.append(
                f"{path}, column {design['batch']}: without batch {held_out!r}{_and_groups(design)} no sample is {lost};"
                " leave_one_batch_out would predict a class that it never saw"
            )
    return problems


def _and_groups(design):
    """Words for the groups that are held out together with a batch."""
    return f" and the {design['group']} that it shares with others" if design["group"] else ""


def _without_each_batch(labelled, design):
    """(batch, names of the labelled samples that would train without it) of each batch."""
    batches = {sample.name: sample.metadata[design["batch"]] for sample in labelled}
    groups = (
        {sample.name: sample.metadata[design["group"]] for sample in labelled} if design["group"] else None
    )
    for name in sorted(set(batches.values())):
        yield name, splits.outside(name, sorted(batches), batches, groups)
