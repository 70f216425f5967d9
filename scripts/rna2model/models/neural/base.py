"""What all networks have in common: device, tuning of many settings in one program, the final network, prediction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import base
from rna2model.models.neural import coordinates, former_names
from rna2model.models.neural.inputs import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

SMALL = 500_000  # values of expression
ALL_ROWS = 1000  # number of the fold that holds nothing out
PROGRAM_BYTES = 2e9  # memory of one program; more settings than fit are trained in turn


class TorchModel(base.Model):
    """A model whose `network` is a class of torch.nn.Module, trained by loop.py. Classes weigh the same (`imbalance: auto`).

    Here it predicts classes; tasks.py has what makes it predict numbers or survival. The network is made with n_features,
    n_outputs and those of the searched hyperparameters that its constructor names; `genes` there are the features' names.
    Of the class itself are read

        SEARCH             {hyperparameter: values}; learning_rate and weight_decay are AdamW's, `genes` a number of the most
                           variable genes, all others are the constructor's
        EPOCHS, PATIENCE, MINIBATCH
        FIRST_LAYER        name of the torch.nn.Linear that reads all expression, where there is one: it is then trained in
                           principal axes and kept as weights per gene (coordinates.py)
        STACKED            hyperparameters that change tensors alone, so that networks that differ in them train side by side
        PRETRAINING_EPOCHS of training without labels, where `forward` returns (output, loss per row) while training
        TRAINING_ONLY      beginnings of the names of layers that a prediction does not need
        ENCODER            layers that may start from `pretrained` weights

    All settings of one architecture, inner folds and seeds are trained in one program. The setting and the number of epochs
    are those with the least validation loss, averaged over folds and seeds; the final network is trained on all training
    rows for that many.

    seeds : networks per setting and fold in tuning, each with other initial weights; names : (p,) names of the columns of X
    pretrained : what `pretrained.read` gives, to start from; unlabelled : (m, p) log2 expression without labels
    journal : file for one JSON line per epoch; tensorboard : folder; checkpoint : folder to go on from after a kill

    Attributes
    ----------
    arrays_ : {name: array}, state of the fitted network and what its input is made with, as saved
    """

    network: ClassVar[Any]

    CLASS_WEIGHT = "balanced"
    MEASURE = "minus_log_loss"  # what tuning compares, the greater the better
    EPOCHS, PATIENCE, DEFAULT_EPOCHS, MINIBATCH = 100, 30, 30, 128

    def __init__(
        self,
        *,
        seeds: int = 1,
        names: Sequence[str] | None = None,
        pretrained: Mapping[str, NDArray[Any]] | None = None,
        unlabelled: NDArray[np.float64] | None = None,
        journal: str | Path | None = None,
        tensorboard: str | Path | None = None,
        checkpoint: str | Path | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.seeds, self.pretrained, self.unlabelled = seeds, pretrained, unlabelled
        self.names = None if names is None else list(names)
        self.journal, self.tensorboard, self.checkpoint = journal, tensorboard, checkpoint
        if pretrained is not None:
            coordinates.refuse_other_weights(self, pretrained)

    def _fit(self, X, y, folds, log):
        from rna2model.models.neural import checkpoint as torch_state

        device, plan = self._device(X, log), {"log": log}
        plan |= {"device": device, "seed": self.seed, "minibatch": max(self.MINIBATCH, len(X) // 50)}
        plan["journal"] = torch_state.Journal(self.journal, self.tensorboard)
        plan["checkpoint"] = torch_state.Checkpoint(self.checkpoint) if self.checkpoint else None
        plan["loss"], self._truth, self._n_outputs = self._objective(y)
        self._plan, self._y, self._source = plan, y, Source(self._with_unlabelled(X))
        coordinates.check_start(self, X, log)
        candidates = self._candidates()
        chosen, epochs = candidates[0], self.DEFAULT_EPOCHS
        if folds:
            chosen, epochs = self._best(candidates, folds, log)
        self.settings_.update(chosen, epochs=epochs)
        self.arrays_ = self._final(chosen, epochs)
        self._refuse_diverged(chosen, [np.isfinite(array).all() for array in self.arrays_.values()])
        if plan["checkpoint"]:
            plan["checkpoint"].clear()
        del self._plan, self._y, self._truth, self._source

    def _best(self, candidates, folds, log):
        """(candidate, epochs) with the least validation loss, kept in the settings with all others."""
        tried = self._tune(candidates, folds)
        best = max(tried, key=lambda one: one[self.MEASURE])
        chosen, epochs = {name: best[name] for name in candidates[0]}, best["epochs"]
        self._refuse_diverged(chosen, [np.isfinite(best[self.MEASURE])])
        self.settings_["candidates"] = tried
        log(f"{self.name}: {best} of {len(tried)} candidates")
        if self._asks_held_out:
            self._inner = self._say_held_out(chosen, epochs, folds)
        return chosen, epochs

    def _refuse_diverged(self, chosen, finite):
        if not all(finite):
            raise InputProblem(
                f"{self.name}: training diverged with learning_rate {chosen['learning_rate']}; give smaller ones"
                f" (training.search.{self.name}.learning_rate)."
            )

    def _objective(self, y):
        """(loss of losses.py, (n, q) truth, outputs of the network) of y as `_fit` has it: class numbers (n,)."""
        from rna2model.models.neural import losses

        return losses.cross_entropy, np.eye(len(self.classes_))[y], len(self.classes_)

    def _measured(self, loss):
        """The least validation loss as MEASURE has it."""
        return -loss

    def _tune(self, candidates, folds):
        """Each candidate with its best number of epochs and what MEASURE is there."""
        tried: list[Any] = [None] * len(candidates)
        for architecture in dict.fromkeys(self._architecture(candidate) for candidate in candidates):
            same = [i for i, one in enumerate(candidates) if self._architecture(one) == architecture]
            own = [self._fold(fold, k, candidates[same[0]]) for k, fold in enumerate(folds)]
            for part in _parts(same, self._fitting(candidates[same[0]], own)):
                settings = [self._setting(candidates[i], s) for i in part for s in range(self.seeds)]
                label = " ".join(
                    map(str, (f"{self.name} tuning", *architecture, f"from candidate {part[0]}"))
                )
                program = self._train(own, settings, self.EPOCHS, self.PATIENCE, label)
                curve = program.curve.mean(axis=1)
                curve = curve.reshape(len(curve), len(part), self.seeds).mean(axis=2)
                for i, losses in zip(part, curve.T, strict=True):
                    best = int(losses.argmin())
                    measured = self._measured(float(losses[best]))
                    tried[i] = {**candidates[i], "epochs": best + 1, self.MEASURE: measured}
        return tried

    def _say_held_out(self, candidate, epochs, folds):
        """(m, K) probabilities of the rows that inner folds hold out, by networks trained as the final one."""
        from rna2model.models.neural import loop

        own = [self._fold(fold, k, candidate) for k, fold in enumerate(folds)]
        program = self._train(own, [self._setting(candidate, 0)], epochs, None, f"{self.name} held out")
        probabilities = np.empty((len(self._y), len(self.classes_)))
        for (_, valid), logits in zip(folds, loop.held_out(program), strict=True):
            probabilities[valid] = base.softmax(logits)
        return probabilities[base.held_out(folds)]

    def _final(self, candidate, epochs):
        """The arrays of the network trained on all rows for `epochs`."""
        everyone = np.arange(len(self._y)), np.empty(0, dtype=int)
        fold = self._fold(everyone, ALL_ROWS, candidate)
        program = self._train([fold], [self._setting(candidate, 0)], epochs, None, f"{self.name} final")
        return coordinates.kept(self, program.first(), fold.coordinates)

    def _train(self, folds, settings, epochs, patience, label):
        """The Program of loop.py after training, without labels first where the network asks for that."""
        from rna2model.models.neural import loop

        plan = self._plan | {"start": None, "groups": self._groups(folds, settings)}
        truth = np.pad(self._truth, ((0, len(self._source.X) - len(self._truth)), (0, 0)))
        if self.pretrained:
            settings = [{**setting, "auxiliary": 0.0} for setting in settings]
            plan["start"] = [coordinates.start(self, fold) for fold in folds]
        elif unsupervised := getattr(self.network, "PRETRAINING_EPOCHS", 0):
            more = {"epochs": unsupervised, "supervised": False, "label": f"{label}, pretraining"}
            plan["start"] = loop.train(
                self._build, folds, settings, truth, loop.Plan(**plan, **more)
            ).weights()
        plan |= {"epochs": epochs, "patience": patience, "label": label}
        return loop.train(self._build, folds, settings, truth, loop.Plan(**plan))

    def _build(self, setting: Mapping[str, Any], fold: Any) -> torch.nn.Module:
        """The network of a setting for a fold, with random weights."""
        return coordinates.make(self, setting, fold.coordinates, self._n_outputs)

    def _groups(self, folds, settings):
        """The folds of each stack: of one width where the network reads genes, one by one where it is large."""
        if self._bytes(folds, settings[0]) > PROGRAM_BYTES:
            return [[f] for f in range(len(folds))]
        if getattr(self.network, "FIRST_LAYER", None):
            return None  # columns of zeros change nothing
        widths = [fold.rows.shape[1] for fold in folds]
        return [[f for f, own in enumerate(widths) if own == width] for width in dict.fromkeys(widths)]

    def _bytes(self, folds, setting):
        """Memory that training one setting takes, all folds together: weights, gradients, moments, activations."""
        widest = max(folds, key=lambda fold: fold.rows.shape[1])
        network = self._build(setting, widest)
        weights = sum(one.numel() for one in network.parameters())
        rows = min(self._plan["minibatch"], len(self._y))
        return 4 * len(folds) * (5 * weights + 2 * rows * coordinates.activations(network, widest.rows))

    def _fitting(self, candidate, folds):
        """How many settings fit into one program."""
        return max(1, int(PROGRAM_BYTES // (self.seeds * self._bytes(folds, self._setting(candidate, 0)))))

    def _fold(self, fold, number, candidate):
        """The rows of an inner fold, given as (training rows, validation rows), in its own coordinates."""
        from rna2model.models.neural import loop

        (train, valid), own, every = fold, X_of(fold), len(self._source.X)
        source, n = (
            (self._source, every) if own is None else (Source(own), len(own))
        )  # own: without unlabelled rows
        trained = np.concatenate([train, np.arange(len(self._y), n)])
        view = coordinates.of(self, source, trained, candidate)
        rows = view.rows if n == every else np.pad(view.rows, ((0, every - n), (0, 0)))
        seen = np.isin(np.arange(every), trained).astype(float)
        weights = self._balanced(train), self._balanced(valid), seen
        return loop.TorchFold(rows, *weights, number, view)

    def _setting(self, candidate, seed):
        """A setting of the loop: the hyperparameters and a seed."""
        return {**candidate, "seed": self.seed + 1000 * seed}

    def _architecture(self, candidate):
        apart = (*coordinates.OF_TRAINING[:3], *getattr(self.network, "STACKED", ()))
        return tuple(value for name, value in candidate.items() if name not in apart)

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
        self._load_network()
        return super()._probabilities(X)

    def _scores(self, row):
        return base.softmax(self._outputs(row))

    def _load_network(self):
        """The fitted network for `_outputs`, in double precision."""
        self._fitted = coordinates.Fitted(self)

    def _outputs(self, row):
        """(K,) float64 outputs of the network for one sample (p,)."""
        return self._fitted.outputs(row)

    def torch_logits(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from a tensor of expression (n, p) float64 to outputs (n, K), logits of classes, for gradients."""
        return coordinates.Fitted(self).logits

    def _arrays(self):
        return self.arrays_

    def _restore(self, folder):
        arrays, _ = artefact.read(Path(folder) / base.WEIGHTS, self.name)
        self.arrays_ = former_names.renamed(self.name, arrays)


def X_of(fold: Any) -> NDArray[np.float64] | None:
    """(n, k) expression that an inner fold may use where it chooses its own genes, else None."""
    return getattr(fold, "X", None)


def _parts(items, size):
    return [items[i : i + size] for i in range(0, len(items), size)]
