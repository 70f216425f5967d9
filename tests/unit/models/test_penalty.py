"""A penalty at the end of its grid is noted with the end; no signal in the inner folds is told from a grid that is too short."""

import numpy as np
import pytest

from rna2model import models
from rna2model.explain import explainer
from rna2model.models import penalty


def quiet(*_):
    pass


def data(effect, seed=0, n=60, p=300):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    X = rng.normal(size=(n, p))
    X[:, :20] += effect * (y - 0.5)[:, None]
    return X, y


@pytest.mark.parametrize(("name", "task"), [("logistic_l2", "classification"), ("ridge", "regression")])
def test_noise_is_said_to_have_no_signal_in_the_inner_folds(name, task):
    """Labels without meaning: most models take the strongest penalty, and say that nothing beat a model without genes."""
    n_without_signal = 0
    for seed in range(8):
        X, _ = data(0.0, seed)
        rng = np.random.default_rng(50 + seed)
        y = rng.permutation(np.repeat(["a", "b"], 30)) if task == "classification" else rng.normal(size=60)
        model = models.make(name, inner_folds=3, task=task).fit(X, y, log=quiet)
        end = model.settings_.get("penalty_at_end")
        if end and end["penalty"] == "strongest":
            n_without_signal += end["signal"] is False
            assert end["end"] == ("lowest" if name == "logistic_l2" else "highest")
            if end["signal"] is False:
                assert "no signal in the inner folds" in " ".join(model.settings_["notes"])
    assert n_without_signal >= 4


def test_a_short_grid_is_told_from_no_signal_and_a_penalty_inside_is_not_noted():
    X, y = data(2.0)
    labels = np.array(["a", "b"])[y]
    short = models.make("logistic_l2", inner_folds=3, search={"C_times_genes": [0.003, 0.03]})
    end = short.fit(X, labels, log=quiet).settings_["penalty_at_end"]
    assert end["penalty"] == "weakest" and end["end"] == "highest" and end["signal"] is True
    assert "a weaker one might do as well" in short.settings_["notes"][-1]
    separable = models.make("linear_svm", inner_folds=3).fit(
        X, labels, log=quiet
    )  # all candidates are equally right
    end = separable.settings_.get("penalty_at_end")
    assert end is None or end["signal"] is True
    wide = models.make("logistic_l2", inner_folds=3, search={"C_times_genes": [1e-6, 0.1, 1, 1e6]})
    X, y = data(0.6, 3)
    wide.fit(X, np.array(["a", "b"])[y], log=quiet)
    assert "penalty_at_end" not in wide.settings_ and wide.settings_["notes"] == []
    assert "penalty_at_end" not in models.make("knn", inner_folds=3).fit(X, labels, log=quiet).settings_


def test_folds_are_counted_and_their_overlap_is_that_of_cross_validation():
    tried = [{"C": c, "minus_log_loss": -0.7} for c in (1.0, 2.0, 3.0)]
    low, middle = ({"C": c, "candidates": tried, "class_counts": {"a": 5, "b": 5}} for c in (1.0, 2.0))
    summary = penalty.summary(low, [low, low, middle])
    assert summary["final"]["signal"] is False and (
        summary["strongest"],
        summary["weakest"],
        summary["no_signal"],
    ) == (
        2,
        0,
        2,
    )
    assert "C 1, the lowest" in penalty.sentence(summary) and "2 of 3 folds" in penalty.sentence(summary)
    assert penalty.sentence(penalty.summary(middle, [low])) == penalty.sentence(None) == ""
    assert penalty.at_end({"candidates": [], "C": 1}) is None
    parts = [set(range(100)) - set(range(20 * k, 20 * k + 20)) for k in range(5)]
    assert explainer.shared(parts) == 0.75 and explainer.shared(parts[:1]) is None
