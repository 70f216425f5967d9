"""Multi-layer perceptron with one hidden layer. Trained with torch; a prediction needs numpy only."""

from typing import ClassVar

import numpy as np

from rna2model import artefact
from rna2model.models import base
from rna2model.models.rotation import Rotation

SMALL = 500_000  # values of expression


class MLP(base.Model):
    """relu(x W1 + b1) W2 + b2 with dropout, AdamW and early stopping.

    Genes are scaled and rotated to the training samples' principal axes (all of them, so nothing is
    dropped; rotation.py). An axis is divided by the square root of its sd: strong axes still count for more, but
    technical ones do not drown the rest. The candidate and the number of epochs are those with the least
    validation loss, averaged over inner folds; the final network is trained on all training rows for that many.
    Classes weigh the same.

    Attributes
    ----------
    hidden_weights_ : (h, p) float32, per unit of log2 expression;  hidden_bias_ : (h,) float64
    output_weights_ : (K, h) float64;  output_bias_ : (K,) float64
    """

    name = "mlp"
    SEARCH: ClassVar[dict] = {
        "hidden": [64],
        "learning_rate": [0.003],
        "weight_decay": [0.1, 3.0],
        "dropout": [0.2, 0.5],
    }
    CLASS_WEIGHT = "balanced"
    EPOCHS, PATIENCE, DEFAULT_EPOCHS = 200, 30, 30

    def _fit(self, X, y, folds, log):
        from rna2model.models import torch_loop

        device = self._device(X, log)
        rotation = Rotation(X)
        learn = Learner(torch_loop, rotation.Z, y, folds, device, self.seed, log)
        candidates = self._candidates()
        chosen, epochs = candidates[0], self.DEFAULT_EPOCHS
        if folds:
            tried = learn.compare(candidates, self.EPOCHS, self.PATIENCE)
            best = max(range(len(tried)), key=lambda i: tried[i]["minus_log_loss"])
            chosen, epochs = candidates[best], tried[best]["epochs"]
            self.settings_["candidates"] = tried
            log(f"mlp: {tried[best]} of {len(tried)} candidates")
        self._keep(rotation, *learn.final(chosen, epochs))
        self.settings_.update(chosen, epochs=epochs)

    def _device(self, X, log):
        """The device to train on; without the GPU that was asked for, the CPU, and says so."""
        import torch

        if X.size < SMALL or self.threads:
            torch.set_num_threads(
                1 if X.size < SMALL else self.threads
            )  # small products are slower on several
        if self.device != "cpu" and not torch.cuda.is_available():
            self._note(f"{self.device} was asked for but no GPU is available: trained on the CPU", log)
            return "cpu"
        self.settings_["device"] = self.device
        return self.device

    def _keep(self, rotation, W1, b1, W2, b2):
        """Fold the scaling into the first layer (r, h), as it is stored: equal rounding after loading."""
        self.hidden_weights_ = np.ascontiguousarray(rotation.to_genes(W1).astype(np.float32))
        self.hidden_bias_ = rotation.intercept(self.hidden_weights_.astype(np.float64), b1)
        self.output_weights_, self.output_bias_ = np.ascontiguousarray(W2.T), b2

    def _probabilities(self, X):
        self._hidden = self.hidden_weights_.astype(np.float64)
        return super()._probabilities(X)

    def _scores(self, row):
        hidden = np.maximum(self._hidden @ row.astype(np.float64) + self.hidden_bias_, 0.0)
        return base.softmax(self.output_weights_ @ hidden + self.output_bias_)

    def _arrays(self):
        return {
            "hidden_weights": self.hidden_weights_,
            "hidden_bias": self.hidden_bias_,
            "output_weights": self.output_weights_,
            "output_bias": self.output_bias_,
        }

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        for name, array in arrays.items():
            setattr(self, f"{name}_", array)


class Learner:
    """The rows (n, r) and folds of one fit, and how candidates become members of the training loop."""

    def __init__(self, loop, Z, y, folds, device, seed, log):
        self.loop, self.Z, self.y, self.folds = loop, Z, y, folds
        self.device, self.seed, self.log = device, seed, log

    def compare(self, candidates, epochs, patience):
        """Each candidate with its best number of epochs and the inner log loss there.

        One loop for each size of the hidden layer, with all folds and all other candidates in it.
        """
        tried, width = list(candidates), self.Z.shape[1]
        axes = [principal_axes(self.Z[train]) for train, _ in self.folds]
        rows = [
            (self.Z - self.Z[train].mean(axis=0)) @ A for (train, _), A in zip(self.folds, axes, strict=True)
        ]
        Z = np.stack([np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in rows])
        for hidden in sorted({candidate["hidden"] for candidate in candidates}):
            same = [i for i, candidate in enumerate(candidates) if candidate["hidden"] == hidden]
            members = [
                [self._member(candidates[i], *fold, k) for i in same] for k, fold in enumerate(self.folds)
            ]
            _, curve = self.loop.train(
                Z, self.y, members, hidden, epochs, patience, self.device, self.seed, self.log
            )
            for i, losses in zip(same, curve, strict=True):
                best = int(losses.argmin())
                tried[i] = {**candidates[i], "epochs": best + 1, "minus_log_loss": -float(losses[best])}
        return tried

    def final(self, candidate, epochs):
        """[W1 (r, h) for the rotated rows, b1, W2, b2] of the network trained on all rows for `epochs`."""
        axes, everyone = principal_axes(self.Z), np.arange(len(self.y))
        members = [[self._member(candidate, everyone, everyone[:0], len(self.folds))]]
        networks, _ = self.loop.train(
            (self.Z @ axes)[None],
            self.y,
            members,
            candidate["hidden"],
            epochs,
            epochs,
            self.device,
            self.seed,
            self.log,
        )
        W1, *rest = networks.first()
        return axes @ W1, *rest

    def _member(self, candidate, train, valid, number):
        """Candidates share the initial weights of a fold, so they differ by what they are only."""
        return self.loop.Member(
            candidate["learning_rate"],
            candidate["weight_decay"],
            candidate["dropout"],
            seed=[self.seed, number],
            train=self._balanced(train),
            valid=self._balanced(valid),
        )

    def _balanced(self, rows):
        """(n,) weights that give every class the same total over `rows`, zero elsewhere."""
        weights = np.zeros(len(self.y))
        if len(rows):
            weights[rows] = base.balanced_weights(self.y[rows])
        return weights


def principal_axes(Z):
    """(r, k) principal axes of rows Z (m, r), each divided by the square root of its sd; mean square one.

    Of the rows that are trained on, and of no others: axes that know the validation rows too would make
    them look unrelated to the training rows, and early stopping would stop at once.
    """
    centred = Z - Z.mean(axis=0)
    _, size, axes = np.linalg.svd(centred, full_matrices=False)
    keep = size > 1e-5 * max(size.max(initial=0.0), 1e-12)
    sd = size[keep] / np.sqrt(len(Z))
    return axes[keep].T / np.sqrt(sd * sd.mean()) if keep.any() else axes[:1].T * 0.0
