"""Variational autoencoder (Kingma & Welling 2014) with a head on the latent mean."""

from __future__ import annotations

import torch
from torch import nn

from rna2model.models.neural.autoencoder import Autoencoder


class VAE(Autoencoder):
    """An autoencoder whose latent numbers are a normal distribution, drawn while training and its mean in a prediction.

    Its label-free loss is the negative evidence lower bound divided by the number of features: half the squared error
    plus the divergence from standard normal latent numbers.
    """

    def __init__(
        self, n_features: int, n_outputs: int, hidden: int = 64, latent: int = 16, dropout: float = 0.2
    ) -> None:
        super().__init__(n_features, n_outputs, hidden, latent, dropout)
        self.decoder_log_variance = nn.Linear(hidden, latent)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """(n, n_outputs) from expression (n, n_features); while training also the negative bound (n,) of each row."""
        hidden = self.drop(self.hidden(x).relu())
        mean = self.latent(hidden)
        if not self.training:
            return self.output(mean)
        log_variance = self.decoder_log_variance(hidden).float().clamp(-10, 10)
        noise = torch.randn(mean.shape, device=mean.device)
        latent = mean + noise * (log_variance / 2).exp()
        divergence = 0.5 * (mean.float().square() + log_variance.exp() - 1.0 - log_variance).sum(dim=-1)
        return self.output(latent), 0.5 * self.error(x, latent) + divergence / self.n_features
