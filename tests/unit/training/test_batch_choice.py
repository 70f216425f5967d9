"""`auto` corrects where correction helps, leaves alone where it harms, and looks at training samples only."""

import numpy as np
import pytest

from rna2model.training import batch_choice


def cohort(mixtures, batch_sd, effect, genes=300, size=24, seed=0):
    """Batches with the given shares of cases; a shift of every gene in each batch, and cases differ in 20 genes."""
    rng = np.random.default_rng(seed)
    values, batches, labels = [], [], []
    for number, share in enumerate(mixtures):
        cases = np.arange(size) < share * size
        part = rng.normal(8, 1, (size, genes)) + rng.normal(0, batch_sd, genes)
        part[:, :20] += effect * cases[:, None]
        values.append(part)
        labels += ["case" if case else "control" for case in cases]
        batches += [f"b{number}"] * size
    return np.vstack(values), np.array(batches), np.array(labels)


def test_strong_batches_balanced_in_the_label_are_corrected():
    X, batches, labels = cohort([0.5] * 5, batch_sd=3.0, effect=1.5)
    model, scores = batch_choice.fit("auto", X, batches, labels, adapt_samples=8)
    assert model.method in ("center", "combat")
    assert scores[model.method] > scores["none"] + 0.1


def test_batches_that_differ_in_their_classes_are_left_alone():
    X, batches, labels = cohort([0.9, 0.1, 0.9, 0.1], batch_sd=0.3, effect=1.0)
    model, scores = batch_choice.fit("auto", X, batches, labels, adapt_samples=8)
    assert model.method == "none" and scores["none"] > max(scores["center"], scores["combat"])


def test_without_batches_to_hold_out_nothing_is_corrected():
    X, _, labels = cohort([0.5], batch_sd=1.0, effect=1.0)
    model, scores = batch_choice.fit("auto", X, np.repeat("only", len(X)), labels)
    assert model.method == "none" and set(scores.values()) == {None}


def test_a_method_that_was_asked_for_is_taken_and_a_coinciding_design_refused():
    X, batches, labels = cohort([0.5, 0.5], batch_sd=1.0, effect=1.0)
    model, scores = batch_choice.fit("limma", X, batches, labels)
    assert model.method == "limma" and scores is None
    with pytest.raises(Exception, match="batch and target coincide"):
        batch_choice.fit("combat", X, batches, np.where(batches == "b0", "case", "control"))
