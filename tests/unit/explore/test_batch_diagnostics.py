"""Batch diagnostics say what was put into simulated cohorts."""

import json

import numpy as np
import pytest

from rna2model.explore import batch_diagnostics
from rna2model.expression.batch import registry


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
    corrected = registry.make("combat").fit(values, batches).transform(values, batches)
    diagnostics = batch_diagnostics.compare({"before": values, "after": corrected}, batches, labels)
    before, after = diagnostics["views"]["before"], diagnostics["views"]["after"]
    assert before["batch"]["neighbours"] == 1.0 and before["batch"]["silhouette"] > 0.3
    assert after["batch"]["neighbours"] < 0.6 and after["batch"]["silhouette"] < 0.05
    assert before["variance"]["batch"] > 0.6 and after["variance"]["batch"] < 0.05
    assert after["target"]["neighbours"] > 0.95 and after["variance"]["target"] > before["variance"]["target"]
    assert (
        diagnostics["design"]["cramers_v"] == pytest.approx(0)
        and diagnostics["design"]["label_from_batch"] == 0.5
    )
    json.dumps(diagnostics)


def test_without_effects_nothing_is_found():
    view = batch_diagnostics.compare({"x": cohort()[0]}, *cohort()[1:])["views"]["x"]
    for what in ("batch", "target"):
        assert abs(view[what]["neighbours"] - view[what]["chance"]) < 0.2
        assert abs(view[what]["silhouette"]) < 0.05


def test_a_confounded_design_is_said_to_be_so():
    values, batches, labels = cohort(batch_effect=1.5, confounded=True)
    diagnostics = batch_diagnostics.compare({"x": values}, batches, labels)
    assert diagnostics["design"]["cramers_v"] > 0.8 and diagnostics["design"]["label_from_batch"] > 0.85
    assert diagnostics["views"]["x"]["variance"]["shared"] > 0.2


def test_shares_of_variance_add_up():
    values, batches, labels = cohort(batch_effect=1.0, label_effect=1.0)
    diagnostics = batch_diagnostics.compare({"x": values}, batches, labels)
    assert sum(diagnostics["views"]["x"]["variance"].values()) == pytest.approx(1, abs=1e-3)


def test_unlabelled_samples_and_a_missing_batch_column_are_no_obstacle():
    values, _, labels = cohort(batch_effect=1.0, label_effect=2.0)
    labels = labels.copy()
    labels[:10] = ""
    diagnostics = batch_diagnostics.compare({"x": values}, None, labels)
    assert (
        diagnostics["labelled"] == 50
        and diagnostics["design"] is None
        and diagnostics["views"]["x"]["batch"] is None
    )
    nobody = batch_diagnostics.compare({"x": values}, None, np.full(60, ""))
    assert nobody["labelled"] == 0 and nobody["views"]["x"]["variance"] is None
    single = np.array(["only"] * 59 + ["one"])
    assert batch_diagnostics.compare({"x": values}, single, labels)["views"]["x"]["batch"] is None


@pytest.mark.parametrize(("share", "auc"), [(0.5, 0.5), (0.8, 0.8), (1.0, 1.0)])
def test_what_the_batch_alone_tells_of_the_label_is_the_auc_that_was_put_in(share, auc):
    """Two batches whose classes are mixed share to 1 - share: of a case and a control, share squared are in their own
    batches and 2 share (1 - share) in the same one, so the AUROC is the share itself."""
    size = 200
    case = np.arange(size) < share * size
    labels = np.where(np.r_[case, ~case], "case", "control")
    batches = np.repeat(["x", "y"], size)
    assert batch_diagnostics.batch_only_auc(batches, labels) == pytest.approx(auc, abs=0.02)


def test_the_auc_of_batches_without_meaning_is_a_half_and_of_three_labels_a_mean():
    rng = np.random.default_rng(3)
    labels = rng.permutation(["a", "b", "c"] * 100)
    chance = batch_diagnostics.batch_only_auc(rng.permutation(["x", "y", "z", "w"] * 75), labels)
    assert 0.42 < chance < 0.58
    assert batch_diagnostics.batch_only_auc(np.char.add("of ", labels), labels) == 1.0
    one_apart = np.where(
        labels == "a", "x", "y"
    )  # a against the rest 1; b and c are told from a, not from each other
    assert batch_diagnostics.batch_only_auc(one_apart, labels) == pytest.approx(
        (1 + 0.75 + 0.75) / 3, abs=0.01
    )


def test_no_auc_without_two_samples_of_each_label():
    assert batch_diagnostics.batch_only_auc(np.array(["x", "x", "y"]), np.array(["a", "a", "b"])) is None
    assert batch_diagnostics.batch_only_auc(np.array(["x", "y"]), np.array(["a", "a"])) is None


def test_kbet_rejects_as_often_as_its_level_when_mixed_and_always_when_apart():
    """Batches of unequal size: spread at random, one of them moved away, and half of the cohort a batch of its own."""
    rng = np.random.default_rng(6)
    groups = rng.permutation(np.repeat(["x", "y", "z"], [300, 200, 100]))
    scores = rng.normal(size=(600, 5))
    assert batch_diagnostics.kbet(scores, groups) < 0.08
    assert batch_diagnostics.kbet(scores + 10 * (groups == "x")[:, None], groups) > 0.9
    half = np.where(np.arange(600) < 300, 0, 100)  # one half mixed, the other a batch of its own
    groups = np.where(half > 0, "x", np.resize(["x", "y"], 600))
    assert 0.8 < batch_diagnostics.kbet(scores + half[:, None], groups) <= 1
    assert (
        batch_diagnostics.kbet(scores[:15], groups[:15]) is None
        and batch_diagnostics.kbet(scores, groups[:1].repeat(600)) is None
    )


def test_correction_brings_kbet_down_and_the_design_is_reported_beside_it():
    values, batches, labels = cohort(batch_effect=1.5)
    corrected = registry.make("combat").fit(values, batches).transform(values, batches)
    diagnostics = batch_diagnostics.compare({"before": values, "after": corrected}, batches, labels)
    assert (
        diagnostics["views"]["before"]["batch"]["kbet"] > 0.9
        and diagnostics["views"]["after"]["batch"]["kbet"] < 0.1
    )
    assert diagnostics["design"]["batch_only_auc"] == pytest.approx(0.5, abs=0.1)
    confounded = batch_diagnostics.compare({"x": values}, *cohort(confounded=True)[1:])["design"]
    assert confounded["batch_only_auc"] > 0.85
    json.dumps(diagnostics)
