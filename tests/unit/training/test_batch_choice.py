"""`auto` chooses the rule that new batches will get, corrects where that helps, leaves alone where it harms, and looks at training samples only."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model import models
from rna2model.cohort import outcome
from rna2model.core import artefact
from rna2model.expression.batch import registry
from rna2model.training import batch_choice

SERIES = [4, 5, 6, 7, 8, 9, 4, 6, 8, 5]  # samples of ten small studies


def cohort(mixtures, batch_sd, effect, genes=300, size=24, seed=0, differing=20):
    """Batches with the given shares of cases; a shift of every gene in each batch, and cases differ in some genes.

    size : samples of a batch, or a list of them
    """
    rng = np.random.default_rng(seed)
    sizes = [size] * len(mixtures) if isinstance(size, int) else size
    values, batches, labels = [], [], []
    for number, (share, count) in enumerate(zip(mixtures, sizes, strict=True)):
        cases = np.arange(count) < round(share * count)
        part = rng.normal(8, 1, (count, genes)) + rng.normal(0, batch_sd, genes)
        part[:, :differing] += effect * cases[:, None]
        values.append(part)
        labels += ["case" if case else "control" for case in cases]
        batches += [f"b{number}"] * count
    return np.vstack(values), np.array(batches), np.array(labels)


def balanced_accuracy(method, X, batches, labels, unseen="auto"):
    """Of leave-one-batch-out by logistic_l2, as the workflow makes it."""
    right = np.zeros(len(labels))
    for name in sorted(set(batches)):
        out = batches == name
        fitted, _ = batch_choice.fit(method, X[~out], batches[~out], labels[~out], unseen=unseen)
        model = models.make("logistic_l2", inner_folds=3)
        model.fit(fitted.transform(X[~out], batches[~out]), labels[~out], log=lambda *_: None)
        right[out] = model.predict(fitted.transform(X[out], batches[out], unseen=unseen)) == labels[out]
    return np.mean([right[labels == label].mean() for label in set(labels)])


def test_ten_small_series_are_centred_each_and_so_are_new_ones():
    """Ten series of four to nine samples: .77 without any correction; what was chosen by adapting was not adapted when it
    counted. As it is now: .98, and a sample that comes alone is worth no more than before."""
    X, batches, labels = cohort([0.5] * 10, 2.0, 1.2, genes=1000, size=SERIES, seed=2, differing=40)
    plain = balanced_accuracy("none", X, batches, labels)
    unadapted = balanced_accuracy("center", X, batches, labels, unseen="uncorrected")
    assert plain < 0.85 and unadapted < 0.85
    assert balanced_accuracy("auto", X, batches, labels) > 0.95
    model, scores = batch_choice.fit("auto", X, batches, labels)
    assert model.unseen_ == "adapt" and 2 <= model.adapt_samples <= 6
    assert scores[model.method] > scores["none"] + 0.15
    alone = model.choice_["alone"]
    assert alone["score"] < 0.85 and alone["best_score"] >= alone["score"]
    chosen = next(rule for rule in model.choice_["candidates"] if rule["chosen"])
    assert chosen["one_class"] < 0.7 < chosen["score"]  # cases alone look like a batch


def test_a_users_own_rule_for_new_batches_is_what_is_chosen_for():
    X, batches, labels = cohort([0.5] * 10, 2.0, 1.2, genes=500, size=SERIES, seed=2, differing=40)
    for unseen in ("uncorrected", "refuse"):
        model, _ = batch_choice.fit("auto", X, batches, labels, unseen=unseen)
        assert model.unseen_ == unseen
        assert {rule["unseen_batch"] for rule in model.choice_["candidates"]} == {"uncorrected"}
    model, _ = batch_choice.fit("auto", X, batches, labels, unseen="adapt", adapt_samples=7)
    assert (model.unseen_, model.adapt_samples) == ("adapt", 7)


@pytest.mark.parametrize("seed", range(3))
def test_strong_batches_balanced_in_the_label_are_corrected(seed):
    X, batches, labels = cohort([0.5] * 5, batch_sd=3.0, effect=1.5, seed=seed)
    model, scores = batch_choice.fit("auto", X, batches, labels, adapt_samples=8)
    assert model.method in ("center", "combat") and model.unseen_ == "adapt" and model.adapt_samples == 8
    assert scores[model.method] > scores["none"] + 0.1


@pytest.mark.parametrize("mixtures", [[0.9, 0.1, 0.9, 0.1], [1, 0, 1, 0], [0.5, 0.5, 1, 0]])
def test_batches_that_differ_in_their_classes_are_left_alone(mixtures):
    X, batches, labels = cohort(mixtures, batch_sd=0.3, effect=1.0)
    model, scores = batch_choice.fit("auto", X, batches, labels)
    assert model.method in ("none", "rank") and model.unseen_ == "uncorrected"
    assert scores["none"] > 0.5


@pytest.mark.parametrize("sizes", [[30, 30], [30, 40, 35], [8] * 8, [2] * 12, [1] * 10])
def test_without_batch_effects_nothing_is_adapted(sizes):
    X, batches, labels = cohort([0.5] * len(sizes), batch_sd=0, effect=1.0, size=sizes, seed=1)
    if max(sizes) == 1:
        labels = np.where(np.arange(len(labels)) % 2, "case", "control")
        X[:, :20] += 2.0 * (labels == "case")[:, None]
    model, _ = batch_choice.fit("auto", X, batches, labels)
    assert model.unseen_ == "uncorrected" and model.method in ("none", "rank")


def test_few_large_batches_are_enough_to_see_that_a_batch_has_to_be_adapted():
    """Two batches: each is predicted from the other alone, brought to its mean."""
    X, batches, labels = cohort([0.5, 0.5, 0.5], batch_sd=3.0, effect=2.0, size=30, seed=3)
    model, _ = batch_choice.fit("auto", X, batches, labels)
    assert model.unseen_ == "adapt"
    two = batches != "b2"
    model, scores = batch_choice.fit("auto", X[two], batches[two], labels[two])
    assert scores["center"] > scores["none"]


def test_without_batches_to_hold_out_nothing_is_corrected():
    X, _, labels = cohort([0.5], batch_sd=1.0, effect=1.0)
    model, scores = batch_choice.fit("auto", X, np.repeat("only", len(X)), labels)
    assert model.method == "none" and set(scores.values()) == {None}
    assert model.choice_["note"].startswith("no batch could be held out")


def test_ranks_need_no_batch_and_are_no_candidate_where_expression_is_ranks():
    X, batches, labels = cohort([0.5] * 4, batch_sd=0, effect=1.0, size=8)
    ranked = registry.make("rank").fit(X, batches)
    new = ranked.transform(X[:2] ** 3 * 5 + 1, np.array(["new", "b1"]))
    assert_array_equal(new, ranked.transform(X[:2], np.array(["b0", "b0"])))
    assert new.min() > 0 and new.max() < 1
    _, scores = batch_choice.fit("auto", X, batches, labels)
    assert "rank" in scores
    _, scores = batch_choice.fit("auto", X, batches, labels, normalization="rank")
    assert "rank" not in scores


@pytest.mark.parametrize("task", ["regression", "survival"])
def test_numbers_and_survival_are_chosen_for_by_their_own_score(task):
    rng = np.random.default_rng(5)
    batches = np.repeat([f"b{i}" for i in range(8)], 12)
    signal = rng.normal(0, 1, len(batches))
    X = rng.normal(8, 1, (96, 300)) + rng.normal(0, 3, (8, 300))[np.repeat(range(8), 12)]
    X[:, :30] += signal[:, None]
    y = signal
    if task == "survival":
        y = np.zeros(96, dtype=outcome.SURVIVAL)
        y["time"], y["event"] = rng.exponential(np.exp(-2 * signal)) + 0.01, rng.random(96) < 0.8
    labels = outcome.classes(task, y)
    model, scores = batch_choice.fit("auto", X, batches, labels, y=y, task=task)
    assert model.choice_["metric"] == {"regression": "R2", "survival": "concordance"}[task]
    assert model.unseen_ == "adapt" and scores[model.method] > scores["none"] + 0.1


def test_what_samples_add_sums_to_the_known_scores():
    from sklearn.metrics import balanced_accuracy_score, r2_score

    from rna2model.training import batch_probe

    rng = np.random.default_rng(6)
    y = np.zeros(50, dtype=outcome.SURVIVAL)
    y["time"], y["event"], risk = rng.exponential(size=50), rng.random(50) < 0.6, rng.normal(size=50)
    pairs = [(i, j) for i in range(50) for j in range(50) if y["event"][i] and y["time"][i] < y["time"][j]]
    wanted = np.mean([risk[i] > risk[j] for i, j in pairs])  # Harrell's
    assert batch_probe.shares(risk, y, "survival").sum() == pytest.approx(wanted, abs=1e-12)
    wanted = r2_score(y["time"], risk)
    assert batch_probe.shares(risk, y["time"], "regression").sum() == pytest.approx(wanted, abs=1e-12)
    truth, predicted = rng.integers(0, 3, 50).astype(float), rng.integers(0, 3, 50).astype(float)
    wanted = balanced_accuracy_score(truth, predicted)
    assert batch_probe.shares(predicted, truth, "classification").sum() == pytest.approx(wanted, abs=1e-12)


def test_the_choice_is_stored_with_the_model_and_a_model_without_one_serves_as_before(tmp_path):
    X, batches, labels = cohort([0.5] * 10, 2.0, 1.2, genes=500, size=SERIES, seed=2, differing=40)
    model, _ = batch_choice.fit("auto", X, batches, labels)
    model.save(tmp_path / "m.safetensors")
    back = registry.load(tmp_path / "m.safetensors")
    assert back.choice_ == json.loads(json.dumps(model.choice_)) and back.unseen_ == "adapt"
    new, names = X[:4] + 3, np.repeat("new", 4)
    assert_array_equal(back.transform(new, names, unseen="auto"), model.transform(new, names, unseen="adapt"))
    assert_array_equal(back.transform(new[:1], names[:1], unseen="auto"), new[:1])  # too few
    assert_array_equal(back.transform(new, names, unseen="uncorrected"), new)  # who asks for it gets it
    arrays, settings = artefact.read(tmp_path / "m.safetensors")
    before = {key: value for key, value in settings.items() if key not in ("choice", "unseen")}
    artefact.write(tmp_path / "before.safetensors", arrays, before)  # as versions without a choice wrote it
    old = registry.load(tmp_path / "before.safetensors")
    assert_array_equal(old.transform(new, names, unseen="auto"), new)
    assert_array_equal(old.transform(X, batches), model.transform(X, batches))


def test_a_method_that_was_asked_for_is_taken_and_a_coinciding_design_refused():
    X, batches, labels = cohort([0.5, 0.5], batch_sd=1.0, effect=1.0)
    model, scores = batch_choice.fit("limma", X, batches, labels)
    assert model.method == "limma" and scores is None and model.choice_ is None
    assert (model.unseen_, model.adapt_samples) == ("uncorrected", 8)
    with pytest.raises(Exception, match="batch and target coincide"):
        batch_choice.fit("combat", X, batches, np.where(batches == "b0", "case", "control"))
