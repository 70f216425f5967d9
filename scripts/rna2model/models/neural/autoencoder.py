"""Autoencoder with a classification head: expression is compressed to a few latent numbers, and they are classified."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural.axis_model import AxisModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class Autoencoder(AxisModel):
    """genes -> hidden (relu) -> latent -> class; a mirrored decoder gives the genes' principal axes back.

    First encoder and decoder learn to reconstruct, from all training rows and any unlabelled ones (not where
    `pretrained` weights are the start); then the head is added and everything is trained on the labels, with
    `auxiliary` times the reconstruction error. The reconstruction error is the mean squared error over the axes.

    Attributes
    ----------
    arrays_ : hidden_weights (h, p), hidden_bias (h,), latent_weights (l, h), latent_bias (l,), output_weights (K, l),
        output_bias (K,)
    """

    name = "autoencoder"
    SHAPES = ("hidden", "latent")
    SEARCH: ClassVar[dict] = {
        "hidden": [64],
        "latent": [16],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2],
        "auxiliary": [0.1, 1.0],
    }
    PRETRAINING_EPOCHS = 50

    def _network(self, candidate):
        return Network(candidate["hidden"], candidate["latent"])

    def _train(self, network, folds, settings, epochs, patience, label, **more):
        if self.pretrained:
            settings = [{**setting, "auxiliary": 0.0} for setting in settings]
            return super()._train(network, folds, settings, epochs, patience, label, **more)
        label_free = {"supervised": False, "label": f"{label}, pretraining"}
        program = super()._train(network, folds, settings, self.PRETRAINING_EPOCHS, None, **label_free)
        start = {name: weight.detach().cpu().numpy() for name, weight in program.weights.items()}
        return super()._train(network, folds, settings, epochs, patience, label, start=start, **more)

    def _outputs(self, row):
        W = self._double
        hidden = np.maximum(W["hidden_weights"] @ row.astype(np.float64) + W["hidden_bias"], 0.0)
        latent = W["latent_weights"] @ hidden + W["latent_bias"]
        return W["output_weights"] @ latent + W["output_bias"]


def per_column(widths: torch.Tensor) -> torch.Tensor:
    """(F, 1, 1) columns of each fold to divide by; one where nothing varies and there are none."""
    return widths.clamp_min(1)[:, None, None]


class Network:
    """The stacked form (loop.py)."""

    side_by_side = ("hidden_weights",)
    encoder = ("hidden", "latent")

    def __init__(self, hidden: int, latent: int) -> None:
        self.hidden, self.latent, self.n_draws = hidden, latent, hidden

    def initial(self, rng: np.random.Generator, width: int, outputs: int) -> dict[str, NDArray[np.float32]]:
        from rna2model.models.neural.layers import uniform, zeros

        sizes = {
            "hidden": (width, self.hidden),
            "latent": (self.hidden, self.latent),
            "output": (self.latent, outputs),
        }
        sizes |= {"decoder_hidden": (self.latent, self.hidden), "decoder_output": (self.hidden, width)}
        weights = {f"{layer}_weights": uniform(rng, size[0], *size) for layer, size in sizes.items()}
        return weights | {f"{layer}_bias": zeros(size[1]) for layer, size in sizes.items()}

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
        latent = layers.linear(hidden, W["latent_weights"], W["latent_bias"])
        output = layers.linear(latent, W["output_weights"], W["output_bias"])
        return output, None if draw is None else self._error(W, latent, rows, widths)

    def _hidden(self, W, rows, draw, dropout):
        from rna2model.models.neural import layers

        draw = None if draw is None else draw[:, : self.hidden]
        return layers.first(rows, W["hidden_weights"], W["hidden_bias"], draw, dropout)

    def _error(self, W, latent, rows, widths):
        """(F, C, n) mean squared error over the columns that the fold has."""
        from rna2model.models.neural import layers

        hidden = layers.linear(latent, W["decoder_hidden_weights"], W["decoder_hidden_bias"]).relu()
        again = layers.linear(hidden, W["decoder_output_weights"], W["decoder_output_bias"])
        error = (again.float() - rows[:, None].float()).square() * layers.columns(rows, widths)
        return error.sum(dim=-1) / per_column(widths)

    def activations(self, width: int) -> int:
        """Numbers kept per row and network while training."""
        return 6 * self.hidden + 4 * self.latent + 3 * width
