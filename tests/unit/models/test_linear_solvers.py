"""The solvers of linear models reach one minimum, scikit-learn's, whatever way the shape of the data makes them go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rna2model.models.linear import batched_newton, logistic, newton_path

SHAPES = st.tuples(st.integers(25, 120), st.integers(1, 25), st.integers(3, 7), st.integers(0, 10_000))


def cohort(n, p, K, seed):
    """(Z (n, p) whose columns differ in length and partly say the same, y (n,) with every class)."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % K)
    Z = (
        rng.normal(size=(K, p))[y]
        + rng.normal(size=(n, 3)) @ rng.normal(size=(3, p))
        + rng.normal(size=(n, p))
    )
    return (Z - Z.mean(axis=0)) * np.logspace(0, -2, p), y


def members(Z, y, Cs, folds=3):
    """(loss, targets, weights, C) of every C on all rows and on those of each fold."""
    loss, targets = logistic.logistic_targets(y)
    masks = [np.ones(len(y)), *((np.arange(len(y)) % folds != k).astype(float) for k in range(folds))]
    weights = np.stack([mask for _ in Cs for mask in masks], axis=1)
    C = np.repeat(Cs, len(masks))
    return loss, np.repeat(targets, len(C), axis=1), weights, C


def probabilities(Z, weights, intercept, member):
    return logistic.probabilities(Z @ weights[:, member] + intercept[member])


@settings(max_examples=60, deadline=None)
@given(SHAPES, st.floats(-3, 2))
def test_many_classes_have_scikit_learns_probabilities(shape, power):
    from sklearn.linear_model import LogisticRegression

    Z, y = cohort(*shape)
    Cs = np.array([10.0**power, 10.0 ** (power - 1)])  # not in order: the path sorts them
    loss, targets, weights, C = members(Z, y, Cs)
    A = np.column_stack([Z, np.ones(len(Z))])
    solution = newton_path.solve(loss, A, targets, weights, C, 1e-9)
    for member in (0, len(C) - 1):
        rows = weights[:, member] > 0
        theirs = LogisticRegression(C=C[member], solver="newton-cg", tol=1e-9, max_iter=10_000)
        theirs.fit(Z[rows], y[rows])
        if len(theirs.classes_) == targets.shape[2]:
            ours = probabilities(Z, solution[:-1], solution[-1], member)
            assert np.abs(ours - theirs.predict_proba(Z)).max() < 1e-6


def test_weighted_rows_count_as_often_as_they_weigh():
    Z, y = cohort(60, 8, 4, 1)
    loss, targets = logistic.logistic_targets(y)
    weight = 1.0 + np.arange(60) % 3
    twice = np.repeat(np.arange(60), weight.astype(int))
    one = batched_newton.solve(loss, Z, targets, weight[:, None], np.array([0.3]))
    A = np.column_stack([Z, np.ones(len(Z))])
    by_path = newton_path.solve(loss, A, targets, weight[:, None], np.array([0.3]), 1e-9)
    repeated = newton_path.solve(
        loss, A[twice], targets[twice], np.ones((len(twice), 1)), np.array([0.3]), 1e-9
    )
    for weights_found in (repeated, np.concatenate([one[0], one[1][None]])):
        assert np.abs(by_path - weights_found).max() < 1e-5


@pytest.mark.parametrize(
    "loss", [batched_newton.Logistic, batched_newton.SquaredHinge, batched_newton.Softmax]
)
def test_members_solved_in_turn_are_those_solved_at_once(loss, monkeypatch):
    Z, y = cohort(80, 10, 3, 2)
    _, softmax, weights, C = members(Z, y, np.array([1.0, 0.01, 0.1]))
    targets = softmax
    if loss is not batched_newton.Softmax:
        targets = np.repeat(np.where(y == 0, 1.0, -1.0)[:, None, None], len(C), axis=1)
    solutions = []
    for most in (10**6, 500):
        monkeypatch.setattr(batched_newton, "MEMBER_VALUES", most)
        weights_found, intercept = batched_newton.solve(loss, Z, targets, weights, C, 1e-13)
        free = (
            intercept.mean(axis=1, keepdims=True) if targets.shape[2] > 1 else 0.0
        )  # logits may all rise together
        solutions.append(np.concatenate([weights_found, (intercept - free)[None]]))
    assert np.abs(solutions[0] - solutions[1]).max() < 1e-6


def test_large_members_go_by_the_path_and_give_equal_bytes(monkeypatch):
    Z, y = cohort(100, 12, 5, 3)
    given_to = members(Z, y, np.array([0.1, 10.0]))
    loss, targets, weights, C = given_to
    at_once = batched_newton.solve(loss, Z, targets, weights, C, 1e-13)
    monkeypatch.setattr(batched_newton, "LARGE_MEMBER", 1)
    path = [batched_newton.solve(loss, Z, targets, weights, C) for _ in range(2)]
    assert_array_equal(path[0][0], path[1][0])
    apart = [
        np.abs(probabilities(Z, *path[0], m) - probabilities(Z, *at_once, m)).max() for m in range(len(C))
    ]
    assert max(apart) < 1e-6
    assert not np.array_equal(path[0][0], at_once[0])  # it was another way


def test_classes_that_genes_tell_apart_end_in_numbers():
    """Without noise the weights of a weak penalty grow, and every curvature vanishes."""
    y = np.arange(60) % 6
    Z = 50.0 * (np.eye(6)[y] - 1 / 6)
    loss, targets, weights, C = members(Z, y, np.array([1e4, 1e-6]))
    A = np.column_stack([Z, np.ones(len(Z))])
    solution = newton_path.solve(loss, A, targets, weights, C, 1e-9)
    assert np.isfinite(solution).all()
    assert (probabilities(Z, solution[:-1], solution[-1], 0).argmax(axis=1) == y).all()
