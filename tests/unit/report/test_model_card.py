"""The model card says what the run knows, and names what only the author can say."""

import pytest

from rna2model.report import model_card

VALUE = {"estimate": 0.8, "lower": 0.7, "upper": 0.9, "n": 80}
MANIFEST = {
    "rna2model": "0.1.0",
    "model": "logistic_l2",
    "task": "classification",
    "target": "condition",
    "classes": {"case": 30, "control": 50},
    "training": {"n": 80},
    "counts_unit": "counts",
    "counting": None,
    "normalization": "tmm",
    "batch_correction": "none",
    "batch_column": "centre",
    "genes": {"n": 20000, "sha256": "0"},
    "features": {"selection": "moderated_f", "count": 500, "impute": "mean"},
    "covariates": ["age"],
    "design": {"group": "patient"},
    "expression": {"missing": "refuse"},
    "evaluation": {"folds": 5, "repeats": 2, "inner_folds": 4, "seed": 7},
    "settings": {"imbalance": "smote", "calibration": "isotonic", "threshold": "tuned"},
    "predicts": {"class": "control", "threshold": 0.625, "tuned": True},
    "libraries": {"numpy": "2.4.6", "torch": None},
}


def card(scores=None, **changes):
    return model_card.write({**MANIFEST, **changes}, scores or {"balanced_accuracy": VALUE}, {})


def test_what_the_run_knows_is_filled_in():
    text = card({"balanced_accuracy": VALUE, "permutation": {"p": 0.005, "n": 199, "metric": "auroc"}})
    for fact in (
        "case 30, control 50",
        "80 samples for 20000 annotated genes",
        "| balanced_accuracy | 0.800 (0.700 to 0.900) |",
        "p = 0.005 (199 permutations)",
        "2 x 5-fold cross-validation, seed 7, never dividing a `patient`",
        "`smote`, SMOTE within training samples",
        "`isotonic`, isotonic regression on inner out-of-fold predictions",
        "`tuned`, control is predicted from a probability of 0.625 on: the best balanced accuracy on inner",
        "500 columns chosen by `moderated_f`, with covariates `age`",
        "column `centre`",
        "numpy 2.4.6",
    ):
        assert fact in text, fact
    assert "torch" not in text and "None" not in text


@pytest.mark.parametrize(
    "model, imbalance, sentence",
    [
        ("linear_svm", "auto", "`auto`, classes weighed equally"),
        ("logistic_l2", "auto", "`auto`, classes weighed as they come"),
        ("logistic_l2", "class_weights", "`class_weights`, classes weighed equally"),
        ("mlp", "none", "`none`, classes weighed as they come"),
    ],
)
def test_class_weights_are_those_of_the_model(model, imbalance, sentence):
    assert sentence in card(model=model, settings={**MANIFEST["settings"], "imbalance": imbalance})


def test_what_no_run_knows_is_left_to_the_author_item_by_item():
    text = card()
    left = [line for line in text.splitlines() if model_card.AUTHOR in line]
    for item in (
        "Intended users",
        "Fairness",
        "consent",
        "outcome was determined",
        "External validation",
        "Funding",
    ):
        assert any(item in line for line in left), item
    assert "not compared with those of shuffled labels" in text


def test_scores_on_unseen_batches_and_the_hold_out_stand_beside_those_of_folds():
    scores = {
        "balanced_accuracy": VALUE,
        "leave_one_batch_out": {"balanced_accuracy": {**VALUE, "estimate": 0.55}},
    }
    text = card({**scores, "holdout": {"balanced_accuracy": {**VALUE, "n": 12}}})
    assert "On batches that training never saw: balanced_accuracy 0.550" in text
    assert "On the fixed hold-out, scored once: balanced_accuracy 0.800 (0.700 to 0.900), n = 12" in text


@pytest.mark.parametrize(
    ("task", "more", "sentence"),
    [
        ("regression", {"classes": {}, "range": [20.0, 80.0]}, "a number; 20 to 80 in the training samples"),
        ("survival", {"landmarks": {"survival_12": 12.0}}, "probability to be without event at 12"),
    ],
)
def test_other_tasks_have_no_classes_to_balance(task, more, sentence):
    metric = {"regression": "r2", "survival": "harrell_c"}[task]
    text = card({metric: VALUE}, task=task, **more)
    assert sentence in text and f"| {metric} |" in text and "imbalance" not in text


def test_a_bundle_of_an_older_version_has_a_card_too():
    old = {
        key: value
        for key, value in MANIFEST.items()
        if key not in ("settings", "design", "expression", "genes")
    }
    text = model_card.write(old, {"balanced_accuracy": {**VALUE, "n": 20}}, {})
    assert "**Warning: 20 test samples" in text
