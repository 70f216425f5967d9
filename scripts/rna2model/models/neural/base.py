"""What all models that train with torch have in common: device, tuning in one program per shape, the final network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import base
from rna2model.models.neural.inputs import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

SMALL = 500_000  # values of expression
ALL_ROWS = 1000  # number of the fold that holds nothing out
PROGRAM_BYTES = 2e9  # memory of one program; more settings than fit are trained in turn


class TorchModel(base.Model):
    """A network trained by loop.py; a prediction needs numpy only. Classes weigh the same (`imbalance: auto`).

    Here it predicts classes; tasks.py has what makes any of them predict numbers or survival.

    All settings of one shape (SHAPES), inner folds and seeds are trained in one program. The setting and the number
    of epochs are those with the least validation loss, averaged over folds and seeds; the final network is trained
    on all training rows for that many. A subclass gives `_network`, `_coordinates`, `_keep` and `_outputs` (of one sample).

    seeds : networks per setting and fold in tuning, each with other initial weights
    pretrained : what `pretrained.read` gives, to start from; unlabelled : (m, p) log2 expression without labels
    journal : file for one JSON line per epoch; tensorboard : folder; checkpoint : folder to go on from after a kill

    Attributes
    ----------
    arrays_ : {name: array}, the fitted network, as saved
    """

    _network: Any

    CLASS_WEIGHT = "balanced"
    MEASURE = "minus_log_loss"  # what tuning compares, the greater the better
    SHAPES: ClassVar[tuple] = ("hidden",)  # hyperparameters that change the shape of a network
    EPOCHS, PATIENCE, DEFAULT_EPOCHS, MINIBATCH = 200, 30, 30, 512

    def __init__(
        self,
        *,
        seeds: int = 1,
        pretrained: Mapping[str, NDArray[Any]] | None = None,
        unlabelled: NDArray[np.float64] | None = None,
        journal: str | Path | None = None,
        tensorboard: str | Path | None = None,
        checkpoint: str | Path | None = None,
        **given: Any,
    ) -> None:
        super().__init__(**given)
        self.seeds, self.pretrained, self.unlabelled = seeds, pretrained, unlabelled
        self.journal, self.tensorboard, self.checkpoint = journal, tensorboard, checkpoint
        if pretrained is not None:
            self._start_from(pretrained)

    def _start_from(self, pretrained):
        raise InputProblem(f"{self.name} cannot start from a pretrained model.")

    def _fit(self, X, y, folds, log):
        from rna2model.models.neural import checkpoint as torch_state

        device, plan = self._device(X, log), {"log": log}
        plan |= {"device": device, "seed": self.seed, "minibatch": max(self.MINIBATCH, len(X) // 50)}
        plan["journal"] = torch_state.Journal(self.journal, self.tensorboard)
        plan["checkpoint"] = torch_state.Checkpoint(self.checkpoint) if self.checkpoint else None
        plan["loss"], self._truth, plan["outputs"] = self._objective(y)
        self._plan, self._y, self._source = plan, y, Source(self._with_unlabelled(X))
        candidates = self._candidates()
        chosen, epochs = candidates[0], self.DEFAULT_EPOCHS
        if folds:
            tried = self._tune(candidates, folds)
            best = max(tried, key=lambda one: one[self.MEASURE])
            chosen, epochs = {name: best[name] for name in chosen}, best["epochs"]
            self._refuse_diverged(chosen, [np.isfinite(best[self.MEASURE])])
            self.settings_["candidates"] = tried
            log(f"{self.name}: {best} of {len(tried)} candidates")
            if self._asks_held_out:
                self._inner = self._say_held_out(chosen, epochs, folds)
        self.settings_.update(chosen, epochs=epochs)
        self.arrays_ = {name: np.ascontiguousarray(a) for name, a in self._final(chosen, epochs).items()}
        self._refuse_diverged(chosen, [np.isfinite(array).all() for array in self.arrays_.values()])
        if plan["checkpoint"]:
            plan["checkpoint"].clear()
        del self._plan, self._y, self._truth, self._source

    def _refuse_diverged(self, chosen, finite):
        if not all(finite):
            raise InputProblem(
                f"{self.name}: training diverged with learning_rate {chosen['learning_rate']}; give smaller ones"
                f" (training.search.{self.name}.learning_rate)."
            )

    def _objective(self, y):
        """(loss of losses.py, (n, q) truth, outputs of the network) of y as `_fit` has it: class numbers (n,)."""
        from rna2model.models.neural import losses as torch_losses

        return torch_losses.cross_entropy, np.eye(len(self.classes_))[y], len(self.classes_)

    def _measured(self, loss):
        """The least validation loss as MEASURE has it."""
        return -loss

    def _tune(self, candidates, folds):
        """Each candidate with its best number of epochs and what MEASURE is there."""
        tried = [None] * len(candidates)
        for shape in dict.fromkeys(self._shape(candidate) for candidate in candidates):
            same = [i for i, candidate in enumerate(candidates) if self._shape(candidate) == shape]
            seen = [self._fold(fold, k, candidates[same[0]]) for k, fold in enumerate(folds)]
            network = self._network(candidates[same[0]])
            for part in _parts(same, self._fitting(network, seen)):
                settings = [self._setting(candidates[i], s) for i in part for s in range(self.seeds)]
                label = f"{self.name} tuning {' '.join(map(str, shape))} from candidate {part[0]}".replace(
                    "  ", " "
                )
                program = self._train(network, seen, settings, self.EPOCHS, self.PATIENCE, label)
                curve = (
                    program.curve.mean(axis=1).reshape(len(program.curve), len(part), self.seeds).mean(axis=2)
                )
                for i, losses in zip(part, curve.T, strict=True):
                    best = int(losses.argmin())
                    measured = self._measured(float(losses[best]))
                    tried[i] = {**candidates[i], "epochs": best + 1, self.MEASURE: measured}
        return tried

    def _say_held_out(self, candidate, epochs, folds):
        """(m, K) probabilities of the rows that inner folds hold out, by networks trained as the final one."""
        from rna2model.models.neural import loop

        seen = [self._fold(fold, k, candidate) for k, fold in enumerate(folds)]
        settings, label = [self._setting(candidate, 0)], f"{self.name} held out"
        program = self._train(self._network(candidate), seen, settings, epochs, None, label)
        found = np.empty((len(self._y), len(self.classes_)))
        for (_, valid), logits in zip(folds, loop.held_out(program, self._padded_truth()), strict=True):
            found[valid] = base.softmax(logits)
        return found[base.held_out(folds)]

    def _final(self, candidate, epochs):
        """The arrays of the network trained on all rows for `epochs`."""
        everyone = np.arange(len(self._y)), np.empty(0, dtype=int)
        fold = self._fold(everyone, ALL_ROWS, candidate)
        settings, label = [self._setting(candidate, 0)], f"{self.name} final"
        program = self._train(self._network(candidate), [fold], settings, epochs, None, label)
        return self._keep(program.first(), fold.coordinates)

    def _train(self, network, folds, settings, epochs, patience, label, **more):
        """The Program of loop.py after training; `more` are further fields of its Plan."""
        from rna2model.models.neural import loop

        plan = {"epochs": epochs, "patience": patience, "together": True, "label": label}
        plan |= self._plan | more
        return loop.train(network, folds, settings, self._padded_truth(), loop.Plan(**plan))

    def _padded_truth(self):
        """The truth of all rows; zeros for unlabelled ones."""
        return np.pad(self._truth, ((0, len(self._source.X) - len(self._truth)), (0, 0)))

    def _fold(self, fold, number, candidate):
        """The rows of an inner fold, given as (training rows, validation rows), in its own coordinates."""
        from rna2model.models.neural import loop

        (train, valid), own, every = fold, X_of(fold), len(self._source.X)
        source, n = (
            (self._source, every) if own is None else (Source(own), len(own))
        )  # own: without unlabelled rows
        trained = np.concatenate([train, np.arange(len(self._y), n)])
        coordinates = self._coordinates(source, trained, candidate)
        rows = coordinates.rows if n == every else np.pad(coordinates.rows, ((0, every - n), (0, 0)))
        seen = np.isin(np.arange(every), trained).astype(float)
        weights = self._balanced(train), self._balanced(valid), seen
        return loop.TorchFold(rows, *weights, number, coordinates)

    def _setting(self, candidate, seed):
        """A setting of the loop: the hyperparameters and a seed."""
        return {**candidate, "seed": self.seed + 1000 * seed}

    def _shape(self, candidate):
        return tuple(candidate[name] for name in self.SHAPES if name in candidate)

    def _fitting(self, network, folds):
        """How many settings fit into one program."""
        width, rows = max(fold.rows.shape[1] for fold in folds), min(self._plan["minibatch"], len(self._y))
        weights = sum(
            a.size for a in network.initial(np.random.default_rng(0), width, self._plan["outputs"]).values()
        )
        floats = len(folds) * self.seeds * (5 * weights + 4 * rows * network.activations(width))
        return max(1, int(PROGRAM_BYTES // (4 * floats)))

    def _balanced(self, rows):
        """(n,) weights by class over `rows` (the same total for each, unless `imbalance` is none), zero elsewhere."""
        weights = np.zeros(len(self._source.X))
        if len(rows):
            weights[rows] = self._class_weights(self._y[rows])
        return weights

    def _with_unlabelled(self, X):
        if self.unlabelled is None or not len(self.unlabelled):
            return X
        unlabelled = base.matrix(self.unlabelled)
        if self.columns_ is not None:
            unlabelled = unlabelled[:, self.columns_]
        if unlabelled.shape[1] != X.shape[1]:
            raise InputProblem(
                f"{self.name}: the unlabelled samples have {unlabelled.shape[1]} genes, the labelled {X.shape[1]}."
            )
        self.settings_["n_unlabelled"] = len(unlabelled)
        return np.concatenate([X, unlabelled])

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

    def _probabilities(self, X):
        self._calculate_in_double()
        return super()._probabilities(X)

    def _scores(self, row):
        return base.softmax(self._outputs(row))

    def _calculate_in_double(self):
        """What `_outputs` works with."""
        self._double = {name: array.astype(np.float64) for name, array in self.arrays_.items()}

    def _arrays(self):
        return self.arrays_

    def _restore(self, folder):
        self.arrays_, _ = artefact.read(Path(folder) / base.WEIGHTS, self.name)


def X_of(fold: Any) -> NDArray[np.float64] | None:
    """(n, k) expression that an inner fold may use where it chooses its own genes, else None."""
    return getattr(fold, "X", None)


def _parts(items, size):
    return [items[i : i + size] for i in range(0, len(items), size)]
