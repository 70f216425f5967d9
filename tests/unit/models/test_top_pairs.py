"""ktsp: held to a search through all pairs, and to what makes it portable: only the order within a sample counts."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.models import top_pairs
from tests.unit.models.test_models import expression, quiet


def slow_pairs(X, y, target, k):
    """Pairs by the definition (Tan et al. 2005), one pair and one sample after the other; equal values count half."""
    ranks = np.array([[(np.sum(row < v) + np.sum(row <= v) + 1) / 2 for v in row] for row in X])
    inside = y == target
    scored = []
    for i in range(X.shape[1]):
        for j in range(X.shape[1]):
            if i != j:
                above = np.array([(row[i] > row[j]) + 0.5 * (row[i] == row[j]) for row in X])
                gap = ranks[:, i] - ranks[:, j]
                score = above[inside].mean() - above[~inside].mean()
                gamma = abs(gap[inside].mean() - gap[~inside].mean())
                scored.append((-round(score, 9), -round(gamma, 9), i, j))
    used, kept = set(), []
    for score, _, i, j in sorted(scored):
        if score < 0 and not {i, j} & used and len(kept) < k:
            used |= {i, j}
            kept.append((i, j, -score))
    return kept


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("K", [2, 3])
def test_pairs_equal_those_of_a_search_through_all(seed, K):
    rng = np.random.default_rng(seed)
    y = np.arange(21) % K
    X = rng.poisson(rng.lognormal(1, 1, 12) * (1 + (y[:, None] == 1)), (21, 12))  # small counts: many ties
    targets = [1] if K == 2 else [0, 1, 2]
    chosen = top_pairs.top_pairs(top_pairs.within_sample_ranks(X), y, targets, 12, 4)
    for target in targets:
        own = chosen["target"] == target
        mine = list(zip(*(chosen[name][own].tolist() for name in ("higher", "lower", "score")), strict=True))
        truth = slow_pairs(X, y, target, 4)
        assert [pair[:2] for pair in mine] == [pair[:2] for pair in truth]
        assert_allclose([pair[2] for pair in mine], [pair[2] for pair in truth], atol=1e-8)


def test_only_the_order_within_a_sample_counts():
    X, y = expression()
    new, _ = expression(seed=1, n=30)
    rng = np.random.default_rng(3)

    def distorted(values):
        """Every sample by a growing function of its own: another depth, platform, unit."""
        power, shift = rng.uniform(0.3, 2, len(values)), rng.normal(0, 5, len(values))
        return np.exp(values / 8) ** power[:, None] + shift[:, None]

    model = models.make("ktsp").fit(X, y, log=quiet)
    again = models.make("ktsp").fit(distorted(X), y, log=quiet)
    assert_array_equal(model.predict_proba(new), again.predict_proba(distorted(new)))


def test_the_wilcoxon_filter_keeps_genes_of_both_ends_and_sees_only_its_rows():
    X, y = expression(p=120)
    numbers, ranks = (y == "blue").astype(int), top_pairs.within_sample_ranks(X)
    (kept,) = top_pairs._filtered(ranks, numbers, [1], 20)
    assert len(set(kept.tolist())) == 20 and np.isin(kept, np.arange(30)).mean() > 0.7  # the shifted genes
    model = models.make("ktsp", search={"genes": [20]}).fit(X, y, log=quiet)
    assert np.isin(model.used(), kept).all()


def test_genes_of_pairs_chosen_with_all_labels_do_not_make_noise_look_like_signal():
    losses = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(40, 1500)), np.array(["a", "b"] * 20)
        model = models.make("ktsp", search={"pairs": [3]}).fit(X, y, log=quiet)
        assert model.pairs_["score"].max() > 0.6  # what the training rows themselves would promise
        losses.append(-model.settings_["candidates"][0]["minus_log_loss"])
    assert np.mean(losses) > 0.64  # chance is log 2 = 0.69; 0.3 and less if the filter saw held-out rows


def test_a_vote_and_its_probability_without_calibration():
    X = np.array([[3.0, 1.0, 2.0, 2.0]] * 4 + [[1.0, 3.0, 2.0, 2.0]] * 4)
    y = np.array(["no"] * 4 + ["yes"] * 4)
    model = models.make("ktsp", inner_folds=2, calibration="none", search={"pairs": [1]}).fit(X, y, log=quiet)
    assert [model.pairs_[name].tolist() for name in top_pairs.COLUMNS] == [[1], [0], [1], [1.0]]
    probabilities = model.predict_proba(
        np.array([[0.0, 9.0, 5.0, 5.0], [9.0, 0.0, 5.0, 5.0], [4.0, 4.0, 5.0, 5.0]])
    )
    assert_allclose(
        probabilities[:, 1], [0.75, 0.25, 0.5]
    )  # (1 + 0.5) / (1 + 1), and half a vote where they are equal
    assert_allclose(model.pair_votes(), [[-1.0, 1.0, 0.0, 0.0]])


def test_swapping_the_classes_swaps_the_probabilities():
    X, y = expression(n=30)
    X = np.round(X)  # ties
    probabilities = [
        models.make("ktsp", positive=name).fit(X, y, log=quiet).predict_proba(X) for name in ("amber", "blue")
    ]
    assert_allclose(probabilities[0], probabilities[1][:, ::-1], atol=1e-6)


def test_an_unknown_hyperparameter_is_named():
    with pytest.raises(InputProblem, match="ktsp cannot search k; it searches pairs, genes"):
        models.make("ktsp", search={"k": [3]})


def test_the_models_that_compare_genes_within_a_sample_are_listed():
    """The rules know them by the list, the library by the class."""
    kinds = {name: models.class_of(name, "classification") for name in models.for_task("classification")}
    listed = {name for name, kind in kinds.items() if kind.EXPRESSION == "within_sample"}
    assert listed == models.WITHIN_SAMPLE
    assert models.members("classification", ["ktsp", "dummy", "lasso", "stack", "mlp"]) == ["lasso", "mlp"]
