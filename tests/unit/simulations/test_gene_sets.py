"""Gene sets of variable genes and labels that say nothing: the p of a set does not know how much its genes vary."""

import numpy as np

from rna2model import models
from rna2model.explain import gene_set_importance, importance, null_models


def cohort(seed, planted=0.0, n=60, genes=1000):
    """(X, labels, members): a fifth of the genes vary four times as much; 20 sets of those and 20 of others, of 20 genes each."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 2)
    spread = np.where(np.arange(genes) < genes // 5, 4.0, 1.0)
    X = rng.normal(size=(n, genes)) * spread
    X[:, 900:920] += planted * y[:, None]
    members = {f"variable {i}": rng.choice(genes // 5, 20, replace=False) for i in range(20)}
    members |= {f"other {i}": genes // 5 + rng.choice(genes // 2, 20, replace=False) for i in range(20)}
    return X, np.array(["ill", "well"])[y], {**members, "planted": np.arange(900, 920)}


def sets_of(X, labels, members):
    model = models.make("logistic_l2", inner_folds=3).fit(X, labels, log=lambda *_: None)
    effect, _ = importance.effects(model, X, X.mean(axis=0))
    outcomes = null_models.draw("classification", labels, None, [np.arange(len(X))], 100, seed=1)
    names = [f"g{i}" for i in range(X.shape[1])]
    sets = {name: [names[i] for i in columns] for name, columns in members.items()}
    residuals = X - np.stack([X[labels == label].mean(axis=0) for label in labels])
    control = null_models.effects(model, X, outcomes, X)
    return gene_set_importance.table(names, {}, sets, ["well"], effect, members, residuals, control)


def test_sets_of_variable_genes_have_a_uniform_p_when_labels_say_nothing():
    """The median p of such sets was 4e-6 by a rank test of |coefficient x sd|; their `chance` says why."""
    parts = [sets_of(*cohort(seed)) for seed in range(10)]
    variable = [part[part["gene_set"].str.startswith("variable")] for part in parts]
    p = np.concatenate([part["p"] for part in variable])
    assert 0.2 < np.median(p) < 0.8 and np.mean(p <= 0.05) <= 0.1
    assert np.mean([part["auc"].mean() for part in variable]) > 0.65  # large effects, whatever the labels
    assert np.mean([part["chance"].mean() for part in variable]) > 0.65
    assert np.mean([(part["fdr"] < 0.05).any() for part in parts]) <= 0.2


def test_a_set_that_knows_the_label_is_found_among_sets_that_only_vary():
    for seed in range(3):
        table = sets_of(*cohort(seed, planted=1.0)).set_index("gene_set")
        assert table.index[0] == "planted" and table.loc["planted", "fdr"] < 0.05
