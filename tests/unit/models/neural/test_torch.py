"""The loop that trains torch models: many networks in one program, and what a neighbour or a fold must not change."""

from collections import namedtuple
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.models.neural import data, inputs, loop, losses, stack
from rna2model.models.neural.base import X_of
from rna2model.models.neural.coordinates import constructor
from tests.unit.models.test_models import expression, make, quiet

TORCH = sorted(models.TORCH)
AXES = ["autoencoder", "mlp", "vae"]


SMALL = {"hidden": 6, "latent": 3, "heads": 2, "size": 4, "length": 6, "channels": 3}


def build_of(name, outputs=2):
    """A function of (setting, fold) that makes a small network of a model, as loop.train takes it."""
    network = models.class_of(name, "classification").network

    def build(setting, fold):
        sizes = {key: value for key, value in {**SMALL, **setting}.items() if key in constructor(network)}
        return network(fold.rows.shape[1], outputs, **sizes)

    return build


def groups_of(name, folds):
    """The folds that share a stack: all where a first layer reads expression, else those of one width."""
    if hasattr(models.class_of(name, "classification").network, "FIRST_LAYER"):
        return None
    widths = [fold.rows.shape[1] for fold in folds]
    return [[f for f, own in enumerate(widths) if own == width] for width in sorted(set(widths))]


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


def assert_equal_networks(together, alone, f, c, apart=()):
    """The network of fold f and setting c of a program is the only one of another; `apart`: weights that may differ."""
    assert_allclose(together.curve[:, f, c], alone.curve[:, 0, 0], rtol=1e-4)
    for key, weights in alone.weights()[0].items():
        stacked = together.weights()[f][key][c]
        if key not in apart:
            own = stacked[tuple(slice(size) for size in weights[0].shape)]
            assert_allclose(own, weights[0], atol=2e-4)


@pytest.mark.parametrize("name", TORCH)
def test_networks_trained_together_are_those_trained_one_by_one(name):
    """Hyperparameters x folds x seeds in one program; folds with fewer columns are padded with zeros, or have their own stack."""
    build, groups = build_of(name), groups_of(name, folds_of())
    together = loop.train(build, folds_of(), SETTINGS, LABELS, plan_of(groups=groups))
    for f, c in ((0, 0), (1, 3), (2, 5), (2, 7)):
        alone = loop.train(build, [folds_of()[f]], [SETTINGS[c]], LABELS, plan_of())
        assert_equal_networks(together, alone, f, c)


def test_a_network_is_trained_as_torch_trains_it():
    """torch.optim.AdamW on one module, biases without decay; the reference of all others."""
    fold, setting = folds_of()[0], {**SETTINGS[0], "dropout": 0.0}
    program = loop.train(build_of("mlp"), folds_of(), [setting, SETTINGS[1]], LABELS, plan_of(epochs=20))
    network = stack.drawn(lambda: build_of("mlp")(setting, fold), setting["seed"], fold.number)
    weights = {
        bias: [w for n, w in network.named_parameters() if n.endswith("bias") is bias]
        for bias in (False, True)
    }
    groups = [{"params": weights[True], "weight_decay": 0.0}, {"params": weights[False], "weight_decay": 0.1}]
    optimizer = torch.optim.AdamW(groups, lr=setting["learning_rate"])
    rows, truth = torch.tensor(fold.rows[fold.train > 0]), torch.tensor(LABELS[fold.train > 0].argmax(axis=1))
    for _ in range(20):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(rows), truth).backward()
        optimizer.step()
    for name, weight in network.named_parameters():
        assert_allclose(program.weights()[0][name][0], weight.detach().numpy(), atol=1e-5)


class Recurrent(torch.nn.Module):
    """A network that torch cannot vectorise: it branches on a value."""

    def __init__(self, n_features, n_outputs, dropout=0.2):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(n_features)
        self.layer = torch.nn.Linear(n_features, n_outputs)
        self.drop = torch.nn.Dropout(dropout)

    def forward(self, x):
        x = self.norm(x)
        return self.layer(self.drop(x) if float(x.detach().abs().sum()) > -1 else x)


class Vectorised(Recurrent):
    """The same network without the branch."""

    def forward(self, x):
        return self.layer(self.drop(self.norm(x)))


def test_a_network_that_cannot_be_vectorised_is_trained_all_the_same():
    """One after the other, to the same weights, statistics of batches included."""

    def trained(network):
        setting = {**SETTINGS[0], "dropout": 0.0}
        build = lambda _, fold: network(fold.rows.shape[1], 2, 0.0)  # noqa: E731
        return loop.train(build, folds_of(widths=(12, 12)), [setting], LABELS, plan_of())

    in_turn, together = trained(Recurrent), trained(Vectorised)
    assert not in_turn.stacks[0][1]._side_by_side and together.stacks[0][1]._side_by_side
    assert_allclose(in_turn.curve, together.curve, rtol=1e-4)
    for name, weights in together.weights()[1].items():
        assert_allclose(in_turn.weights()[1][name], weights, atol=2e-4)
    statistics = [program.stacks[0][1].buffers for program in (in_turn, together)]
    for name in statistics[0]:
        assert_allclose(*(one[name].numpy() for one in statistics), rtol=1e-4)
    fold = folds_of()[1]
    mean = fold.rows[fold.train > 0].mean(axis=0)
    assert_allclose(statistics[0]["norm.running_mean"][0, 1], mean * (1 - 0.9**6), atol=1e-5)


def test_minibatches_do_not_depend_on_the_neighbours_either():
    small = {"minibatch": 7, "epochs": 4}
    together = loop.train(build_of("mlp"), folds_of(), SETTINGS, LABELS, plan_of(**small))
    alone = loop.train(build_of("mlp"), folds_of()[2:], SETTINGS[3:4], LABELS, plan_of(**small))
    assert together.steps == 4 * 4  # 24 rows in four parts
    assert_allclose(together.curve[:, 2, 3], alone.curve[:, 0, 0], rtol=1e-4)


def test_every_row_is_trained_on_once_per_epoch():
    rows = data.TorchRows(folds_of(n=50, valid=10), np.arange(50.0)[:, None], "cpu", 16, seed=1)
    seen = [[], [], []]
    for _, truth, weight, _ in rows.minibatches(1):
        for f in range(3):
            seen[f] += truth[f, 0, weight[f, 0] > 0, 0].tolist()
    assert [sorted(one) for one in seen] == [[i for i in range(50) if i // 10 != f] for f in range(3)]


def test_a_setting_that_stopped_improving_ends_while_others_go_on():
    folds = folds_of()
    for fold in folds:
        fold.rows[:, 0] += LABELS[:, 0]  # something to learn, beside eleven columns of noise
    settings = [{**SETTINGS[0], "learning_rate": rate} for rate in (0.2, 0.0005)]
    program = loop.train(build_of("mlp"), folds, settings, LABELS, plan_of(60, patience=5))
    ended = program.best_epoch[0] + 5
    assert ended < 30 < len(program.curve)
    mean = program.curve.mean(axis=1)[:, 0]
    assert mean.argmin() + 1 == program.best_epoch[0]
    assert_array_equal(mean[ended:], mean[-1])  # it is no longer trained
    assert len(set(mean[:ended])) == ended
    alone = loop.train(build_of("mlp"), folds, settings[1:], LABELS, plan_of(60, patience=5))
    assert_allclose(program.curve[:, :, 1], alone.curve[:, :, 0], rtol=1e-3)  # who left changed nothing


def test_a_diverged_network_does_not_disturb_the_others():
    settings = [{**SETTINGS[0], "learning_rate": 1e30}, SETTINGS[1]]
    program = loop.train(build_of("mlp"), folds_of(), settings, LABELS, plan_of())
    alone = loop.train(build_of("mlp"), folds_of(), settings[1:], LABELS, plan_of())
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
        model.columns_, model.n_genes_ = None, 40
        seen, inner = {}, model._train

        def spy(*arguments):
            program = inner(*arguments)
            seen.setdefault(arguments[-1].split()[1], program.curve[:, :, 0])
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
