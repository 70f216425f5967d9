"""Layers that networks share."""

from __future__ import annotations

import torch
from torch import nn


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) whose rate is a tensor, so that networks of several rates train side by side."""

    rate: torch.Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.register_buffer("rate", torch.tensor(float(rate)), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """`values` of any shape; while training each is zero with probability `rate` and the others are divided by 1 - rate."""
        if not self.training:
            return values
        drawn = torch.rand(values.shape, device=values.device)
        rate = self.rate.to(drawn.dtype)
        return torch.where(drawn >= rate, values / (1.0 - rate).to(values.dtype), 0.0)


def columns(n_features: int) -> torch.Tensor:
    """The number of columns as a tensor to divide by, one where there are none: a fold of fewer columns has its own."""
    return torch.tensor(float(max(n_features, 1)))
