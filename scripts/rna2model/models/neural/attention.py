"""Attention over genes: every head asks which genes to look at, and sees the mean of what they say."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural.layers import Dropout


class Attention(nn.Module):
    """Pooled attention (Ilse et al. 2018) over gene tokens; a token is the gene's embedding times its scaled expression.

    For gene g with expression x_g and embedding e_g (size d), head q gives the score x_g (e_g . k_q) + e_g . c_q; the
    weights are the softmax over genes, and the head's value is the weighted sum of x_g e_g, times the root of the
    number of genes (so that it does not fade with it). Heads are concatenated for a linear output. Cost grows with
    genes x heads, not with pairs of genes; the tokens are the `genes` most variable genes of the rows trained on.
    """

    SEARCH: ClassVar[dict] = {
        "genes": [1000],
        "heads": [4],
        "size": [16],
        "learning_rate": [0.01],
        "weight_decay": [0.1, 1.0],
        "dropout": [0.2],
    }
    STACKED = ("dropout",)

    def __init__(
        self, n_features: int, n_outputs: int, heads: int = 4, size: int = 16, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.randn(n_features, size) / size**0.5)
        self.keys = nn.Linear(size, heads, bias=False)
        self.prior = nn.Linear(size, heads, bias=False)
        self.drop = Dropout(dropout)
        self.output = nn.Linear(heads * size, n_outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, n_outputs) from expression (n, n_features)."""
        scores = x[..., None] * self.keys(self.embeddings) + self.prior(self.embeddings)  # (n, genes, heads)
        weights = scores.softmax(dim=-2) * x[..., None] * x.shape[-1] ** 0.5
        return self.output(self.drop((weights.transpose(-2, -1) @ self.embeddings).flatten(-2)))
