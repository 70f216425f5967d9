"""Problems of `evaluation.transfer`, found in the sheet before any job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.cohort import transfer
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rna2model.inputs.sheet import Sample

SHOWN = 8  # values of a column that a message lists


def problems(path: str | Path, trained: Sequence[Sample], config: Mapping[str, Any]) -> list[str]:
    """What keeps the two sides from being trained and scored: a value that no labelled sample has, samples or groups on both
    sides, one class alone, a class that only the test side has. trained : labelled samples that are not held out."""
    setting, design = config["evaluation"]["transfer"], config["design"]
    if not setting:
        return []
    by_name = {sample.name: sample for sample in trained}
    both_sides = transfer.sides(
        setting, list(by_name), lambda name, column: by_name[name].metadata[column].strip()
    )
    assert both_sides is not None  # there is a setting
    samples_of = dict(zip(transfer.SIDES, both_sides, strict=True))
    messages = [
        _absent(path, side, *transfer.named(setting)[side], trained)
        for side, names in samples_of.items()
        if not names
    ]
    if messages:
        return messages
    if both := sorted(set(samples_of["train"]) & set(samples_of["test"])):
        return [
            f"{path}: evaluation.transfer: {_listed(both)} would be trained on and tested; give values that no sample has both of"
        ]
    group = design["group"]
    if group:
        held = [{by_name[name].metadata[group] for name in names} for names in samples_of.values()]
        messages += [
            f"{path}, column {group}: {name!r} has samples on both sides of evaluation.transfer ({setting['train']} and"
            f" {setting['test']}), so that the test would know it from training; leave its samples of one side out (column exclude)"
            for name in sorted(held[0] & held[1])
            if not is_missing(name)
        ]
    return messages + (
        _classes(path, samples_of, by_name, setting, design) if design["task"] == "classification" else []
    )


def _absent(path, side, column, value, trained):
    there = sorted({sample.metadata[column] for sample in trained} - {""})
    return (
        f"{path}, column {column}: no labelled sample has the value {value!r} of evaluation.transfer.{side}"
        f" (there are: {_listed(there) or 'none'})"
    )


def _classes(path, samples_of, by_name, setting, design):
    """Either side needs two classes, and the test side none that training did not have."""
    column = design["target"]
    classes = {side: {by_name[name].metadata[column] for name in names} for side, names in samples_of.items()}
    messages = [
        f"{path}, column {column}: all labelled samples with {setting[side]} are {min(names)!r}; evaluation.transfer.{side} needs"
        " two classes"
        for side, names in classes.items()
        if len(names) < 2
    ]
    lost = sorted(classes["test"] - classes["train"])
    if not messages and lost:
        messages.append(
            f"{path}, column {column}: {_listed(lost)} is only among samples with {setting['test']};"
            " evaluation.transfer would predict a class that it never saw"
        )
    return messages


def _listed(names):
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown
