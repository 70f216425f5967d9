"""Torch models whose input are genes: some or all of them, scaled with the training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rna2model.models.neural.base import TorchModel
from rna2model.models.neural.inputs import Chosen

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


class GeneModel(TorchModel):
    """A model with the arrays genes, mean, per_scale (neural.inputs.Chosen.arrays) and those of its network."""

    def _coordinates(self, source, trained, candidate):
        genes = np.arange(source.X.shape[1])
        if "genes" in candidate:
            genes = source.most_variable(trained, candidate["genes"])
        return Chosen(source, genes)

    def _keep(self, weights, chosen):
        return {name: array.astype(np.float32) for name, array in weights.items()} | chosen.arrays()

    def _outputs(self, row):
        W = self._double
        scaled = (row[self.arrays_["genes"]].astype(np.float64) - W["mean"]) * W["per_scale"]
        return self._output(W, scaled)

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to outputs (n, K), logits of classes, for gradients."""
        import torch

        genes, mean, per_scale = (torch.tensor(self.arrays_[name]) for name in ("genes", "mean", "per_scale"))
        others = {name: a for name, a in self.arrays_.items() if name not in ("genes", "mean", "per_scale")}
        weights = {name: torch.tensor(a.astype(np.float64))[None, None] for name, a in others.items()}
        network, widths = self._network(self.settings_), torch.tensor([len(genes)])
        return lambda X: network.forward(weights, ((X[:, genes] - mean) * per_scale)[None], widths)[0][0, 0]
