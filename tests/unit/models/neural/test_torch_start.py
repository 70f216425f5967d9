"""Torch models that start from more than the labelled samples: pretrained weights, unlabelled samples."""

from collections import namedtuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.models.neural import inputs
from rna2model.serving import pretrained
from tests.unit.models.neural.test_torch import AXES
from tests.unit.models.test_models import expression, make, quiet


@pytest.mark.parametrize("name", AXES)
def test_pretrained_weights_give_the_rows_what_they_gave_before(name):
    """In the axes of any fold, and for genes that the training rows do not span."""
    X, y = expression(n=24, p=40)
    before = make(name).fit(X, y, log=quiet)
    other, labels = expression(n=18, p=40, seed=4)
    model = make(name, pretrained=before.arrays_)
    model.search["learning_rate"], model.DEFAULT_EPOCHS, model.inner_folds = [0.0], 1, 1
    model.fit(other[[0, 1, 2, 3]], labels[[0, 1, 2, 3]], log=quiet)  # four samples: no inner folds
    for key in ("hidden.weight", "hidden.bias", "latent.weight"):
        if key in before.arrays_:
            assert_allclose(model.arrays_[key], before.arrays_[key], atol=1e-5)
    axes = inputs.Source(other).axes(np.arange(11))
    weights, bias = axes.start(before.arrays_["hidden.weight"].astype(float), before.arrays_["hidden.bias"])
    hidden = other[:11] @ before.arrays_["hidden.weight"].T + before.arrays_["hidden.bias"]
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
    assert np.abs(model.arrays_["hidden.weight"] - without.arrays_["hidden.weight"]).max() > 1e-3
    new, truth = expression(n=60, p=40, seed=2)
    assert (model.predict(new) == truth).mean() > 0.8
    models.make("mlp", unlabelled=unlabelled, search={"weight_decay": [0.1]}).fit(X, y, log=quiet)


def test_pretrained_weights_are_matched_gene_by_gene(tmp_path, monkeypatch):
    from rna2model.serving import bundle_parts
    from rna2model.training.preprocessing import Preprocessing

    X, y = expression(n=24, p=40)
    fitted = make("mlp").fit(X, y, log=quiet)
    Genes = namedtuple("Genes", "genes_")
    learned = Preprocessing(Genes([f"g{i}" for i in range(40)]))
    monkeypatch.setattr(bundle_parts, "read", lambda folder: ({}, learned, fitted))
    matched = pretrained.read(tmp_path, "mlp", ["g7", "unknown", "g0"], log=quiet)
    assert_array_equal(matched["hidden.weight"][:, [0, 2]], fitted.arrays_["hidden.weight"][:, [7, 0]])
    assert not matched["hidden.weight"][:, 1].any()
    assert pretrained.read(tmp_path, "vae", ["g7"], log=quiet) is None
    with pytest.raises(InputProblem, match="other genes"):
        pretrained.read(tmp_path, "mlp", ["unknown"], log=quiet)
