"""One-dimensional convolution over genes in the order of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural.gene_model import GeneModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class CNN(GeneModel):
    """Filters slide along the genes in steps of half their length; what they find is classified by place.

    The order is that of the cohort's genes: with reads, the order in which the annotation lists them (along the
    chromosomes in GENCODE and Ensembl files, so neighbours share chromosomal gains, losses and domains); with a
    matrix, the order of its rows. An order without meaning makes this a sparse network and no more.

    Attributes
    ----------
    arrays_ : genes, mean, per_scale (p,); filter_weights (length, channels), filter_bias (channels,); output_weights
        (places, channels, K), output_bias (K,)
    """

    name = "cnn"
    SHAPES = ("length", "channels")
    SEARCH: ClassVar[dict] = {
        "length": [32],
        "channels": [8],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2, 0.5],
    }
    EPOCHS, PATIENCE, MINIBATCH = 100, 30, 128

    def _network(self, candidate):
        return Network(candidate["length"], candidate["channels"])

    def _output(self, W, x):
        length = len(W["filter_weights"])
        x = np.pad(x, (0, padding(len(x), length)))
        pieces = np.lib.stride_tricks.sliding_window_view(x, length)[:: max(1, length // 2)]
        found = np.maximum(pieces @ W["filter_weights"] + W["filter_bias"], 0.0)
        return found.ravel() @ W["output_weights"].reshape(found.size, -1) + W["output_bias"]


def places(width: int, length: int) -> int:
    """How many times a filter is put on `width` genes."""
    return 1 + -(-max(width - length, 0) // max(1, length // 2))


def padding(width: int, length: int) -> int:
    """Zeros behind the last gene, so that filters cover every gene."""
    return length + (places(width, length) - 1) * max(1, length // 2) - width


class Network:
    """The stacked form (loop.py)."""

    side_by_side = ()

    def __init__(self, length: int, channels: int) -> None:
        self.length, self.channels, self.n_draws = length, channels, channels

    def initial(self, rng: np.random.Generator, width: int, outputs: int) -> dict[str, NDArray[np.float32]]:
        from rna2model.models.neural.layers import uniform, zeros

        found = places(width, self.length) * self.channels
        shape = places(width, self.length), self.channels, outputs
        return {
            "filter_weights": uniform(rng, self.length, self.length, self.channels),
            "filter_bias": zeros(self.channels),
            "output_weights": uniform(rng, found, *shape),
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

        step = max(1, self.length // 2)
        pieces = torch.nn.functional.pad(rows, (0, padding(rows.shape[-1], self.length))).unfold(
            -1, self.length, step
        )
        found = torch.einsum("fnpl,fclh->fcnph", pieces, W["filter_weights"].to(rows.dtype))
        found = (found + W["filter_bias"][:, :, None, None]).relu()
        if draw is not None:  # a filter is dropped everywhere at once (Tompson et al. 2015)
            assert dropout is not None
            found = layers.drop(found, draw[:, None], dropout[..., None])
        ends = torch.arange(found.shape[3], device=rows.device) * step + self.length - step
        there = (ends < widths[:, None]) | (ends < self.length)
        found = found * there[:, None, None, :, None]
        return torch.einsum("fcnph,fcphk->fcnk", found, W["output_weights"].to(found.dtype)) + W[
            "output_bias"
        ][:, :, None], None

    def activations(self, width: int) -> int:
        """Numbers kept per row and network while training."""
        return 5 * places(width, self.length) * self.channels
