"""Multi-layer perceptron with one hidden layer."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural.layers import Dropout


class MLP(nn.Module):
    """relu(x W1 + b1) W2 + b2 with dropout of the hidden units."""

    SEARCH: ClassVar[dict] = {
        "hidden": [64],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2, 0.5],
    }
    # a number needs more or larger steps than a class: at 0.003 alone, MLPs were still learning at the last epoch
    SEARCH_REGRESSION: ClassVar[dict] = {"learning_rate": [0.003, 0.01]}
    EPOCHS, MINIBATCH = 200, 512
    FIRST_LAYER = "hidden"
    STACKED = ("dropout",)

    def __init__(self, n_features: int, n_outputs: int, hidden: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_features, hidden)
        self.drop = Dropout(dropout)
        self.output = nn.Linear(hidden, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_outputs) from expression (n, n_features)."""
        return self.output(self.drop(self.hidden(x).relu()))
