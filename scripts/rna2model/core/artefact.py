"""One fitted artefact is one safetensors file: arrays, and their settings as JSON in its header.

Loading never runs code, and equal content gives equal bytes, so a rerun that learns the same
thing changes nothing downstream.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

HEADER = "rna2model"  # a single header key: several would be written in random order


def write(path: str | Path, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> None:
    """Write `arrays` ({name: ndarray}) and `settings` (JSON-able, with a "kind") to `path`."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    header = {HEADER: json.dumps(settings, sort_keys=True)}
    Path(path).write_bytes(save(arrays, metadata=header))


def read(path: str | Path, kind: str | None = None) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return (arrays, settings) of `path`; InputProblem if it is damaged or not of `kind`."""
    try:
        with safe_open(path, framework="numpy") as file:
            settings = json.loads((file.metadata() or {})[HEADER])
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except (SafetensorError, KeyError, ValueError, OSError, RecursionError) as error:
        raise InputProblem(f"{path} is not a readable rna2model artefact ({error}); fit it again.") from None
    if kind is not None and settings.get("kind") != kind:
        raise InputProblem(f"{path} holds a {settings.get('kind')!r}, not a {kind!r}.")
    return arrays, settings


def check_numbers(path: str | Path, infinite: bool = True, gaps: Collection[str] = ()) -> None:
    """InputProblem where an array of `path`, but those named in `gaps`, holds NaN, or infinity unless that is allowed."""
    for name, array in read(path)[0].items():
        if name in gaps or array.dtype.kind != "f":
            continue
        if not (~np.isnan(array) if infinite else np.isfinite(array)).all():
            raise InputProblem(
                f"{path}: {name} holds NaN{'' if infinite else ' or infinity'}; get it again, or fit it again."
            )
