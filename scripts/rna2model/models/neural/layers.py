"""Layers of stacked networks: weights (F, C, ...), rows (F, n, k) shared by the C networks of a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    pass


def first(
    rows: torch.Tensor,
    weights: torch.Tensor,
    bias: torch.Tensor,
    draw: torch.Tensor | None = None,
    rate: torch.Tensor | None = None,
) -> torch.Tensor:
    """(F, C, n, h) relu of rows (F, n, k) times weights (F, C, k, h) plus bias (F, C, h), with dropout (see `drop`).

    One product for all networks of a fold. Sum, relu and dropout happen before the networks are told apart, where they
    need no copies.
    """
    F, C, k, h = weights.shape
    side_by_side = weights.transpose(1, 2).reshape(F, k, C * h)
    values = torch.baddbmm(bias.reshape(F, 1, C * h), rows, side_by_side).relu_()
    if draw is not None:
        assert rate is not None
        kept = (draw[:, None] >= rate[:, 0]) / (1.0 - rate[:, 0])
        values = values * kept.flatten(1).to(values.dtype)
    return values.view(F, -1, C, h).transpose(1, 2)


def linear(values: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """(F, C, n, h) from values (F, C, n, g), weights (F, C, g, h) and bias (F, C, h)."""
    return torch.matmul(values, weights.to(values.dtype)) + bias[:, :, None]


def drop(values: torch.Tensor, draw: torch.Tensor | None, rate: torch.Tensor | None) -> torch.Tensor:
    """Dropout (Srivastava et al. 2014) at rate (C, 1, 1) by draws (n, h), uniform and common to all networks."""
    if draw is None:
        return values
    assert rate is not None
    return values * ((draw >= rate) / (1.0 - rate)).to(values.dtype)


def normal(draw: torch.Tensor) -> torch.Tensor:
    """Standard normal numbers from uniform ones."""
    return torch.special.ndtri(draw.clamp(1e-6, 1.0 - 1e-6))


def columns(rows: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """(F, 1, 1, k) true for the columns that a fold has; folds of fewer columns are padded with zeros."""
    return (torch.arange(rows.shape[-1], device=rows.device) < widths[:, None])[:, None, None]


def uniform(rng: np.random.Generator, inputs: int, *shape: int) -> NDArray[np.float32]:
    """Random weights within 1 / sqrt(inputs), as in torch.nn.Linear."""
    return (rng.uniform(-1, 1, shape) / np.sqrt(max(inputs, 1))).astype(np.float32)


def zeros(*shape: int) -> NDArray[np.float32]:
    """Biases at the start."""
    return np.zeros(shape, dtype=np.float32)
