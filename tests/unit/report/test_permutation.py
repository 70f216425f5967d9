"""What report, methods and model card say of a permutation test: which p leads, its statistic, its grid, and what was held fixed."""

from rna2model.evaluation.permutation import draws
from rna2model.report import permutation
from tests.unit.report.test_model_card import VALUE, card

OVER = {"statistic": 0.7, "p": 0.01, "n": 199, "metric": "auroc", "mean": 0.5, "sd": 0.06}
GRID = {"candidates": 5, "candidates_in_training": 10}
WITHIN = {**OVER, "p": 0.41, "n": 99, "cramers_v": 0.4, "associated": True}
MANIFEST = {"batch_correction": "none", "features": {"selection": "none"}, "files": {"model/model.json": ""}}


def test_the_p_within_batches_leads_where_batch_and_label_go_together():
    sentence = permutation.sentence(OVER | {"within_batches": WITHIN})
    assert (
        sentence.index("p = 0.4100") < sentence.index("p = 0.0100")
        and "Cramer's V 0.40" in sentence
        and "quote that one" in sentence
    )
    apart = permutation.sentence(OVER | {"within_batches": WITHIN | {"cramers_v": 0.05, "associated": False}})
    assert apart.index("p = 0.0100") < apart.index("p = 0.4100") and "quote that one" not in apart
    note = {
        "note": "no permutation test within batches is possible: ...",
        "cramers_v": 1.0,
        "associated": True,
    }
    assert "No permutation test within batches" in permutation.sentence(OVER | {"within_batches": note})
    assert "batch" not in permutation.sentence(OVER)
    assert permutation.quoted(OVER | {"within_batches": WITHIN}).startswith("p = 0.4100 (99 permutations")
    assert permutation.quoted(OVER) == "p = 0.0100 (199 permutations of the labels over the cohort)"


def test_statistic_grid_and_what_was_held_fixed_are_named():
    explanation = permutation.explained(OVER | GRID, MANIFEST)
    assert "The statistic of this p is the AUROC within folds, averaged over folds (0.700)." in explanation
    assert "tuned over 5 candidates" in explanation and "instead of the 10 of training" in explanation
    assert "Repeated for every permutation: scaling, tuning, fit." in explanation
    assert (
        "Held fixed, as they were on the training samples of each fold: the folds, gene filter, normalization."
        in explanation
    )
    corrected = MANIFEST | {
        "batch_correction": "combat",
        "covariates": ["age"],
        "expression": {"protect_target": True},
    }
    corrected["features"] = {"selection": "moderated_f"}
    explanation = permutation.explained(OVER | {"candidates": 10, "candidates_in_training": 10}, corrected)
    assert "scaling, feature selection, tuning, fit" in explanation and "candidates" not in explanation
    assert (
        "normalization, batch correction, imputation of covariates" in explanation
        and "p may be too small" in explanation
    )
    sets = permutation.explained(OVER, MANIFEST | {"files": {"features.safetensors": ""}})
    assert "normalization, gene-set scores." in sets


def test_the_model_card_has_the_same():
    text = card({"balanced_accuracy": VALUE, "permutation": OVER | GRID | {"within_batches": WITHIN}})
    assert "Labels shuffled within batches reached this auroc with p = 0.41 (99 permutations)" in text
    assert "Over the cohort p = 0.01 (199 permutations)" in text and "tuned over 5 candidates" in text


def test_batches_and_classes_that_go_together_are_told_from_those_that_do_not():
    together = draws.association([0, 1] * 50, [0, 1] * 35 + [1, 0] * 15)
    assert together == {"cramers_v": 0.4, "associated": True}
    apart = draws.association([0, 1] * 20, [0, 0, 1, 1] * 10)
    assert apart == {"cramers_v": 0.0, "associated": False}


def test_metrics_keep_the_test_without_the_scores_of_its_permutations():
    kept = draws.without_values({"p": 1, "values": [1], "within_batches": {"p": 1, "values": [2]}})
    assert kept == {"p": 1, "within_batches": {"p": 1}}
