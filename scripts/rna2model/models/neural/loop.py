"""One training loop for all torch models (plain torch): many small networks at once, or a single one.

Every pair of inner fold and setting (hyperparameters and seed) is a network of one program with stacked weights: each
has its own learning rate, weight decay, dropout, training rows and end, and every matrix product is shared. On small
data the cost of a training step is the calls, not the arithmetic, so twenty networks cost little more than one.

A network is an object with

    n_draws                                  uniform random numbers it needs per row while training
    side_by_side                             names of weights (k, h) that `layers.first` multiplies
    initial(rng, width, outputs)             {name: array}, its weights at the start; a name ending in "bias" does not decay
    forward(weights, rows, widths, draw, dropout)
                                             (output (F, C, n, K), loss per row that needs no labels (F, C, n) or None)
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from rna2model import __version__
from rna2model.models.neural.checkpoint import Journal
from rna2model.models.neural.data import TorchFold, TorchRows, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rna2model.models.neural.checkpoint import Checkpoint

__all__ = ["Plan", "TorchFold", "held_out", "train"]

STATE = ("weights", "first_moments", "second_moments")  # of a checkpoint
LOG_EVERY = 25  # epochs between lines of the log
LOG_SECONDS = 30.0  # the longest time without one, where epochs are long
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # AdamW (Loshchilov & Hutter 2019), torch's defaults


@dataclass
class Plan:
    """How to train: `epochs` at most, a network's end when its validation loss did not improve for `patience`.

    `together`: the folds of a setting end together, by their mean loss, which is what tuning compares; otherwise
    each network ends by its own.
    `supervised` off trains on the part of the loss that needs no labels. `start` {name: (F, C, ...) array} replaces
    initial weights. `label` names the program in journal and log. `outputs`: numbers that a network gives, where truth
    has other columns than these.
    """

    loss: Callable[..., torch.Tensor]
    epochs: int
    patience: int | None = None
    together: bool = False
    supervised: bool = True
    start: dict = field(default_factory=dict)
    label: str = "training"
    minibatch: int = 512
    device: str = "cpu"
    seed: int = 1
    log: Callable[..., None] = print
    journal: Journal = field(default_factory=Journal)
    checkpoint: Checkpoint | None = None
    outputs: int | None = None


def train(
    network: Any,
    folds: Sequence[TorchFold],
    settings: Sequence[dict[str, Any]],
    truth: NDArray[Any],
    plan: Plan,
) -> Program:
    """Train a network per fold and setting; returns the Program, with `curve` and `first()`.

    folds: F of `TorchFold`; settings: C dicts with learning_rate, weight_decay, dropout, seed, and `auxiliary`, the weight
    of the label-free loss; truth (n, q). A killed job that has a checkpoint goes on and ends with the same bytes.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    deterministic: Any = torch.utils.deterministic
    deterministic.fill_uninitialized_memory = False  # nothing here reads memory before writing it
    rows = TorchRows(folds, truth, plan.device, plan.minibatch, plan.seed)
    program = Program(network, folds, settings, plan.outputs or truth.shape[1], plan)
    program.resume(truth)
    while program.epoch < plan.epochs and program.active.any():
        learned = program.one_epoch(rows)
        held_out = program.validate(rows)
        program.freeze(held_out)
        program.report(learned, held_out)
        program.save(finished=program.epoch == plan.epochs or not program.active.any())
        program.drop_frozen()
    return program


@torch.no_grad()
def held_out(program: Program, truth: NDArray[Any]) -> list[NDArray[np.float64]]:
    """List of (m, K) float64 outputs of the first setting's network of each fold, for the fold's validation rows in order."""
    plan = program.plan
    rows = TorchRows(program.folds, truth, plan.device, plan.minibatch, plan.seed)
    parts = [(program._forward(batch, rows.widths)[0], weight) for batch, _, weight, _ in rows.validation()]
    output, there = (torch.cat(part, dim=2).float().cpu().numpy() for part in zip(*parts, strict=True))
    return [one[0][seen[0] > 0].astype(np.float64) for one, seen in zip(output, there, strict=True)]


class Program:
    """Stacked weights, their AdamW state and the course of training.

    Attributes
    ----------
    weights : {name: (F, C, ...) tensor}; C counts the settings still in training, `live` are their numbers
    moments : two such dicts
    curve : (epochs run, F, C of all) validation loss; a network that has ended keeps its last
    active : (F, C) bool, False for networks that have ended (frozen weights)
    """

    live: NDArray[Any]
    key: Any

    def __init__(
        self,
        network: Any,
        folds: Sequence[TorchFold],
        settings: Sequence[dict[str, Any]],
        outputs: int,
        plan: Plan,
    ) -> None:
        self.network, self.folds, self.settings, self.plan = network, folds, settings, plan
        shape = len(folds), len(settings)
        self.weights = {name: self._tensor(array) for name, array in self._initial(outputs).items()}
        self.moments = [{name: torch.zeros_like(w) for name, w in self.weights.items()} for _ in range(2)]
        self.live, self.active = np.arange(shape[1]), np.ones(shape, dtype=bool)
        self.best, self.best_epoch = np.full(shape, np.inf), np.zeros(shape, dtype=int)
        self.curve, self.epoch, self.steps, self.key = np.empty((0, *shape)), 0, 0, None
        self.told = time.monotonic()
        self._prepare()

    def _initial(self, outputs):
        """{name: (F, C, ...) array}, given or drawn by the seed of the setting and the number of the fold."""
        drawn = []
        for fold in self.folds:
            rngs = [np.random.default_rng([setting["seed"], fold.number]) for setting in self.settings]
            drawn.append([self.network.initial(rng, fold.rows.shape[1], outputs) for rng in rngs])
        start = {name: stack([[one[name] for one in row] for row in drawn]) for name in drawn[0][0]}
        return start | self.plan.start

    def first(self) -> dict[str, NDArray[np.float64]]:
        """{name: float64 array} of the network of the first fold and setting."""
        return {n: w[0, 0].detach().cpu().numpy().astype(np.float64) for n, w in self.weights.items()}

    def one_epoch(self, rows: TorchRows) -> NDArray[np.float64]:
        """One pass over the training rows; returns the (F, C) mean training loss."""
        total: Any
        total, parts = 0.0, 0
        for batch, truth, weight, seen in rows.minibatches(self.epoch + 1):
            self.steps, parts = self.steps + 1, parts + 1
            output, extra = self._forward(batch, rows.widths, self._draw(batch.shape[1]))
            loss = self._loss(output, extra, truth, weight, seen)
            self._step(
                torch.autograd.grad(loss.sum(), cast(Any, self.weights.values()), materialize_grads=True)
            )
            total = total + loss.detach()
        self.epoch += 1
        return (total / parts).cpu().numpy()

    @torch.no_grad()
    def validate(self, rows: TorchRows) -> NDArray[np.float64] | None:
        """(F, C) loss of the held-out rows; None where nothing is held out or labels are not used."""
        if not self.plan.supervised or not any(fold.valid.any() for fold in self.folds):
            return None
        parts = [
            (self._forward(batch, rows.widths)[0], truth, weight)
            for batch, truth, weight, _ in rows.validation()
        ]
        output, truth, weight = (torch.cat(part, dim=2) for part in zip(*parts, strict=True))
        held_out = self.plan.loss(output.float(), truth, weight).cpu().numpy()
        return np.where(np.isfinite(held_out), held_out, np.inf)  # diverged: never the best

    def freeze(self, held_out: NDArray[np.float64] | None) -> None:
        """End the networks whose validation loss has not improved for `patience` epochs."""
        if held_out is None:
            return
        last = self.curve[-1].copy() if len(self.curve) else np.full(self.best.shape, np.inf)
        last[:, self.live] = held_out
        self.curve = np.concatenate([self.curve, last[None]])
        measure = np.broadcast_to(last.mean(axis=0), last.shape) if self.plan.together else last
        better = (measure < self.best) & self.active
        self.best = np.where(better, measure, self.best)
        self.best_epoch = np.where(better, self.epoch, self.best_epoch)
        if self.plan.patience is None:
            return
        ended = self.active & (self.epoch - self.best_epoch >= self.plan.patience)
        if ended.any():
            self.active &= ~ended
            self._prepare()

    def drop_frozen(self) -> None:
        """Take settings out of the program that have ended in every fold, so that the others go on faster."""
        going = self.active[:, self.live].any(axis=0)
        if going.all() or not going.any():
            return
        keep = torch.tensor(np.flatnonzero(going), device=self.plan.device)
        self.weights, *self.moments = (
            {name: one.detach()[:, keep] for name, one in state.items()}
            for state in (self.weights, *self.moments)
        )
        self.live = self.live[going]
        self._prepare()

    def report(self, learned: NDArray[np.float64], held_out: NDArray[np.float64] | None) -> None:
        """A line of the journal, and now and then one of the log."""
        line = {"program": self.plan.label, "epoch": self.epoch, "networks": int(self.active.sum())}
        line["candidate"] = self.live.tolist()
        line["train_loss"] = _rounded(learned.mean(axis=0))
        line["validation_loss"] = None if held_out is None else _rounded(held_out.mean(axis=0))
        line["learning_rate"] = [self.settings[i]["learning_rate"] for i in self.live]
        self.plan.journal.write(line)
        if self.epoch % LOG_EVERY == 0 or time.monotonic() - self.told >= LOG_SECONDS:
            self.told = time.monotonic()
            self.plan.log(
                f"{self.plan.label}, epoch {self.epoch} of at most {self.plan.epochs}: {line['networks']} networks in"
                f" training, loss {learned.mean():.4f}{self._validated(held_out)}"
            )

    def _validated(self, held_out):
        """The best setting's validation loss, now and at its best epoch; nothing where none is held out."""
        if held_out is None:
            return ""
        now, best = held_out.mean(axis=0).min(), self.best.mean(axis=0).min()
        return f", validation loss {now:.4f}, lowest so far {best:.4f}"

    def resume(self, truth: NDArray[Any]) -> None:
        """Go on from the checkpoint of the same program, if there is one."""
        found = None
        if self.plan.checkpoint is not None:
            self.key = self._hash(truth)
            found = self.plan.checkpoint.load(self.key)
        if found is None:
            return self.plan.journal.rewind(self.plan.journal.lines)
        arrays, state = found
        self.live, self.active = arrays["live"], arrays["active"].astype(bool)
        self.best, self.best_epoch, self.curve = arrays["best"], arrays["best_epoch"], arrays["curve"]
        self.epoch, self.steps = state["epoch"], state["steps"]
        self.weights, *self.moments = (
            {name: self._tensor(arrays[f"{state}.{name}"]) for name in self.weights} for state in STATE
        )
        self.plan.journal.rewind(state["lines"])
        self.plan.log(f"{self.plan.label}: goes on after epoch {self.epoch}")
        self._prepare()
        self.drop_frozen()

    def save(self, finished: bool) -> None:
        """Keep the state where it is due, and at the end of the program."""
        if self.plan.checkpoint is None or not (finished or self.plan.checkpoint.due()):
            return
        arrays = {name: getattr(self, name) for name in ("live", "best", "best_epoch", "curve")}
        arrays["active"] = self.active.astype(np.uint8)
        state: Any
        for state, tensors in zip(STATE, (self.weights, *self.moments), strict=True):
            arrays.update({f"{state}.{name}": one.detach().cpu().numpy() for name, one in tensors.items()})
        state = {"epoch": self.epoch, "steps": self.steps, "lines": self.plan.journal.lines}
        self.plan.checkpoint.save(self.key, arrays, state)

    def _forward(self, batch, widths, draw=None):
        with torch.autocast("cuda", dtype=torch.bfloat16, enabled=batch.is_cuda):
            return self.network.forward(self.weights, batch, widths, draw, self.dropout)

    def _loss(self, output, extra, truth, weight, seen):
        """(F, C) training loss: of the labels, of what needs none, or both."""
        loss = self.plan.loss(output.float(), truth, weight) if self.plan.supervised else 0.0
        if extra is None:
            return loss
        label_free = (extra.float() * seen).sum(dim=-1) / seen.sum(dim=-1).clamp_min(1e-12)
        return loss + (self.auxiliary if self.plan.supervised else 1.0) * label_free

    @torch.no_grad()
    def _step(self, gradients):
        """AdamW with a learning rate and a weight decay per network; frozen networks stay as they are."""
        unbias1, unbias2 = 1.0 - BETA1**self.steps, 1.0 - BETA2**self.steps
        for (name, weight), gradient in zip(self.weights.items(), gradients, strict=True):
            # in place: fresh memory costs more than the arithmetic
            (first, second), step = (moment[name] for moment in self.moments), self.scratch[name]
            shape = (*self.rate.shape, *[1] * (weight.dim() - 2))
            first.lerp_(gradient, 1.0 - BETA1)
            second.mul_(BETA2).addcmul_(gradient, gradient, value=1.0 - BETA2)
            torch.sqrt(second, out=step).mul_(unbias2**-0.5).add_(EPSILON)
            torch.div(first, step, out=step).mul_((self.rate / unbias1).view(shape))
            if not name.endswith("bias"):
                weight.mul_(self.keep.view(shape))
            weight.sub_(step)

    def _prepare(self):
        """Rates of the settings that are left, zero for frozen networks; weights that take gradients."""
        active = self._tensor(self.active[:, self.live])
        rate, decay, auxiliary, dropout = (
            self._tensor(np.array([self.settings[i].get(name, 0.0) for i in self.live]))
            for name in ("learning_rate", "weight_decay", "auxiliary", "dropout")
        )
        self.rate, self.keep = rate * active, 1.0 - rate * decay * active
        self.auxiliary, self.dropout = auxiliary, dropout[:, None, None]
        self.weights, *self.moments = (
            {name: self._laid_out(name, one) for name, one in state.items()}
            for state in (self.weights, *self.moments)
        )
        self.scratch = {name: torch.empty_like(one) for name, one in self.weights.items()}
        self.weights = {name: one.requires_grad_() for name, one in self.weights.items()}

    def _laid_out(self, name, tensor):
        """The tensor in memory as it is multiplied: the networks of a first layer (F, k, C, h) lie side by side."""
        tensor = tensor.detach()
        if name in self.network.side_by_side:
            return tensor.transpose(1, 2).contiguous().transpose(1, 2)
        return tensor.contiguous()

    def _draw(self, n):
        """(n, n_draws) uniform numbers of this step, the same for all networks."""
        generator = torch.Generator(self.plan.device).manual_seed(self.plan.seed * 1_000_003 + self.steps)
        return torch.rand(n, self.network.n_draws, generator=generator, device=self.plan.device)

    def _tensor(self, values):
        return torch.tensor(values, dtype=torch.float32, device=self.plan.device)

    def _hash(self, truth):
        """Name of this very program: same data, settings and code version."""
        plan = self.plan
        told = [
            getattr(plan, name) for name in ("label", "epochs", "patience", "together", "minibatch", "seed")
        ]
        told += [__version__, torch.__version__, self.settings]
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        arrays = [truth, *plan.start.values()]
        for fold in self.folds:
            arrays += [fold.rows, fold.train, fold.valid, fold.seen]
        for array in arrays:
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:32]


def _rounded(values):
    """Numbers for JSON; None for what diverged."""
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
