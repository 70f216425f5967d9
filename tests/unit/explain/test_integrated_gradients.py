"""Integrated gradients of torch models add up to what they explain."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.explain import integrated_gradients
from tests.unit.models.neural.test_torch import TORCH
from tests.unit.models.test_models import expression, make, quiet


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", TORCH)
def test_attributions_add_up_to_the_difference_of_the_logits(name, K):
    X, y = expression(n=24, p=60, K=K)
    model = make(name).fit(X, y, log=quiet)
    logits = model.torch_logits()(torch.tensor(X)).numpy()
    assert_allclose(
        np.log(model.predict_proba(X)), logits - np.log(np.exp(logits).sum(1, keepdims=True)), atol=1e-4
    )

    baseline = X.mean(axis=0)
    attributions = integrated_gradients.integrated_gradients(model, X[:4], baseline)
    target = None if K == 2 else model.predict(X[:4])
    start = (
        integrated_gradients.logit(model, baseline[None])
        if K == 2
        else np.array([integrated_gradients.logit(model, baseline[None], k)[0] for k in target])
    )
    difference = integrated_gradients.logit(model, X[:4]) - start
    assert attributions.shape == (4, 60)
    assert_allclose(attributions.sum(axis=1), difference, atol=0.02 * np.abs(difference).max())
    if K == 2:
        odds = model.predict_proba(X[:4])
        assert_allclose(integrated_gradients.logit(model, X[:4]), np.log(odds[:, 1] / odds[:, 0]), atol=1e-4)
        assert (
            np.abs(attributions[:, :30]).mean() > 1.2 * np.abs(attributions[:, 30:]).mean()
        )  # the genes with an effect


def test_attributions_are_for_torch_models_and_known_classes():
    X, y = expression(n=12, p=10)
    with pytest.raises(InputProblem, match="no gradients"):
        integrated_gradients.integrated_gradients(models.make("dummy").fit(X, y, log=quiet), X, X[0])
    model = make("mlp").fit(X, y, log=quiet)
    with pytest.raises(InputProblem, match="'green' is not one of the classes amber, blue"):
        integrated_gradients.logit(model, X, "green")
