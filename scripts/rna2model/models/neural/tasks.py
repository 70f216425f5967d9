"""Networks for every task: the same network predicts classes, or with one output and another loss a number or a risk."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.models.neural import former_names
from rna2model.models.neural.base import TorchModel
from rna2model.models.regressor import Regressor
from rna2model.models.survival_base import SurvivalModel

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch


class TorchRegressor(Regressor, TorchModel):
    """A network that predicts a number: squared error of the target standardised by the training rows.

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
        self._load_network()
        return super()._numbers(X)

    def _number(self, row):
        return float(self._in_unit(self._outputs(row)[0]))

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to predictions (n, 1) in the target's unit, for gradients."""
        output = super().torch_logits()
        return lambda X: self._in_unit(output(X))


class TorchSurvival(SurvivalModel, TorchModel):
    """A network that predicts a risk: Cox's partial likelihood with Breslow's ties (DeepSurv, Katzman et al. 2018).

    Tuning compares the partial likelihood per event among the rows that each inner fold holds out. Where a cohort is
    trained in minibatches, the risk sets of a step are those of its minibatch.

    Attributes
    ----------
    arrays_ : beside those of the network centre (1,), its mean output over the training rows
    """

    MEASURE = "partial_likelihood"

    def _objective(self, y):
        from rna2model.models.neural import losses

        rank = np.unique(y["time"], return_inverse=True)[1]  # exact in single precision, and all that counts
        return losses.cox_breslow, np.column_stack([rank, y["event"]]).astype(float), 1

    def _balanced(self, rows):
        return _ones(rows, len(self._source.X))

    def _fit(self, X, y, folds, log):
        super()._fit(X, y, folds, log)
        self._load_network()
        output = np.array([self._outputs(np.array(row))[0] for row in X])
        self.arrays_["centre"] = np.array([output.mean()])
        self._keep_baseline(y, output - self.arrays_["centre"])

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) log hazard ratio to the mean of the training samples. A sample gets the same alone and in company."""
        self._load_network()
        return super().predict(X)

    def _risk(self, row):
        return float(self._outputs(row)[0] - self.arrays_["centre"][0])

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to risks (n, 1), for gradients."""
        output = super().torch_logits()
        return lambda X: output(X) - self.arrays_["centre"][0]

    def _arrays(self):
        return {**self.arrays_, **self._baseline()}

    def _restore(self, folder):
        arrays = super()._restore(folder)
        self.arrays_ = former_names.renamed(
            self.name, {name: array for name, array in arrays.items() if name not in self._baseline()}
        )


KINDS = {"classification": TorchModel, "regression": TorchRegressor, "survival": TorchSurvival}


@functools.cache
def model_of(network: Any, name: str, task: str) -> Any:
    """The class of the model `name` for `task` whose network is `network`, a class of torch.nn.Module."""
    search = dict(getattr(network, "SEARCH", {"learning_rate": [0.003], "weight_decay": [0.1]}))
    search |= getattr(network, f"SEARCH_{task.upper()}", {})
    defaults = {
        key: getattr(network, key, getattr(TorchModel, key)) for key in ("EPOCHS", "PATIENCE", "MINIBATCH")
    }
    facts = {"network": network, "name": name, "SEARCH": search, "__doc__": network.__doc__, **defaults}
    return type(f"{network.__name__}{task.title()}", (KINDS[task],), facts)


def _ones(rows, n):
    """(n,) weight one of `rows`, zero elsewhere."""
    weights = np.zeros(n)
    weights[rows] = 1.0
    return weights
