"""What all figures of the report share: plotly dicts for lines, axes and colours that colour-blind readers tell apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core import palette

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

COLOURS = palette.ON_PAGES
BLUE, ORANGE, RED, GREY = palette.BLUE, palette.ORANGE, palette.VERMILLION, palette.GREY
DASHES = ["solid", "dash", "dashdot", "longdash"]  # dotted lines are chance level
SHADES = [
    [0, "rgba(0,114,178,0)"],
    [1, "rgba(0,114,178,0.6)"],
]  # text stays readable on a light and a dark page
DIVERGING = [[0, BLUE], [0.5, "#f7f7f7"], [1, RED]]
DIGITS = 5  # of a number in the page
UNIT = {"range": [-0.02, 1.02]}  # an axis of shares or probabilities


def axis(title: str, **options: Any) -> dict[str, Any]:
    return {"title": {"text": title}, "automargin": True, **options}


def plain(values: ArrayLike) -> list[float | None]:
    """A list that JSON can hold: numbers with DIGITS significant digits, None for what is not finite."""
    return [float(f"{v:.{DIGITS}g}") if np.isfinite(v) else None for v in np.asarray(values, dtype=float)]


def line(
    x: ArrayLike, y: ArrayLike, name: str, colour: str, mode: str = "lines", dash: str = "solid", **more: Any
) -> dict[str, Any]:
    """A trace of points or of a line."""
    trace = {"type": "scatter", "mode": mode, "x": plain(x), "y": plain(y), "name": name}
    return trace | {"line": {"color": colour, "dash": dash}, "marker": {"color": colour, "size": 7}, **more}


def error(estimate: ArrayLike, lower: ArrayLike, upper: ArrayLike, colour: str = GREY) -> dict[str, Any]:
    """Error bars from an estimate to its interval; none where there is no interval."""
    estimate, lower, upper = (np.asarray(v, dtype=float) for v in (estimate, lower, upper))
    above, below = np.nan_to_num(upper - estimate), np.nan_to_num(estimate - lower)
    bars = {"type": "data", "symmetric": False, "color": colour, "thickness": 1.5}
    return bars | {"array": plain(np.maximum(above, 0)), "arrayminus": plain(np.maximum(below, 0))}


def rivals(run: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """(model, line options) of the shipped model first, then the others but `dummy`; each always looks the same."""
    names = [run["shipped"], *(m for m in run["models"] if m not in ("dummy", run["shipped"]))]
    for place, name in enumerate(n for n in names if n != "dummy"):
        yield name, {"colour": COLOURS[place % (len(COLOURS) - 1)], "dash": DASHES[place % len(DASHES)]}


def classes(run: Mapping[str, Any]) -> list[str]:
    """Class names, in the order of the probability columns."""
    columns = run["predictions"][run["shipped"]].columns
    return [name.removeprefix("prob_") for name in columns if name.startswith("prob_")]


def positives(run: Mapping[str, Any]) -> list[str]:
    """The classes that curves are drawn for: of two the last, of more each against the rest."""
    names = classes(run)
    return names[1:] if len(names) == 2 else names
