"""docs/trust.md is true: twenty checks, each held by tests that exist; and the first of them."""

import re

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import splits
from rna2model.evaluation import ranking
from rna2model.expression.features import selection


def test_every_check_names_tests_that_exist(repository):
    text = (repository / "docs/trust.md").read_text()
    rows = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", text, re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 21))
    for number, cell in rows:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", cell)
        assert named, f"check {number} names no test"
        for file, test in named:
            places = list((repository / "tests").glob(file if "/" in file else f"unit/**/{file}"))
            assert any(f"def {test}(" in path.read_text() for path in places), (
                f"check {number}: {file}::{test} does not exist"
            )


@pytest.mark.parametrize(
    "options", [{}, {"imbalance": "smote", "calibration": "sigmoid", "threshold": "tuned"}]
)
def test_shuffled_labels_give_an_auroc_of_a_half(options):
    """Genes with a strong signal, labels shuffled 30 times, genes chosen by the shuffled labels: within 0.45 to 0.55."""
    rng, aurocs = np.random.default_rng(5), []
    y = np.repeat(["a", "b"], [36, 24])
    X = rng.normal(size=(60, 300))
    X[y == "b", :30] += 1.5
    for seed in range(30):
        shuffled = rng.permutation(y)
        manifest = splits.make([f"s{i:02}" for i in range(60)], shuffled, folds=3, seed=seed)
        test = [int(name[1:]) for name in splits.test_samples(manifest, "r1f1")]
        train = np.setdiff1d(np.arange(60), test)
        model = models.make("logistic_l2", inner_folds=3, **options)
        model.fit(
            X[train], shuffled[train], select=selection.Selector("moderated_f", 40), log=lambda *_: None
        )
        truth, alone = (shuffled[test] == "b").astype(int), np.ones((1, len(test)))
        scores = model.predict_proba(X[test])
        aurocs.append(ranking.fold_means("auroc", scores, truth, np.zeros(len(test)), alone)[0][0])
    assert 0.45 < np.mean(aurocs) < 0.55
