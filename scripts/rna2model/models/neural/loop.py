"""One training loop for all networks: any torch.nn.Module, many small ones at once or a large one.

Every pair of inner fold and setting (hyperparameters and seed) is a network of one program. Those of one architecture stand
in one stack (stack.py); stacks take their steps in turn, so that a setting ends by its mean over the folds, whatever their
widths.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from rna2model.models.neural import checkpoint
from rna2model.models.neural.checkpoint import Journal
from rna2model.models.neural.data import TorchFold, TorchRows
from rna2model.models.neural.stack import Stack, drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


__all__ = ["Plan", "Program", "TorchFold", "held_out", "train"]

LOG_EVERY = 25  # epochs between lines of the log
LOG_SECONDS = 30.0  # the longest time without one, where epochs are long
STATE = ("weights", "buffers", "exp_avg", "exp_avg_sq")  # of a stack in a checkpoint


@dataclass
class Plan:
    """How to train: `epochs` at most; a setting ends when its validation loss, the mean over folds, did not improve for
    `patience`.

    `supervised` off trains on the part of the loss that needs no labels. `start`: initial weights instead of drawn ones, per
    fold {name: (C or 1, ...) array}. `label` names the program in journal and log. `groups`: the folds of each stack, by
    default all in one.
    """

    loss: Callable[..., torch.Tensor]
    epochs: int
    patience: int | None = None
    supervised: bool = True
    start: Sequence[Mapping[str, NDArray[Any]]] | None = None
    label: str = "training"
    minibatch: int = 512
    device: str = "cpu"
    seed: int = 1
    log: Callable[..., None] = print
    journal: Journal = field(default_factory=Journal)
    checkpoint: checkpoint.Checkpoint | None = None
    groups: Sequence[Sequence[int]] | None = None


def train(
    build: Callable[[Mapping[str, Any], TorchFold], torch.nn.Module],
    folds: Sequence[TorchFold],
    settings: Sequence[dict[str, Any]],
    truth: NDArray[Any],
    plan: Plan,
) -> Program:
    """Train a network per fold and setting; returns the Program, with `curve` and `first()`.

    build: the module of a setting for a fold. settings: C dicts with learning_rate, weight_decay, seed, and `auxiliary`, the
    weight of the label-free loss; truth (n, q). A killed job that has a checkpoint goes on and ends with the same bytes.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    deterministic: Any = torch.utils.deterministic
    deterministic.fill_uninitialized_memory = False  # nothing here reads memory before writing it
    program = Program(build, folds, settings, truth, plan)
    program.resume(truth)
    while program.epoch < plan.epochs and program.live.size:
        learned = program.one_epoch()
        validated = program.validate()
        program.report(learned, validated)
        program.end_settings(validated)
        program.save(finished=program.epoch == plan.epochs or not program.live.size)
    return program


@torch.no_grad()
def held_out(program: Program) -> list[NDArray[np.float64]]:
    """List of (m, K) float64 outputs of the first setting's network of each fold, for the fold's validation rows in order."""
    outputs: list[Any] = [None] * len(program.folds)
    for members, stack, rows in program.stacks:
        stack.train(False)
        parts = [(stack(batch)[0], weight) for batch, _, weight, _ in rows.validation()]
        output, there = (torch.cat(part, dim=2).float().cpu().numpy() for part in zip(*parts, strict=True))
        for f, one, weight in zip(members, output, there, strict=True):
            outputs[f] = one[0][weight[0] > 0].astype(np.float64)
    return outputs


class Program:
    """The networks of all folds and settings, and the course of their training.

    Attributes
    ----------
    stacks : list of (numbers of its folds, Stack, TorchRows)
    live : numbers of the settings still in training; the stacks hold these alone
    curve : (epochs run, F, C of all) validation loss; a setting that has ended keeps its last
    best, best_epoch : (C,) the least mean validation loss, and its epoch
    """

    key: Any

    def __init__(
        self,
        build: Callable[[Mapping[str, Any], TorchFold], torch.nn.Module],
        folds: Sequence[TorchFold],
        settings: Sequence[dict[str, Any]],
        truth: NDArray[Any],
        plan: Plan,
    ) -> None:
        self.folds, self.settings, self.plan = folds, settings, plan
        self.live, self.key = np.arange(len(settings)), None
        self.best, self.best_epoch = np.full(len(settings), np.inf), np.zeros(len(settings), dtype=int)
        self.curve, self.epoch, self.steps = np.empty((0, len(folds), len(settings))), 0, 0
        self.last_line = time.monotonic()
        self.stacks = []
        for members in plan.groups or [range(len(folds))]:
            own = [folds[f] for f in members]
            networks = [[self._network(build, c, f) for f in members] for c in range(len(settings))]
            rows = TorchRows(own, truth, plan.device, plan.minibatch, plan.seed)
            self.stacks.append((list(members), Stack(networks, plan.device), rows))
        self._optimize()

    def _network(self, build, c, f):
        setting, fold = self.settings[c], self.folds[f]
        network = drawn(lambda: build(setting, fold), setting["seed"], fold.number)
        if self.plan.start:
            state = network.state_dict()
            for name, arrays in self.plan.start[f].items():
                own = torch.tensor(arrays[min(c, len(arrays) - 1)], dtype=state[name].dtype)
                state[name].copy_(
                    own[tuple(map(slice, state[name].shape))]
                )  # without columns that are padding
        return network

    def first(self) -> dict[str, NDArray[np.float64]]:
        """{name: float64 array} of weights and buffers of the network of the first fold and setting."""
        _, stack, _ = self.stacks[0]
        return {
            name: one[0, 0].detach().cpu().numpy().astype(np.float64)
            for name, one in {**stack.weights, **stack.buffers}.items()
        }

    def weights(self) -> list[dict[str, NDArray[np.float32]]]:
        """Per fold {name: (C, ...) array} of all that is left, as Plan.start takes it."""
        by_fold: list[Any] = [None] * len(self.folds)
        for members, stack, _ in self.stacks:
            for place, f in enumerate(members):
                by_fold[f] = {
                    name: one[:, place].detach().cpu().numpy() for name, one in stack.weights.items()
                }
        return by_fold

    def one_epoch(self) -> NDArray[np.float64]:
        """One pass over the training rows; returns the (F, C) mean training loss."""
        learned = np.empty((len(self.folds), len(self.live)))
        for members, stack, rows in self.stacks:
            stack.train(True)
            total: Any = 0.0
            for part, (batch, truth, weight, seen) in enumerate(rows.minibatches(self.epoch + 1), start=1):
                output, label_free = stack(batch, self.plan.seed * 1_000_003 + self.steps + part)
                loss = self._loss(output, label_free, truth, weight, seen)
                stack.step(loss)
                total = total + loss.detach()
            learned[members] = (total / rows.parts).cpu().numpy()
        self.epoch, self.steps = self.epoch + 1, self.steps + self.stacks[0][2].parts
        return learned

    @torch.no_grad()
    def validate(self) -> NDArray[np.float64] | None:
        """(F, C) loss of the held-out rows; None where nothing is held out or labels are not used."""
        if not self.plan.supervised or not any(fold.valid.any() for fold in self.folds):
            return None
        losses = np.empty((len(self.folds), len(self.live)))
        for members, stack, rows in self.stacks:
            stack.train(False)
            parts = [(stack(batch)[0], truth, weight) for batch, truth, weight, _ in rows.validation()]
            output, truth, weight = (torch.cat(part, dim=2) for part in zip(*parts, strict=True))
            losses[members] = self.plan.loss(output.float(), truth, weight).cpu().numpy()
        return np.where(np.isfinite(losses), losses, np.inf)  # diverged: never the best

    def end_settings(self, validated: NDArray[np.float64] | None) -> None:
        """Keep the validation loss (F, C), and end the settings whose mean has not improved for `patience` epochs."""
        if validated is None:
            return
        last = self.curve[-1].copy() if len(self.curve) else np.full(self.curve.shape[1:], np.inf)
        last[:, self.live] = validated
        self.curve = np.concatenate([self.curve, last[None]])
        mean = last.mean(axis=0)
        better = mean[self.live] < self.best[self.live]
        self.best[self.live[better]] = mean[self.live[better]]
        self.best_epoch[self.live[better]] = self.epoch
        if self.plan.patience is not None:
            going = self.epoch - self.best_epoch[self.live] < self.plan.patience
            self._keep(np.flatnonzero(going))

    def _keep(self, places):
        """Go on with the settings at these places of `live` alone, so that they go on faster."""
        if len(places) == len(self.live):
            return
        self.live = self.live[places]
        if len(places):
            for _, stack, _ in self.stacks:
                stack.keep(places.tolist())
            self._optimize()

    def _optimize(self):
        for _, stack, _ in self.stacks:
            stack.optimize([self.settings[c] for c in self.live], self.steps)
        auxiliary = [self.settings[c].get("auxiliary", 0.0) for c in self.live]
        self.auxiliary = torch.tensor(auxiliary, dtype=torch.float32, device=self.plan.device)

    def _loss(self, output, label_free, truth, weight, seen):
        """(F, C) training loss: of the labels, of what needs none, or both."""
        loss = self.plan.loss(output.float(), truth, weight) if self.plan.supervised else 0.0
        if label_free is None:
            return loss
        label_free = (label_free.float() * seen).sum(dim=-1) / seen.sum(dim=-1).clamp_min(1e-12)
        return loss + (self.auxiliary if self.plan.supervised else 1.0) * label_free

    def report(self, learned: NDArray[np.float64], validated: NDArray[np.float64] | None) -> None:
        """A line of the journal, and now and then one of the log."""
        line = {"program": self.plan.label, "epoch": self.epoch, "networks": learned.size}
        line["candidate"] = self.live.tolist()
        line["train_loss"] = _rounded(learned.mean(axis=0))
        line["validation_loss"] = None if validated is None else _rounded(validated.mean(axis=0))
        line["learning_rate"] = [self.settings[int(i)]["learning_rate"] for i in self.live]
        self.plan.journal.write(line)
        if self.epoch % LOG_EVERY == 0 or time.monotonic() - self.last_line >= LOG_SECONDS:
            self.last_line = time.monotonic()
            self.plan.log(
                f"{self.plan.label}, epoch {self.epoch} of at most {self.plan.epochs}: {learned.size} networks in"
                f" training, loss {learned.mean():.4f}{self._validated(validated)}"
            )

    def _validated(self, validated):
        """The best setting's validation loss, now and at its best epoch; nothing where none is held out."""
        if validated is None:
            return ""
        now = validated.mean(axis=0).min()
        return f", validation loss {now:.4f}, lowest so far {min(now, self.best.min()):.4f}"

    def resume(self, truth: NDArray[Any]) -> None:
        """Go on from the checkpoint of the same program, if there is one."""
        state = None
        if self.plan.checkpoint is not None:
            self.key = checkpoint.name_of(self, truth)
            state = self.plan.checkpoint.load(self.key)
        if state is None:
            return self.plan.journal.rewind(self.plan.journal.lines)
        arrays, facts = state
        self.live = arrays["live"]
        self.best, self.best_epoch, self.curve = arrays["best"], arrays["best_epoch"], arrays["curve"]
        self.epoch, self.steps = facts["epoch"], facts["steps"]
        for number, (_, stack, _) in enumerate(self.stacks):
            for part, tensors in zip(STATE, _state(stack), strict=True):
                for name, was in tensors.items():
                    array = torch.tensor(arrays[f"{number}.{part}.{name}"])
                    tensors[name] = array.to(device=was.device, dtype=was.dtype)
        self.plan.journal.rewind(facts["lines"])
        self.plan.log(f"{self.plan.label}: goes on after epoch {self.epoch}")
        if self.live.size:
            self._optimize()

    def save(self, finished: bool) -> None:
        """Keep the state where it is due, and at the end of the program."""
        if self.plan.checkpoint is None or not (finished or self.plan.checkpoint.due()):
            return
        arrays = {name: getattr(self, name) for name in ("live", "best", "best_epoch", "curve")}
        for number, (_, stack, _) in enumerate(self.stacks):
            for part, tensors in zip(STATE, _state(stack), strict=True):
                for name, one in tensors.items():
                    arrays[f"{number}.{part}.{name}"] = one.detach().cpu().numpy()
        facts = {"epoch": self.epoch, "steps": self.steps, "lines": self.plan.journal.lines}
        self.plan.checkpoint.save(self.key, arrays, facts)


def _state(stack):
    return stack.weights, stack.buffers, *stack.moments


def _rounded(values):
    """Numbers for JSON; None for what diverged."""
    return [round(float(value), 6) if np.isfinite(value) else None for value in values]
