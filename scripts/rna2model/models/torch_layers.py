"""Layers of stacked networks: weights (F, C, ...), rows (F, n, k) shared by the C networks of a fold."""

import numpy as np
import torch


def shared(rows, weights):
    """(F, C, n, h) products of rows (F, n, k) with weights (F, C, k, h), without a copy of the rows per network."""
    return torch.einsum("fnk,fckh->fcnh", rows, weights.to(rows.dtype))


def linear(values, weights, bias):
    """(F, C, n, h) from values (F, C, n, g), weights (F, C, g, h) and bias (F, C, h)."""
    return torch.matmul(values, weights.to(values.dtype)) + bias[:, :, None]


def rectified(values, bias):
    """relu(values + bias) in the memory of values (F, C, n, h); bias (F, C, h)."""
    return values.add_(bias[:, :, None]).relu_()


def drop(values, draw, rate):
    """Dropout (Srivastava et al. 2014) at rate (C, 1, 1) by draws (n, h), uniform and common to all networks."""
    if draw is None:
        return values
    return values * ((draw >= rate) / (1.0 - rate)).to(values.dtype)


def normal(draw):
    """Standard normal numbers from uniform ones."""
    return torch.special.ndtri(draw.clamp(1e-6, 1.0 - 1e-6))


def columns(rows, widths):
    """(F, 1, 1, k) true for the columns that a fold has; folds of fewer columns are padded with zeros."""
    return (torch.arange(rows.shape[-1], device=rows.device) < widths[:, None])[:, None, None]


def uniform(rng, inputs, *shape):
    """Random weights within 1 / sqrt(inputs), as in torch.nn.Linear."""
    return (rng.uniform(-1, 1, shape) / np.sqrt(max(inputs, 1))).astype(np.float32)


def zeros(*shape):
    """Biases at the start."""
    return np.zeros(shape, dtype=np.float32)
