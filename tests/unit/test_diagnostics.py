"""Batch diagnostics say what was put into simulated cohorts."""

import json

import numpy as np
import pytest

from rna2model import batch, diagnostics


def cohort(batch_effect=0.0, label_effect=0.0, confounded=False, seed=0):
    rng = np.random.default_rng(seed)
    batches = np.repeat(["x", "y", "z"], 20)
    labels = np.tile(["a", "b"], 30)
    if confounded:
        labels = np.where(rng.random(60) < 0.9, np.where(batches == "x", "a", "b"), labels)
    values = rng.normal(8, 1, (60, 400))
    values += batch_effect * rng.normal(0, 1, (3, 400))[np.repeat([0, 1, 2], 20)]
    values[:, :100] += label_effect * (labels == "b")[:, None]
    return values, batches, labels


def test_a_strong_batch_is_seen_and_correction_removes_it():
    values, batches, labels = cohort(batch_effect=1.5, label_effect=2.0)
    corrected = batch.make("combat").fit(values, batches).transform(values, batches)
    found = diagnostics.compare({"before": values, "after": corrected}, batches, labels)
    before, after = found["views"]["before"], found["views"]["after"]
    assert before["batch"]["neighbours"] == 1.0 and before["batch"]["silhouette"] > 0.3
    assert after["batch"]["neighbours"] < 0.6 and after["batch"]["silhouette"] < 0.05
    assert before["variance"]["batch"] > 0.6 and after["variance"]["batch"] < 0.05
    assert after["target"]["neighbours"] > 0.95 and after["variance"]["target"] > before["variance"]["target"]
    assert found["design"]["cramers_v"] == pytest.approx(0) and found["design"]["label_from_batch"] == 0.5
    json.dumps(found)


def test_without_effects_nothing_is_found():
    found = diagnostics.compare({"x": cohort()[0]}, *cohort()[1:])["views"]["x"]
    for what in ("batch", "target"):
        assert abs(found[what]["neighbours"] - found[what]["chance"]) < 0.2
        assert abs(found[what]["silhouette"]) < 0.05


def test_a_confounded_design_is_said_to_be_so():
    values, batches, labels = cohort(batch_effect=1.5, confounded=True)
    found = diagnostics.compare({"x": values}, batches, labels)
    assert found["design"]["cramers_v"] > 0.8 and found["design"]["label_from_batch"] > 0.85
    assert found["views"]["x"]["variance"]["shared"] > 0.2


def test_shares_of_variance_add_up():
    values, batches, labels = cohort(batch_effect=1.0, label_effect=1.0)
    found = diagnostics.compare({"x": values}, batches, labels)
    assert sum(found["views"]["x"]["variance"].values()) == pytest.approx(1, abs=1e-3)


def test_unlabelled_samples_and_a_missing_batch_column_are_no_obstacle():
    values, _, labels = cohort(batch_effect=1.0, label_effect=2.0)
    labels = labels.copy()
    labels[:10] = ""
    found = diagnostics.compare({"x": values}, None, labels)
    assert found["labelled"] == 50 and found["design"] is None and found["views"]["x"]["batch"] is None
    nobody = diagnostics.compare({"x": values}, None, np.full(60, ""))
    assert nobody["labelled"] == 0 and nobody["views"]["x"]["variance"] is None
    single = np.array(["only"] * 59 + ["one"])
    assert diagnostics.compare({"x": values}, single, labels)["views"]["x"]["batch"] is None
