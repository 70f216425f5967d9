"""`evaluation.transfer`: train on the samples of one platform, study or year, test once on those of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SIDES = ("train", "test")


def named(setting: Mapping[str, str] | None) -> dict[str, tuple[str, str]]:
    """{train: (column, value), test: (column, value)} of the config's `column=value`; empty where there is no transfer."""
    if not setting:
        return {}
    parts = {side: setting[side].partition("=") for side in SIDES}
    return {side: (column.strip(), value.strip()) for side, (column, _, value) in parts.items()}


def columns(setting: Mapping[str, str] | None) -> list[str]:
    """The sheet's columns that the setting names, each once."""
    return list(dict.fromkeys(column for column, _ in named(setting).values()))


def sides(
    setting: Mapping[str, str] | None, names: Sequence[str], cell: Callable[[str, str], str]
) -> tuple[list[str], list[str]] | None:
    """(those of `names` that train, those that are tested), None without a setting; cell : function of sample and column."""
    chosen = [
        [name for name in names if cell(name, column) == value] for column, value in named(setting).values()
    ]
    return (chosen[0], chosen[1]) if chosen else None


def check(
    samples_of_sides: tuple[list[str], list[str]], label: Mapping[str, str], all_classes: bool = True
) -> None:
    """InputProblem where what quality control left of the sides (names of samples) cannot be trained or scored."""
    for side, names in zip(SIDES, samples_of_sides, strict=True):
        classes = sorted({label[name] for name in names})
        if not names or (all_classes and len(classes) < 2):
            left = f"{len(names)} samples, {'all ' + classes[0] if classes else 'of no class'}"
            raise InputProblem(
                f"evaluation.transfer.{side}: quality control left {left}; two classes are needed on either side."
                " Take another value, or leave evaluation.transfer out."
            )
