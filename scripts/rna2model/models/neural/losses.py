"""Losses of stacked networks: output (F, C, n, K) and truth (F, 1, n, q) to one number per network, (F, C).

`weight` (F, 1, n) is the weight of each row; a row of weight zero has no influence at all, so one program can hold
folds that train on different rows. Any function of this form can be given to `loop.train`.
"""

from __future__ import annotations

import torch


def cross_entropy(output: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean of -log probability; output are logits, truth (F, 1, n, K) one-hot or class probabilities."""
    return weighted_mean(-(torch.log_softmax(output, dim=-1) * truth).sum(dim=-1), weight)


def squared_error(output: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean of the squared error, summed over the K outputs; truth (F, 1, n, K) in its own units."""
    return weighted_mean((output - truth).square().sum(dim=-1), weight)


def cox_breslow(output: torch.Tensor, truth: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cox's negative log partial likelihood per event, ties as Breslow 1974 (R: survival::coxph with ties="breslow").

    output (F, C, n, 1) are log hazards; truth (F, 1, n, 2) is time and event (1) or censoring (0). Risk sets are those of the
    rows given: of a minibatch while training. Without any event it is zero.
    """
    time, order = torch.sort(truth[..., 0].contiguous(), dim=-1, stable=True)
    hazard = output[..., 0].double().gather(-1, order.expand(output.shape[:-1]))
    weight = weight.double().gather(-1, order)
    event = truth[..., 1].gather(-1, order) * (weight > 0)
    first = torch.searchsorted(time, time)

    top = torch.where(weight > 0, hazard, -torch.inf).amax(dim=-1, keepdim=True)
    top = torch.where(top.isfinite(), top, 0.0).detach()
    before = _sums_before(weight * torch.exp(torch.where(weight > 0, hazard - top, 0.0)))
    at_risk = before[..., -1:] - before.gather(-1, first.expand(hazard.shape))
    counted = event * weight
    log_risk = torch.log(torch.where(event > 0, at_risk, 1.0)) + top
    likelihood = (counted * hazard - counted * log_risk).sum(dim=-1)
    return (-likelihood / counted.sum(dim=-1).clamp_min(1e-12)).to(output.dtype)


def weighted_mean(each: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """(F, C) mean over rows of each (F, C, n) with weight (F, 1, n); zero where all weights are."""
    return (each * weight).sum(dim=-1) / weight.sum(dim=-1).clamp_min(1e-12)


def _sums_before(values):
    """(..., n + 1) sums of the values before each position, and of all."""
    return torch.nn.functional.pad(values.cumsum(dim=-1), (1, 0))
