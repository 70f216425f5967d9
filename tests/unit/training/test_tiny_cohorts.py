"""Every model on cohorts too small or too dull to learn from: numbers, or a sentence; never a traceback."""

import warnings

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core.errors import InputProblem
from tests.unit.models.test_models import SEARCH, quiet

MODELS = [(task, name) for task, names in models.TASKS.items() for name in names]
CASES = {  # samples, classes, genes
    "three samples per class": (6, 2, 40),
    "three classes of four": (12, 3, 40),
    "one constant gene": (12, 2, 40),
    "all genes constant": (12, 2, 40),
    "two genes": (12, 2, 2),
    "one gene": (12, 2, 1),
}


def tiny(case, task):
    n, classes, p = CASES[case]
    rng = np.random.default_rng(7)
    X = rng.normal(6, 1, (n, p))
    if case == "one constant gene":
        X[:, 0] = 3.3
    if case == "all genes constant":
        X[:] = 3.3
    y = np.array(["amber", "blue", "coral"])[np.arange(n) % classes]
    if task == "regression":
        y = rng.normal(50, 10, n)
    if task == "survival":
        y = np.zeros(n, dtype=outcome.SURVIVAL)
        y["time"], y["event"] = rng.exponential(20, n) + 0.1, np.arange(n) % 3 < 2
    return X, y


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("task", "name"), MODELS)
def test_a_model_gives_numbers(task, name, case):
    X, y = tiny(case, task)
    model = models.make(name, task=task, search=SEARCH.get(name))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a division by zero would be one
        model.fit(X, y, log=quiet)
        predicted = model.predict_proba(X + 0.1) if task == "classification" else model.predict(X + 0.1)
    assert np.isfinite(predicted).all()
    if task == "classification":
        assert predicted.shape == (len(X), CASES[case][1])
        np.testing.assert_allclose(predicted.sum(axis=1), 1.0)
    if task == "survival":
        curve = model.survival(predicted, np.array([1.0, 20.0, 500.0]))
        assert np.isfinite(curve).all() and (np.diff(curve, axis=1) <= 0).all() and (curve <= 1).all()
    if case == "all genes constant":
        assert np.ptp(predicted, axis=0).max() < 1e-9  # nobody is told from anybody


@pytest.mark.parametrize(("task", "name"), MODELS)
def test_an_outcome_that_does_not_vary_is_refused(task, name):
    X, y = tiny("one constant gene", task)
    same = {"classification": np.repeat("amber", 12), "regression": np.full(12, 3.0)}.get(task)
    if task == "survival":
        same = y.copy()
        same["event"] = False
    with pytest.raises(InputProblem, match=f"{name}: "):
        models.make(name, task=task, search=SEARCH.get(name)).fit(X, same, log=quiet)
