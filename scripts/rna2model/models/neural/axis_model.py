"""Torch models whose first layer is linear in expression: trained in principal axes, kept as one weight per gene.

A first layer trained by gradients stays within what the training rows span, so in the coordinates of their axes
(inputs.py) 20,000 genes cost what 300 samples cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.models.neural.base import TorchModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


class AxisModel(TorchModel):
    """A model with the arrays hidden_weights (h, p), hidden_bias (h,) and others; every matrix is outputs x inputs.

    With `pretrained` the encoder (its network's `encoder` layers) starts from those weights, and its sizes are
    theirs. Directions that the training rows do not span keep them as they were.
    """

    def _coordinates(self, source, trained, candidate):
        return source.axes(trained)

    def _keep(self, weights, axes):
        """Fold scaling and axes into the first layer, as it is stored: equal rounding after loading."""
        kept = {name: array.T for name, array in weights.items() if not name.startswith("decoder")}
        learned, genes = weights["hidden_weights"], 0.0
        if self.pretrained:
            genes = self.pretrained["hidden_weights"]
            learned = learned - axes.start(genes, 0.0)[0]
        kept["hidden_weights"] = (axes.to_genes(learned) + genes).astype(np.float32)
        kept["hidden_bias"] = axes.intercept(
            kept["hidden_weights"].astype(np.float64), weights["hidden_bias"]
        )
        return kept

    def _start_from(self, pretrained):
        for size, layer in (("hidden", "hidden_weights"), ("latent", "latent_weights")):
            if size in self.search:
                self.search[size] = [len(pretrained[layer])]

    def _fit(self, X, y, folds, log):
        if self.pretrained:
            genes = self.pretrained["hidden_weights"].shape[1]
            if genes != X.shape[1]:
                raise InputProblem(
                    f"{self.name}: the pretrained weights are for {genes} genes, the samples have {X.shape[1]}."
                )
            self._note("starts from pretrained weights", log)
        super()._fit(X, y, folds, log)

    def _train(self, network, folds, settings, epochs, patience, label, **more):
        if self.pretrained:
            more["start"] = self._start(network, folds, len(settings))
        return super()._train(network, folds, settings, epochs, patience, label, **more)

    def _start(self, network, folds, settings):
        """{name: (F, C, ...)} the pretrained encoder in the coordinates of each fold."""
        width = max(fold.rows.shape[1] for fold in folds)
        parts = []
        for fold in folds:
            genes, bias = self.pretrained["hidden_weights"], self.pretrained["hidden_bias"]
            if genes.shape[1] != len(fold.coordinates.mean):
                raise InputProblem(
                    f"{self.name}: a pretrained model needs the same genes in every fold; set the selection of genes to none."
                )
            weights, bias = fold.coordinates.start(genes, bias)
            part = {
                layer + "_weights": self.pretrained[layer + "_weights"].T for layer in network.encoder[1:]
            }
            part |= {layer + "_bias": self.pretrained[layer + "_bias"] for layer in network.encoder[1:]}
            part |= {
                "hidden_weights": np.pad(weights, ((0, width - len(weights)), (0, 0))),
                "hidden_bias": bias,
            }
            parts.append(part)
        stacked = {name: np.stack([part[name] for part in parts]) for name in parts[0]}
        return {name: np.repeat(array[:, None], settings, axis=1) for name, array in stacked.items()}

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to outputs (n, K), logits of classes, for gradients."""
        import torch

        weights = {name: torch.tensor(a.astype(np.float64).T)[None, None] for name, a in self.arrays_.items()}
        network, widths = self._network(self.settings_), torch.tensor([self.n_genes_])
        return lambda X: network.forward(weights, X[None], widths)[0][0, 0]
