"""The torch models: one loop, many networks at once, and what a kill, a fold or a neighbour must not change."""

import json
import signal
import subprocess
import sys
from collections import namedtuple
from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from test_models import expression, make, quiet

from rna2model import models
from rna2model.errors import InputProblem
from rna2model.models import attribution, coordinates, pretrained, torch_data, torch_loop, torch_losses
from rna2model.models.torch_model import X_of

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
    kind = models._class(name, "classification")
    return kind(search={k: v for k, v in small.items() if k in kind.SEARCH})


def folds_of(n=24, widths=(12, 12, 9), valid=6, seed=0):
    """Folds with rows of their own, of several widths; every one holds out other rows."""
    rng, made = np.random.default_rng(seed), []
    for number, width in enumerate(widths):
        held_out = np.arange(n) // valid == number
        weights = (~held_out).astype(float), held_out.astype(float), (~held_out).astype(float)
        made.append(torch_data.Fold(rng.normal(size=(n, width)).astype(np.float32), *weights, number))
    return made


def plan_of(epochs=6, loss=torch_losses.cross_entropy, **more):
    return torch_loop.Plan(loss=loss, epochs=epochs, log=quiet, **more)


SETTINGS = [
    {"learning_rate": rate, "weight_decay": decay, "dropout": dropout, "auxiliary": 0.3, "seed": seed}
    for rate, decay, dropout, seed in product([0.01, 0.03], [0.1], [0.2, 0.5], [1, 7])
]
LABELS = np.eye(2)[np.arange(24) % 2]


# One program for all networks


@pytest.mark.parametrize("name", TORCH)
def test_networks_trained_together_are_those_trained_one_by_one(name):
    """Hyperparameters x folds x seeds in one program; folds with fewer columns are padded with zeros."""
    network = network_of(name)._network({k: v[0] for k, v in network_of(name).search.items()})
    together = torch_loop.train(network, folds_of(), SETTINGS, LABELS, plan_of())
    for f, c in ((0, 0), (1, 3), (2, 5), (2, 7)):
        alone = torch_loop.train(network, [folds_of()[f]], [SETTINGS[c]], LABELS, plan_of())
        assert_allclose(together.curve[:, f, c], alone.curve[:, 0, 0], rtol=1e-4)
        for key, weights in alone.weights.items():
            stacked = together.weights[key][f, c].detach().numpy()
            own = stacked[tuple(slice(size) for size in weights.shape[2:])]
            assert_allclose(own, weights[0, 0].detach().numpy(), atol=2e-4)


def test_minibatches_do_not_depend_on_the_neighbours_either():
    network = network_of("mlp")._network({"hidden": 6})
    small = {"minibatch": 7, "epochs": 4}
    together = torch_loop.train(network, folds_of(), SETTINGS, LABELS, plan_of(**small))
    alone = torch_loop.train(network, folds_of()[2:], SETTINGS[3:4], LABELS, plan_of(**small))
    assert together.steps == 4 * 4  # 24 rows in four parts
    assert_allclose(together.curve[:, 2, 3], alone.curve[:, 0, 0], rtol=1e-4)


def test_every_row_is_trained_on_once_per_epoch():
    rows = torch_data.Rows(folds_of(n=50, valid=10), np.arange(50.0)[:, None], "cpu", 16, seed=1)
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
    program = torch_loop.train(network, folds, settings, LABELS, plan_of(60, patience=5))
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
    program = torch_loop.train(network, folds_of(), settings, noisy(), plan_of(60, patience=5, together=True))
    mean = program.curve[:, :, 0].mean(axis=1)
    assert (program.best_epoch == mean.argmin() + 1).all() and len(mean) == mean.argmin() + 1 + 5


def test_a_diverged_network_does_not_disturb_the_others():
    network = network_of("mlp")._network({"hidden": 6})
    settings = [{**SETTINGS[0], "learning_rate": 1e30}, SETTINGS[1]]
    program = torch_loop.train(network, folds_of(), settings, LABELS, plan_of())
    alone = torch_loop.train(network, folds_of(), settings[1:], LABELS, plan_of())
    assert np.isinf(program.curve[-1, :, 0]).all()
    assert_allclose(program.curve[:, :, 1], alone.curve[:, :, 0], rtol=1e-4)


# Losses

TIME, EVENT = [2, 3, 3, 3, 5, 5, 7, 8, 8, 9], [1, 1, 1, 0, 1, 1, 0, 1, 1, 0]
HAZARD = [0.5, -1, 0.3, 0.8, -0.2, 1.1, 0, -0.7, 0.4, 0.2]
CASES = {"ones": np.ones(10), "weighted": np.array([1, 2, 1, 1, 0.5, 1, 1, 3, 1, 1])}


def cox(loss, weight, hazard=HAZARD):
    truth = torch.tensor(np.column_stack([TIME, EVENT]))[None, None]
    return loss(
        torch.tensor(hazard, dtype=torch.float64)[None, None, :, None],
        truth,
        torch.tensor(weight)[None, None],
    )


@pytest.mark.parametrize(
    ("loss", "case", "expected"),
    [  # -coxph(Surv(time, event) ~ hazard, weights, ties, init=1, iter.max=0)$loglik[2] / sum(weights * event), survival 3.5.3
        (torch_losses.cox_efron, "ones", 1.8514720546),
        (torch_losses.cox_efron, "weighted", 2.1119391727),
        (torch_losses.cox_breslow, "ones", 1.9538802100),
        (torch_losses.cox_breslow, "weighted", 2.2348645840),
    ],
)
def test_cox_partial_likelihood_is_that_of_r(loss, case, expected):
    assert cox(loss, CASES[case]).item() == pytest.approx(expected, rel=1e-10)


def test_cox_ignores_rows_of_weight_zero_and_stands_large_hazards():
    keep = np.array([1, 1, 0, 1, 1, 1, 0, 1, 1, 1], dtype=float)
    changed = np.where(keep > 0, HAZARD, 700.0)
    for loss in (torch_losses.cox_efron, torch_losses.cox_breslow):
        assert cox(loss, keep).item() == pytest.approx(cox(loss, keep, changed).item(), rel=1e-12)
        assert cox(loss, np.ones(10), np.array(HAZARD) + 800.0).item() == pytest.approx(
            cox(loss, np.ones(10)).item(), rel=1e-9
        )
        assert cox(loss, np.zeros(10)).item() == 0.0
        hazard = torch.tensor(HAZARD, dtype=torch.float64, requires_grad=True)
        truth = torch.tensor(np.column_stack([TIME, EVENT]))[None, None]
        assert torch.autograd.gradcheck(
            lambda h, loss=loss, truth=truth: loss(h[None, None, :, None], truth, torch.ones(1, 1, 10)),
            hazard,
        )


def test_squared_error_and_cross_entropy_are_weighted_means():
    rng = np.random.default_rng(0)
    output, truth, weight = (
        rng.normal(size=(2, 3, 5, 2)),
        rng.normal(size=(2, 1, 5, 2)),
        rng.random((2, 1, 5)),
    )
    found = torch_losses.squared_error(*map(torch.tensor, (output, truth, weight)))
    expected = np.average(((output - truth) ** 2).sum(-1), axis=2, weights=np.repeat(weight, 3, axis=1))
    assert_allclose(found, expected)
    labels = np.eye(2)[rng.integers(0, 2, (2, 1, 5))]
    logs = output - np.log(np.exp(output).sum(-1, keepdims=True))
    found = torch_losses.cross_entropy(*map(torch.tensor, (output, labels, weight)))
    assert_allclose(found, np.average(-(logs * labels).sum(-1), axis=2, weights=np.repeat(weight, 3, axis=1)))


@pytest.mark.parametrize("loss", [torch_losses.squared_error, torch_losses.cox_efron])
def test_the_loop_learns_other_losses_too(loss):
    """A number, and a time to an event, that depend on the first column."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 5)).astype(np.float32)
    truth = x[:, :1] * 2.0
    if loss is torch_losses.cox_efron:
        truth = np.column_stack([np.ceil(10 * np.exp(-x[:, 0] + 0.1 * rng.normal(size=60))), np.ones(60)])

    class OneOutput(type(network_of("mlp")._network({"hidden": 6}))):
        def initial(self, rng, width, outputs):
            return super().initial(rng, width, 1)

    fold = torch_data.Fold(x, np.arange(60) < 45, np.arange(60) >= 45, np.ones(60))
    program = torch_loop.train(OneOutput(6), [fold], [SETTINGS[2]], truth, plan_of(60, loss))
    output = program.network.forward(program.weights, torch.tensor(x)[None], torch.tensor([5]))[0][0, 0, :, 0]
    assert np.corrcoef(output.detach(), x[:, 0])[0, 1] > 0.9
    assert program.curve[-1] < program.curve[0]


# Kills, logs, folds with their own genes

KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from rna2model import models
from rna2model.models import torch_state
from test_models import expression, make, quiet

class Killed(torch_state.Checkpoint):
    saved_times = 0
    def due(self):
        return True
    def save(self, *state):
        super().save(*state)
        Killed.saved_times += 1
        if Killed.saved_times == {times}:
            os.kill(os.getpid(), signal.SIGKILL)

torch_state.Checkpoint = Killed
X, y = expression(n=24, p=40)
make({name!r}, checkpoint={folder!r} + "/checkpoint", journal={folder!r} + "/epochs.jsonl").fit(X, y, log=quiet)
"""


@pytest.mark.parametrize(("name", "times"), [("mlp", 70), ("vae", 75)])
def test_a_killed_training_goes_on_to_the_same_bytes(name, times, tmp_path, repository):
    path = [str(repository / "scripts"), str(repository / "tests/unit")]
    code = KILLED.format(path=path, name=name, folder=str(tmp_path), times=times)
    job = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert job.returncode == -signal.SIGKILL, job.stderr
    assert list((tmp_path / "checkpoint").iterdir())

    X, y = expression(n=24, p=40)
    said = []
    files = {"checkpoint": tmp_path / "checkpoint", "journal": tmp_path / "epochs.jsonl"}
    make(name, **files).fit(X, y, log=said.append).save(tmp_path / "resumed")
    make(name, journal=tmp_path / "whole.jsonl").fit(X, y, log=quiet).save(tmp_path / "whole")
    assert any("goes on after epoch" in line for line in said)
    for file in (tmp_path / "whole").iterdir():
        assert file.read_bytes() == (tmp_path / "resumed" / file.name).read_bytes()
    assert (tmp_path / "whole.jsonl").read_text() == (tmp_path / "epochs.jsonl").read_text()
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_of_other_data_is_not_taken_up(tmp_path):
    from rna2model.models import torch_state

    network, said = network_of("mlp")._network({"hidden": 6}), []
    store = torch_state.Checkpoint(tmp_path)
    for seed in (0, 1, 0):
        plan = torch_loop.Plan(torch_losses.cross_entropy, 3, log=said.append, checkpoint=store)
        program = torch_loop.train(network, folds_of(seed=seed), SETTINGS[:1], LABELS, plan)
        assert program.epoch == 3
    assert said == ["training: goes on after epoch 3"]


def test_every_epoch_leaves_a_line(tmp_path):
    X, y = expression(n=24, p=40)
    model = make("mlp", journal=tmp_path / "epochs.jsonl").fit(X, y, log=quiet)
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text().splitlines()]
    tuning = [line for line in lines if line["validation_loss"]]
    final = [line for line in lines if line["program"] == "mlp final"]
    assert [line["epoch"] for line in tuning] == list(range(1, len(tuning) + 1))
    assert [line["epoch"] for line in final] == list(range(1, model.settings_["epochs"] + 1))
    assert min(line["validation_loss"][0] for line in tuning) == pytest.approx(
        -model.settings_["candidates"][0]["minus_log_loss"], abs=1e-6
    )
    assert final[-1]["train_loss"][0] < final[0]["train_loss"][0] and final[0]["learning_rate"] == [0.01]


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


# Starting from more than the labelled samples


@pytest.mark.parametrize("name", AXES)
def test_pretrained_weights_give_the_rows_what_they_gave_before(name):
    """In the axes of any fold, and for genes that the training rows do not span."""
    X, y = expression(n=24, p=40)
    before = make(name).fit(X, y, log=quiet)
    other, labels = expression(n=18, p=40, seed=4)
    model = make(name, pretrained=before.arrays_)
    model.search["learning_rate"], model.DEFAULT_EPOCHS, model.inner_folds = [0.0], 1, 1
    model.fit(other[[0, 1, 2, 3]], labels[[0, 1, 2, 3]], log=quiet)  # four samples: no inner folds
    for key in ("hidden_weights", "hidden_bias", "latent_weights"):
        if key in before.arrays_:
            assert_allclose(model.arrays_[key], before.arrays_[key], atol=1e-5)
    axes = coordinates.Source(other).axes(np.arange(11))
    weights, bias = axes.start(before.arrays_["hidden_weights"].astype(float), before.arrays_["hidden_bias"])
    hidden = other[:11] @ before.arrays_["hidden_weights"].T + before.arrays_["hidden_bias"]
    assert_allclose(axes.rows[:11] @ weights + bias, hidden, atol=1e-3)
    assert "starts from pretrained weights" in model.settings_["notes"]


def test_pretraining_helps_a_small_cohort_of_the_same_kind():
    X, y = expression(n=120, p=60, effect=1.0)
    before = make("autoencoder").fit(X, y, log=quiet)
    new, truth = expression(n=200, p=60, effect=1.0, seed=9)
    accuracy = np.empty((2, 3))
    for seed in range(3):
        few, labels = expression(n=8, p=60, effect=1.0, seed=3 + seed)
        for i, start in enumerate((None, before.arrays_)):
            model = make("autoencoder", pretrained=start).fit(few, labels, log=quiet)
            accuracy[i, seed] = (model.predict(new) == truth).mean()
    assert accuracy[1].mean() > accuracy[0].mean() + 0.03


def test_what_cannot_be_a_start_is_refused():
    X, y = expression(n=24, p=40)
    before = make("mlp").fit(X, y, log=quiet).arrays_
    with pytest.raises(InputProblem, match="cannot start from"):
        models.make("cnn", pretrained=before)
    with pytest.raises(InputProblem, match="for 40 genes, the samples have 30"):
        models.make("mlp", pretrained=before).fit(X[:, :30], y, log=quiet)
    with pytest.raises(InputProblem, match="unlabelled samples have 3 genes, the labelled 40"):
        models.make("vae", unlabelled=X[:, :3]).fit(X, y, log=quiet)


def test_unlabelled_samples_shape_the_autoencoder_and_not_its_labels():
    X, y = expression(n=24, p=40)
    unlabelled, _ = expression(n=30, p=40, seed=8)
    without = make("autoencoder").fit(X, y, log=quiet)
    model = make("autoencoder", unlabelled=unlabelled).fit(X, y, log=quiet)
    assert model.settings_["n_unlabelled"] == 30 and model.settings_["n_train"] == 24
    assert np.abs(model.arrays_["hidden_weights"] - without.arrays_["hidden_weights"]).max() > 1e-3
    new, truth = expression(n=60, p=40, seed=2)
    assert (model.predict(new) == truth).mean() > 0.8
    models.make("mlp", unlabelled=unlabelled, search={"weight_decay": [0.1]}).fit(X, y, log=quiet)


def test_pretrained_weights_are_matched_gene_by_gene(tmp_path, monkeypatch):
    from rna2model import bundle

    X, y = expression(n=24, p=40)
    fitted = make("mlp").fit(X, y, log=quiet)
    Served = namedtuple("Served", "model normalizer")
    Genes = namedtuple("Genes", "genes_")
    served = Served(fitted, Genes([f"g{i}" for i in range(40)]))
    monkeypatch.setattr(bundle, "Bundle", lambda folder: served)
    found = pretrained.read(tmp_path, "mlp", ["g7", "unknown", "g0"], log=quiet)
    assert_array_equal(found["hidden_weights"][:, [0, 2]], fitted.arrays_["hidden_weights"][:, [7, 0]])
    assert not found["hidden_weights"][:, 1].any()
    assert pretrained.read(tmp_path, "vae", ["g7"], log=quiet) is None
    with pytest.raises(InputProblem, match="other genes"):
        pretrained.read(tmp_path, "mlp", ["unknown"], log=quiet)


# What a fitted network says


@pytest.mark.parametrize("K", [2, 3])
@pytest.mark.parametrize("name", TORCH)
def test_attributions_add_up_to_the_difference_of_the_logits(name, K):
    X, y = expression(n=24, p=60, K=K)
    model = make(name).fit(X, y, log=quiet)
    logits = model.torch_logits()(torch.tensor(X)).numpy()
    assert_allclose(
        np.log(model.predict_proba(X)), logits - np.log(np.exp(logits).sum(1, keepdims=True)), atol=1e-4
    )

    baseline = X.mean(axis=0)
    found = attribution.integrated_gradients(model, X[:4], baseline)
    target = None if K == 2 else model.predict(X[:4])
    start = (
        attribution.logit(model, baseline[None])
        if K == 2
        else np.array([attribution.logit(model, baseline[None], k)[0] for k in target])
    )
    difference = attribution.logit(model, X[:4]) - start
    assert found.shape == (4, 60)
    assert_allclose(found.sum(axis=1), difference, atol=0.02 * np.abs(difference).max())
    if K == 2:
        odds = model.predict_proba(X[:4])
        assert_allclose(attribution.logit(model, X[:4]), np.log(odds[:, 1] / odds[:, 0]), atol=1e-4)
        assert np.abs(found[:, :30]).mean() > 1.2 * np.abs(found[:, 30:]).mean()  # the genes with an effect


def test_attributions_are_for_torch_models_and_known_classes():
    X, y = expression(n=12, p=10)
    with pytest.raises(InputProblem, match="no gradients"):
        attribution.integrated_gradients(models.make("dummy").fit(X, y, log=quiet), X, X[0])
    model = make("mlp").fit(X, y, log=quiet)
    with pytest.raises(InputProblem, match="'green' is not one of the classes amber, blue"):
        attribution.logit(model, X, "green")


def test_many_samples_and_genes_are_trained_without_axes(monkeypatch):
    """Beyond LARGEST_RANK the genes themselves are the coordinates, and folds share one copy of the rows."""
    monkeypatch.setattr(coordinates, "LARGEST_RANK", 20)
    X, y = expression(n=60, p=40)
    model = models.make("mlp", search={"weight_decay": [0.01], "learning_rate": [0.003], "dropout": [0.2]})
    model.fit(X, y, log=quiet)
    new, truth = expression(n=60, p=40, seed=2)
    assert (model.predict(new) == truth).mean() > 0.85
    shared = coordinates.Source(X)
    assert shared.axes(np.arange(9)).rows is shared.axes(np.arange(30)).rows
