"""Networks as versions before 0.3 kept them: the same weights under other names, some of them turned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {"weights": "weight", "bias": "bias"}
INPUTS = ("genes", "mean", "per_scale")


def renamed(model: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """{name: array} of a network by the names of its module, from those of today or of before."""
    if any("." in name for name in arrays) or not any(name.endswith("_bias") for name in arrays):
        return dict(arrays)
    now = {}
    for name, array in arrays.items():
        layer, _, kind = name.rpartition("_")
        if name in INPUTS:
            now[f"input.{name}"] = array
        elif kind in KINDS and layer:
            now[f"{layer}.{KINDS[kind]}"] = array
        else:
            now[name] = array
    if model == "attention":  # layers were (inputs, outputs)
        now["output.weight"] = np.ascontiguousarray(now["output.weight"].T)
        now |= {f"{name}.weight": np.ascontiguousarray(now.pop(name).T) for name in ("keys", "prior")}
    if model == "cnn":  # the head was (places, channels, outputs)
        head = now["output.weight"]
        now["output.weight"] = np.ascontiguousarray(head.reshape(-1, head.shape[-1]).T)
        now["filter.weight"] = np.ascontiguousarray(now["filter.weight"].T)
    return now
