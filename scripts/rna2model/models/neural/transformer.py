"""A transformer encoder whose tokens are genes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural.layers import Dropout


class Transformer(nn.Module):
    """One encoder layer (Vaswani et al. 2017, normalised before) over the most variable genes; the mean token is classified.

    A gene's token is its embedding times its scaled expression, plus an embedding of its place. Every gene looks at every
    other, so the cost grows with the square of `genes`.
    """

    SEARCH: ClassVar[dict] = {
        "genes": [200],
        "heads": [2],
        "size": [16],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 1.0],
        "dropout": [0.2],
    }
    STACKED = ("dropout",)

    def __init__(
        self, n_features: int, n_outputs: int, heads: int = 2, size: int = 16, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.heads = heads
        self.embeddings = nn.Parameter(torch.randn(n_features, size) / size**0.5)
        self.places = nn.Parameter(torch.randn(n_features, size) / size**0.5)
        self.before_attention, self.before_wide = nn.LayerNorm(size), nn.LayerNorm(size)
        self.query_key_value = nn.Linear(size, 3 * size, bias=False)  # a key's bias has no effect
        self.join = nn.Linear(size, size)
        self.wide = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))
        self.drop = Dropout(dropout)
        self.output = nn.Linear(size, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_outputs) from expression (n, n_features)."""
        tokens = x[..., None] * self.embeddings + self.places
        tokens = tokens + self.attention(self.before_attention(tokens))
        tokens = tokens + self.wide(self.before_wide(tokens))
        return self.output(self.drop(tokens.mean(dim=-2) * x.shape[-1] ** 0.5))

    def attention(self, tokens: torch.Tensor) -> torch.Tensor:
        """(n, genes, size) of each token the weighted mean of all, for each head."""
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for part in self.query_key_value(tokens).chunk(3, dim=-1)
        )
        weights = (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1)
        return self.join((weights @ value).transpose(-3, -2).flatten(-2))
