"""Models that earlier versions wrote predict as they did: the formulas of their networks, in numpy."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rna2model import models
from rna2model.core import artefact
from rna2model.models import base

RNG = np.random.default_rng(0)
P, K = 20, 3


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def dense(x, W, layer):
    return W[f"{layer}_weights"] @ x + W[f"{layer}_bias"]


def mlp(W, x):
    return dense(np.maximum(dense(x, W, "hidden"), 0.0), W, "output")


def autoencoder(W, x):
    return dense(dense(np.maximum(dense(x, W, "hidden"), 0.0), W, "latent"), W, "output")


def attention(W, x):
    scores = x[:, None] * (W["embeddings"] @ W["keys"]) + W["embeddings"] @ W["prior"]
    weights = np.exp(scores - scores.max(axis=0))
    pooled = (weights / weights.sum(axis=0)).T @ (x[:, None] * W["embeddings"]) * np.sqrt(len(x))
    return pooled.ravel() @ W["output_weights"] + W["output_bias"]


def cnn(W, x):
    pieces = np.stack([np.pad(x, (0, 1))[start : start + 6] for start in range(0, 16, 3)])
    detected = np.maximum(pieces @ W["filter_weights"] + W["filter_bias"], 0.0)
    return np.einsum("pc,pck->k", detected, W["output_weights"]) + W["output_bias"]


SCALED = {"genes": np.arange(P), "mean": RNG.normal(size=P), "per_scale": RNG.random(P) + 0.5}
HEAD = {"output_bias": normal(K)}
FIRST = {"hidden_weights": normal(5, P), "hidden_bias": RNG.normal(size=5)}
CODER = {"latent_weights": normal(4, 5), "latent_bias": normal(4), "output_weights": normal(K, 4)}
FORMER = {
    "mlp": (mlp, FIRST | HEAD | {"output_weights": normal(K, 5)}, {"hidden": 5}),
    "autoencoder": (autoencoder, FIRST | HEAD | CODER, {"hidden": 5, "latent": 4}),
    "vae": (autoencoder, FIRST | HEAD | CODER, {"hidden": 5, "latent": 4}),
    "attention": (
        attention,
        SCALED
        | HEAD
        | {
            "embeddings": normal(P, 4),
            "keys": normal(4, 2),
            "prior": normal(4, 2),
            "output_weights": normal(8, K),
        },
        {"heads": 2, "size": 4, "genes": P},
    ),
    "cnn": (
        cnn,
        SCALED
        | HEAD
        | {"filter_weights": normal(6, 3), "filter_bias": normal(3), "output_weights": normal(6, 3, K)},
        {"length": 6, "channels": 3},
    ),
}


@pytest.mark.parametrize("name", FORMER)
def test_a_network_of_an_earlier_version_predicts_as_it_did(name, tmp_path):
    outputs, arrays, sizes = FORMER[name]
    settings = {**sizes, "learning_rate": 0.01, "weight_decay": 0.1, "dropout": 0.2, "epochs": 3}
    described = {
        "name": name,
        "classes": ["a", "b", "c"],
        "n_genes": P,
        "settings": settings,
        "columns": None,
    }
    (tmp_path / models.DESCRIPTION).write_text(json.dumps(described))
    artefact.write(tmp_path / base.WEIGHTS, arrays, {"kind": name})
    X, scaled = RNG.normal(size=(4, P)), "genes" in arrays
    seen = (X - arrays["mean"]) * arrays["per_scale"] if scaled else X
    expected = np.array([base.softmax(outputs(arrays, row)) for row in seen])
    assert_allclose(models.load(tmp_path).predict_proba(X), expected, atol=1e-6)
