"""Autoencoder with a head: expression is compressed to a few latent numbers, and these are classified."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn

from rna2model.models.neural import layers


class Autoencoder(nn.Module):
    """features -> hidden (relu) -> latent -> output; a mirrored decoder gives the features back.

    First encoder and decoder learn to reconstruct, from all training rows and any unlabelled ones (not where
    `pretrained` weights are the start); then everything is trained on the labels, with `auxiliary` times the
    reconstruction error, the mean squared error over the features.
    """

    SEARCH: ClassVar[dict] = {
        "hidden": [64],
        "latent": [16],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2],
        "auxiliary": [0.1, 1.0],
    }
    SEARCH_REGRESSION: ClassVar[dict] = {"learning_rate": [0.003, 0.01]}
    EPOCHS, MINIBATCH, PRETRAINING_EPOCHS = 200, 512, 50
    FIRST_LAYER, ENCODER = "hidden", ("hidden", "latent")
    TRAINING_ONLY = ("decoder",)  # layers whose names begin so are not kept
    STACKED = ("dropout",)

    n_features: torch.Tensor

    def __init__(
        self, n_features: int, n_outputs: int, hidden: int = 64, latent: int = 16, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_features, hidden)
        self.drop = layers.Dropout(dropout)
        self.latent = nn.Linear(hidden, latent)
        self.output = nn.Linear(latent, n_outputs)
        self.decoder_hidden = nn.Linear(latent, hidden)
        self.decoder_output = nn.Linear(hidden, n_features)
        self.register_buffer("n_features", layers.columns(n_features), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
        """(n, n_outputs) from expression (n, n_features); while training also the error (n,) of each reconstruction."""
        latent = self.latent(self.drop(self.hidden(x).relu()))
        if not self.training:
            return self.output(latent)
        return self.output(latent), self.error(x, latent)

    def error(self, x: torch.Tensor, latent: torch.Tensor) -> torch.Tensor:
        """(n,) mean squared error of the reconstruction from `latent` (n, l)."""
        again = self.decoder_output(self.decoder_hidden(latent).relu())
        return (again.float() - x.float()).square().sum(dim=-1) / self.n_features
