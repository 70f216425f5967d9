"""The loop that trains torch models: many networks in one program, and what a neighbour or a fold must not change."""

from collections import namedtuple
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.models.neural import data, inputs, loop, losses
from rna2model.models.neural.base import X_of
from tests.unit.models.test_models import expression, make, quiet

TORCH = sorted(models.TORCH)
AXES = ["autoencoder", "mlp", "vae"]


def network_of(name):
    """A small network of a model, as the loop sees it."""
    small = {
        "hidden": [6],
        "latent": [3],
        "heads": [2],
        "size": [4],
        "genes": [20],
        "length": [6],
        "channels": [3],
    }
    kind = models.class_of(name, "classification")
    return kind(search={k: v for k, v in small.items() if k in kind.SEARCH})


def folds_of(n=24, widths=(12, 12, 9), valid=6, seed=0):
    """Folds with rows of their own, of several widths; every one holds out other rows."""
    rng, made = np.random.default_rng(seed), []
    for number, width in enumerate(widths):
        held_out = np.arange(n) // valid == number
        weights = (~held_out).astype(float), held_out.astype(float), (~held_out).astype(float)
        made.append(data.TorchFold(rng.normal(size=(n, width)).astype(np.float32), *weights, number))
    return made


def plan_of(epochs=6, loss=losses.cross_entropy, **more):
    return loop.Plan(loss=loss, epochs=epochs, log=quiet, **more)


SETTINGS = [
    {"learning_rate": rate, "weight_decay": decay, "dropout": dropout, "auxiliary": 0.3, "seed": seed}
    for rate, decay, dropout, seed in product([0.01, 0.03], [0.1], [0.2, 0.5], [1, 7])
]
LABELS = np.eye(2)[np.arange(24) % 2]


@pytest.mark.parametrize("name", TORCH)
def test_networks_trained_together_are_those_trained_one_by_one(name):
    """Hyperparameters x folds x seeds in one program; folds with fewer columns are padded with zeros."""
    network = network_of(name)._network({k: v[0] for k, v in network_of(name).search.items()})
    together = loop.train(network, folds_of(), SETTINGS, LABELS, plan_of())
    for f, c in ((0, 0), (1, 3), (2, 5), (2, 7)):
        alone = loop.train(network, [folds_of()[f]], [SETTINGS[c]], LABELS, plan_of())
        assert_allclose(together.curve[:, f, c], alone.curve[:, 0, 0], rtol=1e-4)
        for key, weights in alone.weights.items():
            stacked = together.weights[key][f, c].detach().numpy()
            own = stacked[tuple(slice(size) for size in weights.shape[2:])]
            assert_allclose(own, weights[0, 0].detach().numpy(), atol=2e-4)


def test_minibatches_do_not_depend_on_the_neighbours_either():
    network = network_of("mlp")._network({"hidden": 6})
    small = {"minibatch": 7, "epochs": 4}
    together = loop.train(network, folds_of(), SETTINGS, LABELS, plan_of(**small))
    alone = loop.train(network, folds_of()[2:], SETTINGS[3:4], LABELS, plan_of(**small))
    assert together.steps == 4 * 4  # 24 rows in four parts
    assert_allclose(together.curve[:, 2, 3], alone.curve[:, 0, 0], rtol=1e-4)


def test_every_row_is_trained_on_once_per_epoch():
    rows = data.TorchRows(folds_of(n=50, valid=10), np.arange(50.0)[:, None], "cpu", 16, seed=1)
    seen = [[], [], []]
    for _, truth, weight, _ in rows.minibatches(1):
        for f in range(3):
            seen[f] += truth[f, 0, weight[f, 0] > 0, 0].tolist()
    assert [sorted(one) for one in seen] == [[i for i in range(50) if i // 10 != f] for f in range(3)]


def noisy(n=24):
    """Labels without any relation to the rows: training overfits, and the validation loss rises."""
    return np.eye(2)[np.random.default_rng(5).integers(0, 2, n)]


def test_a_network_that_stopped_improving_is_frozen_while_others_go_on():
    network, folds = network_of("mlp")._network({"hidden": 6}), folds_of()
    for fold in folds:
        fold.rows[:, 0] += LABELS[:, 0]  # something to learn, beside eleven columns of noise
    settings = [{**SETTINGS[0], "learning_rate": rate} for rate in (0.2, 0.0005)]
    program = loop.train(network, folds, settings, LABELS, plan_of(60, patience=5))
    ended = program.best_epoch[:, 0] + 5
    assert (ended < 30).all() and len(program.curve) == 60
    for f in range(3):
        own = program.curve[:, f, 0]
        assert own.argmin() + 1 == program.best_epoch[f, 0]
        assert_array_equal(own[ended[f] :], own[-1])  # its weights no longer move
        assert len(set(own[: ended[f]])) == ended[f]
    assert program.live.tolist() == [1]  # and it left the program once all its folds had ended


def test_folds_of_a_setting_can_end_together_by_their_mean_loss():
    network = network_of("mlp")._network({"hidden": 6})
    settings = [{**SETTINGS[0], "learning_rate": 0.2}]
    program = loop.train(network, folds_of(), settings, noisy(), plan_of(60, patience=5, together=True))
    mean = program.curve[:, :, 0].mean(axis=1)
    assert (program.best_epoch == mean.argmin() + 1).all() and len(mean) == mean.argmin() + 1 + 5


def test_a_diverged_network_does_not_disturb_the_others():
    network = network_of("mlp")._network({"hidden": 6})
    settings = [{**SETTINGS[0], "learning_rate": 1e30}, SETTINGS[1]]
    program = loop.train(network, folds_of(), settings, LABELS, plan_of())
    alone = loop.train(network, folds_of(), settings[1:], LABELS, plan_of())
    assert np.isinf(program.curve[-1, :, 0]).all()
    assert_allclose(program.curve[:, :, 1], alone.curve[:, :, 0], rtol=1e-4)


@pytest.mark.parametrize("name", TORCH)
def test_a_fold_can_bring_its_own_genes(name):
    """Genes chosen inside each fold, with other numbers of genes: the fold's loss is that of its own columns."""
    Chosen = namedtuple("Chosen", "train valid")
    X, y = expression(n=24, p=40)
    numbers = np.unique(y, return_inverse=True)[1]
    pairs = [
        (np.flatnonzero(np.arange(24) % 3 != k), np.flatnonzero(np.arange(24) % 3 == k)) for k in range(3)
    ]

    class Fold(Chosen):
        X = None

    def curves(widths):
        folds = [Fold(*pair) for pair in pairs]
        for fold, width in zip(folds, widths, strict=True):
            fold.X = X[:, :width] if width else None
        assert X_of(folds[0]) is folds[0].X and X_of(pairs[0]) is None
        model = make(name)
        model.EPOCHS = 8
        model.classes_, model.settings_ = ["amber", "blue"], {"notes": []}
        seen, inner = {}, model._train

        def spy(*given, **more):
            program = inner(*given, **more)
            seen.setdefault(given[5].split()[1], program.curve[:, :, 0])
            return program

        model._train = spy
        model._fit(X, numbers, folds, quiet)
        return seen["tuning"]

    whole = curves((None, None, None))
    assert_allclose(curves((40, 40, 40)), whole, rtol=1e-4)
    mixed = curves((40, 22, 31))
    assert_allclose(mixed[:, 0], whole[:, 0], rtol=1e-3)
    assert np.abs(mixed[:, 1:] - whole[:, 1:]).max() > 1e-3


def test_many_samples_and_genes_are_trained_without_axes(monkeypatch):
    """Beyond LARGEST_RANK the genes themselves are the coordinates, and folds share one copy of the rows."""
    monkeypatch.setattr(inputs, "LARGEST_RANK", 20)
    X, y = expression(n=60, p=40)
    model = models.make("mlp", search={"weight_decay": [0.01], "learning_rate": [0.003], "dropout": [0.2]})
    model.fit(X, y, log=quiet)
    new, truth = expression(n=60, p=40, seed=2)
    assert (model.predict(new) == truth).mean() > 0.85
    shared = inputs.Source(X)
    assert shared.axes(np.arange(9)).rows is shared.axes(np.arange(30)).rows
