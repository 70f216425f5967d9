"""Losses of torch models: R's Cox likelihood, weighted means, and a loop that learns them."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from rna2model.models.neural import data, loop, losses
from tests.unit.models.neural.test_torch import SETTINGS, build_of, plan_of

TIME, EVENT = [2, 3, 3, 3, 5, 5, 7, 8, 8, 9], [1, 1, 1, 0, 1, 1, 0, 1, 1, 0]
HAZARD = [0.5, -1, 0.3, 0.8, -0.2, 1.1, 0, -0.7, 0.4, 0.2]
CASES = {"ones": np.ones(10), "weighted": np.array([1, 2, 1, 1, 0.5, 1, 1, 3, 1, 1])}


def cox(loss, weight, hazard=HAZARD):
    truth = torch.tensor(np.column_stack([TIME, EVENT]))[None, None]
    return loss(
        torch.tensor(hazard, dtype=torch.float64)[None, None, :, None],
        truth,
        torch.tensor(weight)[None, None],
    )


@pytest.mark.parametrize(
    ("loss", "case", "expected"),
    [  # -coxph(Surv(time, event) ~ hazard, weights, ties, init=1, iter.max=0)$loglik[2] / sum(weights * event), survival 3.5.3
        (losses.cox_breslow, "ones", 1.9538802100),
        (losses.cox_breslow, "weighted", 2.2348645840),
    ],
)
def test_cox_partial_likelihood_is_that_of_r(loss, case, expected):
    assert cox(loss, CASES[case]).item() == pytest.approx(expected, rel=1e-10)


def test_cox_ignores_rows_of_weight_zero_and_stands_large_hazards():
    keep = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1], dtype=float)
    changed = np.where(keep > 0, HAZARD, 700.0)
    for loss in (losses.cox_breslow,):
        assert cox(loss, keep).item() == pytest.approx(cox(loss, keep, changed).item(), rel=1e-12)
        assert cox(loss, np.ones(10), np.array(HAZARD) + 800.0).item() == pytest.approx(
            cox(loss, np.ones(10)).item(), rel=1e-9
        )
        assert cox(loss, np.zeros(10)).item() == 0.0
        hazard = torch.tensor(HAZARD, dtype=torch.float64, requires_grad=True)
        truth = torch.tensor(np.column_stack([TIME, EVENT]))[None, None]
        assert torch.autograd.gradcheck(
            lambda h, loss=loss, truth=truth: loss(h[None, None, :, None], truth, torch.ones(1, 1, 10)),
            hazard,
        )


def test_squared_error_and_cross_entropy_are_weighted_means():
    rng = np.random.default_rng(0)
    output, truth, weight = (
        rng.normal(size=(2, 3, 5, 2)),
        rng.normal(size=(2, 1, 5, 2)),
        rng.random((2, 1, 5)),
    )
    loss_of_rows = losses.squared_error(*map(torch.tensor, (output, truth, weight)))
    expected = np.average(((output - truth) ** 2).sum(-1), axis=2, weights=np.repeat(weight, 3, axis=1))
    assert_allclose(loss_of_rows, expected)
    labels = np.eye(2)[rng.integers(0, 2, (2, 1, 5))]
    logs = output - np.log(np.exp(output).sum(-1, keepdims=True))
    loss_of_rows = losses.cross_entropy(*map(torch.tensor, (output, labels, weight)))
    assert_allclose(
        loss_of_rows, np.average(-(logs * labels).sum(-1), axis=2, weights=np.repeat(weight, 3, axis=1))
    )


@pytest.mark.parametrize("loss", [losses.squared_error, losses.cox_breslow])
def test_the_loop_learns_other_losses_too(loss):
    """A number, and a time to an event, that depend on the first column."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    truth = x[:, :1] * 2.0
    if loss is losses.cox_breslow:
        truth = np.column_stack([np.ceil(10 * np.exp(-x[:, 0] + 0.1 * rng.normal(size=60))), np.ones(60)])

    fold = data.TorchFold(x, np.arange(60) < 45, np.arange(60) >= 45, np.ones(60))
    program = loop.train(build_of("mlp", 1), [fold], [SETTINGS[2]], truth, plan_of(60, loss))
    _, stack, _ = program.stacks[0]
    stack.train(False)
    output = stack(torch.tensor(x)[None])[0][0, 0, :, 0]
    assert np.corrcoef(output.detach(), x[:, 0])[0, 1] > 0.9
    assert program.curve[-1] < program.curve[0]
