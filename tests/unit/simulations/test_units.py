"""A target in mol/l is predicted and scored as the same target in nmol/l: nothing depends on the unit."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from rna2model import models
from rna2model.evaluation import calibration_bins, classification, predictions, regression
from rna2model.explain import importance
from rna2model.report import checks

UNIT = 2.0**-40  # about 1e-12, and exact in binary


def target(n=48, p=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, :5].sum(axis=1) + 0.3 * rng.normal(size=n)


@pytest.mark.parametrize("name", ["ridge", "lasso", "random_forest", "gradient_boosting", "mlp"])
def test_every_model_predicts_a_tiny_target_as_a_usual_one(name):
    X, y = target()
    fits = []
    for unit in (1.0, UNIT):
        model = models.make(name, inner_folds=2, task="regression").fit(X, y * unit, log=lambda *_: None)
        effects, _ = importance.effects(model, X, X.mean(axis=0))
        fits.append((model.predict(X) / unit, effects / unit, model))
    assert np.ptp(fits[1][0]) > 0.5 * np.ptp(y) * (name != "mlp")
    assert fits[1][0] == pytest.approx(fits[0][0], rel=1e-4, abs=1e-4 * np.std(y))
    assert fits[1][1] == pytest.approx(fits[0][1], rel=1e-3, abs=1e-3 * np.abs(fits[0][1]).max())


def test_an_elastic_net_learns_a_tiny_target_though_its_l2_part_knows_the_unit():
    X, y = target()
    model = models.make("elastic_net", inner_folds=2, task="regression").fit(X, y * UNIT, log=lambda *_: None)
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.9


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e12])
def test_scores_do_not_depend_on_the_unit(unit):
    rng = np.random.default_rng(1)
    truth, predicted = rng.normal(10, 2, 60), rng.normal(10, 2, 60)
    predicted += truth
    frame = pd.DataFrame(
        {"sample": [f"s{i}" for i in range(60)], "split": [f"r1f{i % 3 + 1}" for i in range(60)]}
    )
    one, other = (
        classification.metrics(
            frame.assign(truth=truth * u, predicted=predicted * u), task="regression", n_boot=50
        )
        for u in (1.0, unit)
    )
    for name, value in one.items():
        scale = unit if name in ("mae", "rmse", "calibration_intercept") else 1.0
        for key in ("estimate", "lower", "upper"):
            assert other[name][key] == pytest.approx(value[key] * scale, rel=1e-6), name
        assert "note" not in other[name]
    assert one["r2"]["estimate"] == pytest.approx(sk.r2_score(truth, predicted))
    bins = [
        calibration_bins.table(frame.assign(truth=truth * u, predicted=predicted * u), "regression")
        for u in (1.0, unit)
    ]
    assert bins[1]["observed"].to_numpy() == pytest.approx(bins[0]["observed"].to_numpy() * unit, rel=1e-7)
    assert list(predictions.significant(truth * unit) / unit) == pytest.approx(truth.tolist(), rel=1e-8)


def test_the_intercept_is_calibration_in_the_large_for_numbers_as_for_classes():
    """Predictions 0.7 too low on average: 0.7, whatever their slope; for classes it is the offset of the logits."""
    rng = np.random.default_rng(2)
    predicted = rng.normal(5, 1, 90)
    truth = 0.7 + predicted.mean() + 0.5 * (predicted - predicted.mean())
    metrics = regression.pooled(truth, predicted, np.ones((1, 90)))
    assert metrics["calibration_intercept"][0] == pytest.approx(0.7)
    assert metrics["calibration_slope"][0] == pytest.approx(0.5)
    constant = regression.pooled(truth, np.full(90, 5.0), np.ones((1, 90)))
    assert constant["calibration_intercept"][0] == pytest.approx(truth.mean() - 5.0)
    assert np.isnan(constant["calibration_slope"][0])


def test_small_numbers_are_readable():
    assert checks.number(2.34e-9) == "2.3e-09" and checks.number(0.0) == "0.000"
    assert checks.number(0.1234) == "0.123" and checks.number(None) == "–"
    assert checks.number(-1e-17) == "-0.000"
