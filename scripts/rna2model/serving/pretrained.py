"""Weights of a model in another bundle as the start of training here, gene by gene."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.serving import bundle_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


def read(
    folder: str | Path, name: str, genes: Sequence[str], log: Callable[..., None] = print
) -> dict[str, NDArray[np.float64]] | None:
    """The pretrained arrays for the model `name` on `genes` (list of ids), or None where the bundle holds another model.

    Weights of genes that the bundle does not know are zero. The bundle has to come from other samples than those
    that are tested here. InputProblem where its model has no such weights, or shares no gene.
    """
    _, learned, model = bundle_parts.read(folder)
    if model.name != name:
        log(f"{name}: not pretrained, {folder} holds {model.name}")
        return None
    if "hidden.weight" not in getattr(model, "arrays_", {}):
        raise InputProblem(f"{folder}: {name} cannot start from a pretrained model.")
    place = {gene: column for column, gene in enumerate(learned.normalizer.genes_)}
    known = [gene in place for gene in genes]
    if not any(known):
        raise InputProblem(
            f"{folder} was trained on other genes; none of the {len(genes)} here is among them."
        )
    log(f"{name}: starts from {folder}, which knows {sum(known)} of {len(genes)} genes")
    arrays = {key: array.astype(np.float64) for key, array in model.arrays_.items()}
    weights = np.zeros((len(arrays["hidden.weight"]), len(genes)))
    weights[:, known] = arrays["hidden.weight"][:, [place[gene] for gene in genes if gene in place]]
    return arrays | {"hidden.weight": weights}
