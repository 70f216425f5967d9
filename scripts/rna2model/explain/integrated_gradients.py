"""Which genes moved a torch model's prediction of a sample: integrated gradients (Sundararajan et al. 2017; captum)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.models import base

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rna2model.models.base import Model

STEPS = 128  # on the way from the baseline to the sample


def integrated_gradients(
    model: Model, X: NDArray[Any], baseline: NDArray[Any], target: str | None = None, steps: int = STEPS
) -> NDArray[np.float64]:
    """(n, p) attributions in units of the logit; a row sums to `logit(sample) - logit(baseline)`.

    Of a model without classes the same of its prediction: in the target's unit, or as log hazard ratio.
    X (n, p) and baseline (p,) are log2 expression; the mean of the training samples is a usual baseline. `target` is
    the class that is explained, see `logit`. Each sample is computed alone. InputProblem for a model without
    gradients, or a class it does not know.
    """
    from captum.attr import IntegratedGradients

    function, X = _logit_function(model, target, X), base.matrix(X).astype(np.float64)
    import torch

    rows = np.empty(X.shape)
    start = torch.tensor(np.asarray(baseline, dtype=np.float64))[None]
    for i, row in enumerate(X):
        sample, chosen = torch.tensor(row)[None], function.targets[i]
        method = IntegratedGradients(lambda at, chosen=chosen: function(at, chosen))
        rows[i] = method.attribute(sample, start, n_steps=steps).numpy()[0]
    return rows


def logit(model: Model, X: Any, target: str | None = None) -> NDArray[np.float64]:
    """(n,) logit of the target class less the mean logit of the others: log odds for two classes; else the prediction.

    Without a target: of the last of two classes, else of the class that is predicted for the sample.
    """
    import torch

    function, X = _logit_function(model, target, X), torch.tensor(base.matrix(X).astype(np.float64))
    return np.array([function(row[None], k).item() for row, k in zip(X, function.targets, strict=True)])


class _logit_function:
    """The logit as a function of a tensor of expression (m, p) and a class number; `targets` (n,) for rows X."""

    def __init__(self, model, target, X):
        if not hasattr(model, "torch_logits"):
            raise InputProblem(f"{model.name} has no gradients; integrated gradients are for torch models.")
        if target is not None and target not in model.classes_:
            raise InputProblem(
                f"{target!r} is not one of the classes {', '.join(model.classes_) or '(none)'}."
            )
        self.logits, classes = model.torch_logits(), len(model.classes_)
        if target is not None:
            self.targets = np.full(len(X), model.classes_.index(target))
        elif classes in (0, 2):
            self.targets = np.full(len(X), classes // 2)
        else:
            self.targets = model.decide(model.predict_proba(X))

    def __call__(self, at, target):
        logits = self.logits(at)
        if logits.shape[1] == 1:
            return logits[:, 0]
        others = [k for k in range(logits.shape[1]) if k != target]
        return logits[:, target] - logits[:, others].mean(dim=1)
