"""The torch models for numbers and for survival: the networks that classify, with one output and another loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural.attention import Attention
from rna2model.models.neural.autoencoder import Autoencoder
from rna2model.models.neural.cnn import CNN
from rna2model.models.neural.mlp import MLP
from rna2model.models.neural.vae import VAE
from rna2model.models.regressor import Regressor
from rna2model.models.survival_base import SurvivalModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

# a number needs more or larger steps than a class: at 0.003 alone, MLPs were still learning at the last epoch
FASTER = {"learning_rate": [0.003, 0.01]}


class TorchRegressor(Regressor):
    """Put before a torch model, makes it predict a number: squared error of the target standardised by the training rows.

    Predictions are in the target's unit; mean and sd are `settings_`' target_mean and target_sd.
    """

    MEASURE = "minus_mse"  # in the target's unit, squared

    def _objective(self, y):
        from rna2model.models.neural import losses

        return losses.squared_error, self._standardised(y)[:, None], 1

    def _standardised(self, y):
        return (y - self.settings_["target_mean"]) / self.settings_["target_sd"]

    def _in_unit(self, output):
        return output * self.settings_["target_sd"] + self.settings_["target_mean"]

    def _measured(self, loss):
        return -loss * self.settings_["target_sd"] ** 2

    def _balanced(self, rows):
        return _ones(rows, len(self._source.X))

    def _numbers(self, X):
        self._calculate_in_double()
        return super()._numbers(X)

    def _number(self, row):
        return float(self._in_unit(self._outputs(row)[0]))

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to predictions (n, 1) in the target's unit, for gradients."""
        output = cast(Any, super()).torch_logits()
        return lambda X: self._in_unit(output(X))


class TorchSurvival(SurvivalModel):
    """Put before a torch model, makes it predict a risk: Cox's partial likelihood with Breslow's ties (DeepSurv, Katzman et al. 2018).

    Tuning compares the partial likelihood per event among the rows that each inner fold holds out. Where a cohort is
    trained in minibatches, the risk sets of a step are those of its minibatch.

    Attributes
    ----------
    arrays_ : beside those of the network centre (1,), its mean output over the training rows
    """

    _calculate_in_double: Any

    MEASURE = "partial_likelihood"

    def _objective(self, y):
        from rna2model.models.neural import losses

        rank = np.unique(y["time"], return_inverse=True)[1]  # exact in single precision, and all that counts
        return losses.cox_breslow, np.column_stack([rank, y["event"]]).astype(float), 1

    def _balanced(self, rows):
        return _ones(rows, len(self._source.X))

    def _fit(self, X, y, folds, log):
        super()._fit(X, y, folds, log)
        self._calculate_in_double()
        output = np.array([self._outputs(np.array(row))[0] for row in X])
        self.arrays_["centre"] = np.array([output.mean()])
        self._keep_baseline(y, output - self.arrays_["centre"])

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) log hazard ratio to the mean of the training samples. A sample gets the same alone and in company."""
        self._calculate_in_double()
        return super().predict(X)

    def _risk(self, row):
        return float(self._outputs(row)[0] - self.arrays_["centre"][0])

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to risks (n, 1), for gradients."""
        output = cast(Any, super()).torch_logits()
        return lambda X: output(X) - self.arrays_["centre"][0]

    def _arrays(self):
        return {**self.arrays_, **self._baseline()}

    def _restore(self, folder):
        arrays = super()._restore(folder)
        self.arrays_ = {name: array for name, array in arrays.items() if name not in self._baseline()}


class MLPRegression(TorchRegressor, MLP):
    """A number by an MLP."""

    SEARCH: ClassVar[dict] = {**MLP.SEARCH, **FASTER}


class AutoencoderRegression(TorchRegressor, Autoencoder):
    """A number by an autoencoder."""

    SEARCH: ClassVar[dict] = {**Autoencoder.SEARCH, **FASTER}


class VAERegression(TorchRegressor, VAE):
    """A number by a variational autoencoder."""

    SEARCH: ClassVar[dict] = {**VAE.SEARCH, **FASTER}


class AttentionRegression(TorchRegressor, Attention):
    """A number by attention."""


class CNNRegression(TorchRegressor, CNN):
    """A number by convolution."""


class MLPSurvival(TorchSurvival, MLP):
    """A risk by an MLP."""


class AutoencoderSurvival(TorchSurvival, Autoencoder):
    """A risk by an autoencoder."""


class VAESurvival(TorchSurvival, VAE):
    """A risk by a variational autoencoder."""


class AttentionSurvival(TorchSurvival, Attention):
    """A risk by attention."""


class CNNSurvival(TorchSurvival, CNN):
    """A risk by convolution."""


def _ones(rows, n):
    """(n,) weight one of `rows`, zero elsewhere."""
    weights = np.zeros(n)
    weights[rows] = 1.0
    return weights
