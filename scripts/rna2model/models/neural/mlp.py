"""Multi-layer perceptron with one hidden layer. Trained with torch; a prediction needs numpy only."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural.axis_model import AxisModel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


class MLP(AxisModel):
    """relu(x W1 + b1) W2 + b2 with dropout, AdamW and early stopping.

    Attributes
    ----------
    arrays_ : hidden_weights (h, p), per unit of log2 expression; hidden_bias (h,); output_weights (K, h); output_bias (K,)
    """

    name = "mlp"
    SEARCH: ClassVar[dict] = {
        "hidden": [64],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2, 0.5],
    }

    def _network(self, candidate):
        return Network(candidate["hidden"])

    def _outputs(self, row):
        W = self._double
        hidden = np.maximum(W["hidden_weights"] @ row.astype(np.float64) + W["hidden_bias"], 0.0)
        return W["output_weights"] @ hidden + W["output_bias"]


class Network:
    """The stacked form (loop.py)."""

    side_by_side = ("hidden_weights",)
    encoder = ("hidden",)

    def __init__(self, hidden: int) -> None:
        self.hidden = self.n_draws = hidden

    def initial(self, rng: np.random.Generator, width: int, outputs: int) -> dict[str, NDArray[np.float32]]:
        from rna2model.models.neural.layers import uniform, zeros

        return {
            "hidden_weights": uniform(rng, width, width, self.hidden),
            "hidden_bias": zeros(self.hidden),
            "output_weights": uniform(rng, self.hidden, self.hidden, outputs),
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
        from rna2model.models.neural import layers

        hidden = layers.first(rows, W["hidden_weights"], W["hidden_bias"], draw, dropout)
        return layers.linear(hidden, W["output_weights"], W["output_bias"]), None

    def activations(self, width: int) -> int:
        """Numbers kept per row and network while training."""
        return 3 * self.hidden
