"""Labels that a frozen bundle never saw: set aside and named, never scored, never silently another class."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort
from rna2model.core.errors import InputProblem
from rna2model.evaluation import classification, delong
from rna2model.serving import predict, unknown_labels

DESIGN = {"task": "classification", "target": "condition", "group": None, "batch": None, "covariates": []}


def validated(labels, seed=1):
    """(table, scores) of 40 samples whose true class is predicted perfectly, under the labels that the sheet gives."""
    n = len(labels)
    truth = np.repeat(["case", "control"], n // 2)
    case = np.where(truth == "case", 0.9, 0.1) - np.random.default_rng(seed).uniform(0, 0.05, n)
    names = [f"s{i}" for i in range(n)]
    table = pd.DataFrame({"sample": names, "predicted": truth, "prob_case": case, "prob_control": 1 - case})
    table["flags"] = ["odd", *[""] * (n - 1)]
    data = cohort.Cohort(np.zeros((n, 1)), names, ["g"], None, {"condition": list(labels)})
    return predict.validate(table, data, names, DESIGN, seed=1)


@pytest.mark.parametrize("typo", ["csae", "Case", "case ", "patient", "something else"])
def test_one_typo_in_forty_changes_no_score(typo):
    """AUROC 1.00 stays 1.00 (a class of its own made it .83), and so does every other number of the other 39."""
    labels = np.repeat(["case", "control"], 20).astype(object)
    labels[0] = typo
    table, scores = validated(labels)
    assert scores["auroc"]["estimate"] == 1.0 and scores["auroc"]["n"] == 39
    assert scores["balanced_accuracy"]["estimate"] == 1.0
    others = table[1:]
    assert scores == delong.replace(classification.metrics(others, seed=1), classification.read(others))
    assert len(table) == 40 and table["truth"][0] == typo and table["prob_case"][0] > 0.8
    assert unknown_labels.of(table) == {"s0": typo}
    assert table["flags"][0].startswith(
        f"odd; label {typo!r} is none of the model's classes ('case', 'control')"
    )
    assert set(table["flags"][1:]) == {""}


def test_nobody_left_is_refused_with_the_labels_of_both_sides():
    labels = np.repeat(["Case", "Control"], 20)
    with pytest.raises(InputProblem) as caught:
        validated(labels)
    assert "its classes are 'case', 'control'" in str(caught.value)
    assert "'Case' (20 samples; did you mean 'case'?)" in str(caught.value)


@pytest.mark.parametrize(
    ("label", "known", "meant"),
    [
        ("csae", ["case", "control"], "case"),
        ("contrl", ["case", "control"], "control"),
        ("CONTROL", ["case", "control"], "control"),
        ("control ", ["case", "control"], "control"),
        ("healthy", ["case", "control"], "control"),
        ("tumour", ["tumor", "normal"], "tumor"),
        ("cancer", ["tumor", "normal"], "tumor"),
        ("F", ["female", "male"], "female"),
        ("1.0", ["0", "1"], "1"),
        ("non-responder", ["responder", "nonresponder"], "nonresponder"),
        ("stage2", ["stage1", "stage3"], None),
        ("2", ["0", "1"], None),
        ("benign", ["case", "control"], None),
        ("relapse", ["case", "control"], None),
        ("subtype AB", ["subtype A", "subtype B"], None),  # either could be meant
    ],
)
def test_a_near_miss_is_a_question_and_what_could_be_two_is_not(label, known, meant):
    question = unknown_labels.suggestion(label, known)
    assert question == (f"; did you mean {meant!r}?" if meant else "")


def test_typos_at_random_are_found_again():
    """One letter lost, doubled or exchanged with its neighbour, in any place of common names."""
    known = ["responder", "untreated", "squamous"]
    for name in known:
        for place in range(1, len(name) - 1):
            lost, doubled = name[:place] + name[place + 1 :], name[:place] + name[place] + name[place:]
            turned = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
            for typo in {lost, doubled, turned, name.title()} - {name}:
                assert unknown_labels.suggestion(typo, known) == f"; did you mean {name!r}?", typo
