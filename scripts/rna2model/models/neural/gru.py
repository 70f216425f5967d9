"""A recurrent network that reads the genes in the order of the columns, piece by piece."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural.layers import Dropout


class GRU(nn.Module):
    """Gated recurrent unit (Cho et al. 2014); a step reads `length` genes, and the mean of all states is classified.

    The order is that of the cohort's genes, as for the cnn. Sequences of visits or of bases are read in the same way.
    """

    SEARCH: ClassVar[dict] = {
        "genes": [1000],
        "length": [32],
        "hidden": [32],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 1.0],
        "dropout": [0.2],
    }
    STACKED = ("dropout",)

    def __init__(
        self, n_features: int, n_outputs: int, length: int = 32, hidden: int = 32, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.length, self.padding = length, -n_features % length
        self.read = nn.Linear(length, 3 * hidden)
        self.state = nn.Linear(hidden, 3 * hidden)
        self.drop = Dropout(dropout)
        self.output = nn.Linear(hidden, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_outputs) from expression (n, n_features)."""
        pieces = nn.functional.pad(x, (0, self.padding)).unflatten(-1, (-1, self.length))
        read, states = self.read(pieces), []
        state = torch.zeros_like(read[..., 0, : read.shape[-1] // 3])
        for step in read.unbind(dim=-2):
            update, reset, new = step.chunk(3, dim=-1)
            kept, forgotten, old = self.state(state).chunk(3, dim=-1)
            share = (update + kept).sigmoid()
            state = share * state + (1.0 - share) * (new + (reset + forgotten).sigmoid() * old).tanh()
            states.append(state)
        return self.output(self.drop(torch.stack(states).mean(dim=0)))
