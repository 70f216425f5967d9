"""One-dimensional convolution over genes in the order of the columns."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural.layers import Dropout


class CNN(nn.Module):
    """Filters slide along the genes in steps of half their length; what they detect is classified by place.

    The order is that of the cohort's genes: with reads, the order in which the annotation lists them (along the
    chromosomes in GENCODE and Ensembl files, so neighbours share chromosomal gains, losses and domains); with a
    matrix, the order of its rows. An order without meaning makes this a sparse network and no more.
    A filter is dropped everywhere at once (Tompson et al. 2015).
    """

    SEARCH: ClassVar[dict] = {
        "length": [32],
        "channels": [8],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2, 0.5],
    }
    STACKED = ("dropout",)

    def __init__(
        self, n_features: int, n_outputs: int, length: int = 32, channels: int = 8, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.length, self.step = length, max(1, length // 2)
        places = 1 + -(-max(n_features - length, 0) // self.step)
        self.padding = length + (places - 1) * self.step - n_features  # zeros, so that every gene is covered
        self.filter = nn.Linear(length, channels)
        self.drop = Dropout(dropout)
        self.output = nn.Linear(places * channels, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_outputs) from expression (n, n_features)."""
        pieces = nn.functional.pad(x, (0, self.padding)).unfold(-1, self.length, self.step)
        detected = self.filter(pieces).relu()  # (n, places, channels)
        kept = self.drop(torch.ones_like(detected[..., :1, :]))
        return self.output((detected * kept).flatten(-2))
