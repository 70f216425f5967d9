"""Pictures of `expression/` as SVG: the same data give the same bytes, colours are safe for colour-blind eyes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

matplotlib.rcdefaults()  # whatever the user's matplotlibrc says
matplotlib.use("Agg")
matplotlib.rcParams.update({"svg.hashsalt": "rna2model", "font.size": 8, "axes.spines.top": False})
matplotlib.rcParams["axes.spines.right"] = False
matplotlib.rcParams["text.parse_math"] = False  # a class may be called $5 or 5$

import matplotlib.pyplot as plt  # noqa: E402  (after the backend)
import numpy as np  # noqa: E402

from rna2model.core import palette  # noqa: E402

COLOURS = palette.ON_WHITE
UP, DOWN, REST, EDGE = palette.VERMILLION, palette.BLUE, "#BBBBBB", palette.GREY
MOST_NAMES, MOST_PANELS, LABELLED = 80, 12, 8


def save(figure: Figure, path: str | Path) -> None:
    """Write the figure to `path` without a date."""
    figure.savefig(path, format="svg", bbox_inches="tight", dpi=150, metadata={"Date": None})
    plt.close(figure)


def empty(text: str, path: str | Path) -> None:
    """A placeholder picture with the reason why there is no figure."""
    figure, axes = plt.subplots(figsize=(5, 1.2))
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    save(figure, path)


def heatmap(
    tables: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    samples: Sequence[str],
    annotations: Mapping[str, NDArray[Any]],
    path: str | Path,
) -> None:
    """Correlations of samples, each view in its own hierarchical order, with a stripe for every annotation.

    tables : {view: ((n, n) correlations, (n,) order)}; annotations : {name: (n,) str, empty for none}
    """
    side = float(np.clip(0.14 * len(samples), 3.5, 11))
    figure, axes = plt.subplots(
        1, len(tables), figsize=(len(tables) * (side + 2), side), squeeze=False, layout="constrained"
    )
    for panel, (view, (correlations, order)) in zip(axes[0], tables.items(), strict=True):
        low = np.min(correlations) if len(correlations) > 1 else 0
        image = panel.imshow(
            correlations[np.ix_(order, order)], cmap="cividis", vmin=low, vmax=1, rasterized=True
        )
        panel.set_title(view.replace("_", " "))
        panel.set_xticks([])
        if len(samples) <= MOST_NAMES:
            panel.set_yticks(range(len(samples)), [samples[row] for row in order], fontsize=5)
        else:
            panel.set_yticks([])
        for number, (role, names) in enumerate(annotations.items()):
            _stripe(panel, role, np.asarray(names)[order], number)
        figure.colorbar(image, ax=panel, shrink=0.5, label="correlation")
    handles = [
        plt.Line2D(
            [],
            [],
            marker="s",
            linestyle="",
            color=colour,
            markeredgecolor=EDGE,
            label=f"{role}: {name or 'none'}",
        )
        for number, (role, names) in enumerate(annotations.items())
        for name, colour in list(_palette(names, number).items())[:20]
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False)
    save(figure, path)


def _palette(names, number):
    """{name: colour}; the annotations begin at different colours."""
    levels = sorted(set(np.asarray(names).tolist()) - {""})
    colours = {name: COLOURS[(place + 2 * number) % len(COLOURS)] for place, name in enumerate(levels)}
    return colours | ({"": "#FFFFFF"} if "" in names else {})


def _stripe(panel, role, names, number):
    """A coloured row above the heat map, with its role beside it."""
    palette, n, height = _palette(names, number), len(names), 0.03
    bottom = 1.01 + number * height * 1.3
    for place, name in enumerate(names):
        box = plt.Rectangle((place / n, bottom), 1 / n, height, transform=panel.transAxes, linewidth=0)
        box.set(color=palette[name], clip_on=False)
        panel.add_patch(box)
    panel.text(1.01, bottom + height / 2, role, transform=panel.transAxes, va="center", fontsize=6)
    panel.set_title(panel.get_title(), pad=12 + 12 * (number + 1))


def volcano(table: pd.DataFrame, path: str | Path, level: float = 0.05) -> None:
    """log2 fold change against -log10 p of every contrast of the differential table; coloured where padj < level."""
    panels, figure = _panels(table)
    for panel, (contrast, part) in panels:
        p = np.maximum(part["p"].to_numpy(float), 1e-300)
        _points(panel, part, part["log2_fold_change"], -np.log10(p), level)
        panel.set(title=contrast.replace("_vs_", " vs "), xlabel="log2 fold change", ylabel="-log10 p")
    save(figure, path)


def ma(table: pd.DataFrame, path: str | Path, level: float = 0.05) -> None:
    """Mean normalised count against log2 fold change of every contrast."""
    panels, figure = _panels(table)
    for panel, (contrast, part) in panels:
        _points(panel, part, np.maximum(part["base_mean"], 0.1), part["log2_fold_change"], level)
        panel.axhline(0, color="black", linewidth=0.5)
        panel.set(
            xscale="log",
            title=contrast.replace("_vs_", " vs "),
            xlabel="mean normalised count",
            ylabel="log2 fold change",
        )
    save(figure, path)


def _panels(table):
    """([(axes, (contrast, its tested genes))], figure) of the first contrasts."""
    parts = list(table[table["p"].notna()].groupby("contrast", sort=False))[:MOST_PANELS]
    columns = max(1, min(3, len(parts)))
    rows = -(-max(len(parts), 1) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4.2 * columns, 3.6 * rows), squeeze=False, layout="constrained"
    )
    for spare in axes.flat[len(parts) :]:
        spare.axis("off")
    return list(zip(axes.flat, parts, strict=False)), figure


def _points(panel, part, x, y, level):
    significant = part["padj"].fillna(1) < level
    rises = part["log2_fold_change"] > 0
    colour = np.where(significant & rises, UP, np.where(significant, DOWN, REST))
    panel.scatter(x, y, c=colour, s=6, linewidths=0, rasterized=True)
    x, y = np.asarray(x, float), np.asarray(y, float)
    for row in np.argsort(part["p"].to_numpy(float), kind="stable")[:LABELLED]:
        if significant.iloc[row]:
            name = part["symbol"].iloc[row] or part["gene_id"].iloc[row]
            panel.annotate(name, (x[row], y[row]), fontsize=5, textcoords="offset points", xytext=(2, 2))
