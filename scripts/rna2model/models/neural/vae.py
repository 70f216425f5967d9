"""Variational autoencoder (Kingma & Welling 2014) with a classification head on the latent mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rna2model.models.neural import autoencoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import torch
    from numpy.typing import NDArray


class VAE(autoencoder.Autoencoder):
    """An autoencoder whose latent numbers are a normal distribution, drawn while training and its mean in a prediction.

    Trained as the autoencoder; its label-free loss is the negative evidence lower bound divided by the number of
    axes: half the squared error plus the divergence from standard normal latent numbers. The arrays are the same.
    """

    name = "vae"

    def _network(self, candidate):
        return Network(candidate["hidden"], candidate["latent"])


class Network(autoencoder.Network):
    """The stacked form (loop.py)."""

    def __init__(self, hidden: int, latent: int) -> None:
        super().__init__(hidden, latent)
        self.n_draws = hidden + latent

    def initial(self, rng: np.random.Generator, width: int, outputs: int) -> dict[str, NDArray[np.float32]]:
        from rna2model.models.neural.layers import uniform, zeros

        more = {"decoder_spread_weights": uniform(rng, self.hidden, self.hidden, self.latent)}
        return super().initial(rng, width, outputs) | more | {"decoder_spread_bias": zeros(self.latent)}

    def forward(
        self,
        W: Mapping[str, torch.Tensor],
        rows: torch.Tensor,
        widths: torch.Tensor,
        draw: torch.Tensor | None = None,
        dropout: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        from rna2model.models.neural import layers

        hidden = self._hidden(W, rows, draw, dropout)
        mean = layers.linear(hidden, W["latent_weights"], W["latent_bias"])
        if draw is None:
            return layers.linear(mean, W["output_weights"], W["output_bias"]), None
        spread = (
            layers.linear(hidden, W["decoder_spread_weights"], W["decoder_spread_bias"])
            .float()
            .clamp(-10, 10)
        )
        latent = mean + layers.normal(draw[:, self.hidden :]) * (spread / 2).exp()  # spread: log variance
        output = layers.linear(latent, W["output_weights"], W["output_bias"])
        divergence = 0.5 * (mean.float().square() + spread.exp() - 1.0 - spread).sum(dim=-1)
        return output, 0.5 * self._error(W, latent, rows, widths) + divergence / autoencoder.per_column(
            widths
        )
