"""Attention over genes: every head asks which genes to look at, and sees the mean of what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural.gene_model import GeneModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class Attention(GeneModel):
    """Pooled attention (Ilse et al. 2018) over gene tokens; a token is the gene's embedding times its scaled expression.

    For gene g with expression x_g and embedding e_g (size d), head q gives the score x_g (e_g . k_q) + e_g . c_q; the
    weights are the softmax over genes, and the head's value is the weighted sum of x_g e_g, times the root of the
    number of genes (so that it does not fade with it). Heads are concatenated for a linear output. Cost grows with
    genes x heads, not with pairs of genes; the tokens are the `genes` most variable genes of the rows trained on.

    Attributes
    ----------
    arrays_ : genes, mean, per_scale (k,); embeddings (k, d); keys, prior (d, Q); output_weights (Q d, K), output_bias (K,)
    """

    name = "attention"
    SHAPES = ("genes", "heads", "size")
    SEARCH: ClassVar[dict] = {
        "genes": [1000],
        "heads": [4],
        "size": [16],
        "learning_rate": [0.01],
        "weight_decay": [0.1, 1.0],
        "dropout": [0.2],
    }
    EPOCHS, PATIENCE, MINIBATCH = 100, 30, 128

    def _network(self, candidate):
        return Network(candidate["heads"], candidate["size"])

    def _output(self, W, x):
        scores = x[:, None] * (W["embeddings"] @ W["keys"]) + W["embeddings"] @ W["prior"]
        attention = np.exp(scores - scores.max(axis=0))
        pooled = (attention / attention.sum(axis=0)).T @ (x[:, None] * W["embeddings"]) * np.sqrt(len(x))
        return pooled.ravel() @ W["output_weights"] + W["output_bias"]


class Network:
    """The stacked form (loop.py)."""

    side_by_side = ()

    def __init__(self, heads: int, size: int) -> None:
        self.heads, self.size, self.n_draws = heads, size, heads * size

    def initial(self, rng: np.random.Generator, width: int, outputs: int) -> dict[str, NDArray[np.float32]]:
        from rna2model.models.neural.layers import uniform, zeros

        return {
            "embeddings": rng.normal(size=(width, self.size)).astype(np.float32) / np.sqrt(self.size),
            "keys": uniform(rng, self.size, self.size, self.heads),
            "prior": uniform(rng, self.size, self.size, self.heads),
            "output_weights": uniform(rng, self.n_draws, self.n_draws, outputs),
            "output_bias": zeros(outputs),
        }

    def forward(
        self,
        W: Mapping[str, torch.Tensor],
        rows: torch.Tensor,
        widths: torch.Tensor,
        draw: torch.Tensor | None = None,
        dropout: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        import torch

        from rna2model.models.neural import layers

        embeddings, there = W["embeddings"], layers.columns(rows, widths)
        by_gene = (embeddings @ W["keys"]).transpose(2, 3)[:, :, None]  # (F, C, 1, Q, k)
        prior = (embeddings @ W["prior"]).transpose(2, 3)[:, :, None]
        x = rows[:, None, :, None]
        attention = torch.where(there[..., None, :], x * by_gene + prior, -torch.inf).softmax(dim=-1)
        genes = widths[:, None, None, None, None].to(attention.dtype).sqrt()
        pooled = torch.einsum("fcnqk,fckd->fcnqd", attention * x * genes, embeddings).flatten(3)
        return layers.linear(layers.drop(pooled, draw, dropout), W["output_weights"], W["output_bias"]), None

    def activations(self, width: int) -> int:
        """Numbers kept per row and network while training."""
        return 4 * width * self.heads + 3 * self.n_draws
