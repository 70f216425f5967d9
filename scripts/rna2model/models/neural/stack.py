"""Networks of one architecture side by side: every matrix product is shared, so twenty small ones cost little more than one."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.func import functional_call, vmap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Weights = dict[str, torch.Tensor]
MOMENTS = ("exp_avg", "exp_avg_sq")  # what AdamW keeps of a weight


class Stack:
    """The networks of C settings x F folds, their weights stacked, and AdamW (Loshchilov & Hutter 2019) with a learning rate
    and a weight decay per setting; biases do not decay.

    Attributes
    ----------
    weights : {name: (C, F, ...) tensor}
    buffers : {name: (C, F, ...) tensor}, what is not learned by gradients
    moments : two such dicts of the weights
    """

    def __init__(self, networks: Sequence[Sequence[torch.nn.Module]], device: str) -> None:
        """networks: C lists of F modules that differ in values only; fewer columns are padded with zeros."""
        self.network = copy.deepcopy(networks[0][0]).to("meta")  # its layers, without numbers
        self.network.train()
        self.device = device
        self.weights = self._stacked(networks, "named_parameters")
        self.buffers = self._stacked(networks, "named_buffers")
        self.moments = tuple({name: torch.zeros_like(w) for name, w in self.weights.items()} for _ in MOMENTS)
        self._side_by_side: bool | None = None

    def _stacked(self, networks, kind):
        states = [[dict(getattr(one, kind)()) for one in row] for row in networks]
        return {
            name: padded([[state[name].detach() for state in row] for row in states]).to(self.device)
            for name in states[0][0]
        }

    def optimize(self, settings: Sequence[Mapping[str, Any]], steps: int) -> None:
        """Go on with the settings, one per network of the stack, after `steps` steps."""
        groups, state = [], {}
        self.weights = {name: w.detach().contiguous() for name, w in self.weights.items()}
        # the same memory, by setting
        self._views = {name: [w[c] for c in range(len(w))] for name, w in self.weights.items()}
        for c, setting in enumerate(settings):
            for bias in (False, True):
                names = [name for name in self.weights if name.endswith("bias") is bias]
                decay = 0.0 if bias else setting.get("weight_decay", 0.0)
                options = {"lr": setting["learning_rate"], "weight_decay": decay}
                if names:
                    groups.append({"params": [self._views[name][c] for name in names], **options})
            for name, views in self._views.items():
                state[views[c]] = {
                    "step": torch.tensor(float(steps), device=self.device),
                    **{key: m[name][c] for key, m in zip(MOMENTS, self.moments, strict=True)},
                }
        self.optimizer = torch.optim.AdamW(groups, fused=True)
        self.optimizer.state.update(state)
        for weight in self.weights.values():
            weight.requires_grad_()

    def step(self, loss: torch.Tensor) -> None:
        """One step of AdamW down the gradient of the sum of `loss` (F, C)."""
        gradients = torch.autograd.grad(loss.sum(), list(self.weights.values()), materialize_grads=True)
        for views, gradient in zip(self._views.values(), gradients, strict=True):
            for view, one in zip(
                views, gradient.contiguous(), strict=True
            ):  # the fused AdamW reads memory in order
                view.grad = one
        self.optimizer.step()

    def keep(self, places: Sequence[int]) -> None:
        """Go on with the settings at `places` alone; `optimize` has to follow."""
        index = torch.tensor(places, device=self.device)
        self.weights, self.buffers, *moments = (
            {name: one.detach()[index] for name, one in state.items()}
            for state in (self.weights, self.buffers, *self.moments)
        )
        self.moments = tuple(moments)

    def train(self, training: bool) -> None:
        """Whether dropout and the like are on."""
        self.network.train(training)

    def __call__(self, rows: torch.Tensor, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor | None]:
        """(output (F, C, n, K), loss per row that needs no labels (F, C, n) or None) of rows (F, n, k).

        All networks see the same random numbers, those of `seed`; so none depends on its neighbours.
        """
        if self._side_by_side is None:
            alone = len(self) * len(rows) == 1  # quicker as it is
            self._side_by_side = not alone and self._can_be_vectorised(rows)
        forward = self._together if self._side_by_side else self._in_turn
        half = torch.autocast("cuda", dtype=torch.bfloat16, enabled=rows.is_cuda)
        with torch.random.fork_rng(devices=[rows.device] if rows.is_cuda else []), half:
            returned = forward(rows, seed)
        output, label_free = returned if isinstance(returned, tuple) else (returned, None)
        return output.transpose(0, 1), None if label_free is None else label_free.transpose(0, 1)

    def _one(self, weights, buffers, rows):
        return functional_call(self.network, (weights, buffers), (rows,))

    def _together(self, rows, seed):
        begin_random(seed, rows.is_cuda)
        by_fold = vmap(self._one, (0, 0, 0), randomness="same")
        return vmap(by_fold, (0, 0, None), randomness="same")(self.weights, self.buffers, rows)

    def _in_turn(self, rows, seed):
        """For a module that torch cannot vectorise (a recurrent layer of cuDNN, a branch that depends on values)."""
        each = [[self._alone(c, f, rows, seed) for f in range(len(rows))] for c in range(len(self))]
        if isinstance(each[0][0], tuple):
            return tuple(torch.stack([torch.stack([one[i] for one in row]) for row in each]) for i in (0, 1))
        return torch.stack([torch.stack(row) for row in each])

    def _alone(self, c, f, rows, seed):
        begin_random(seed, rows.is_cuda)
        weights, buffers = (
            {name: one[c, f] for name, one in state.items()} for state in (self.weights, self.buffers)
        )
        return self._one(weights, buffers, rows[f])

    @torch.no_grad()
    def _can_be_vectorised(self, rows):
        """Whether vmap takes the network, while it trains and while it predicts, which may be other code."""
        before, mode = {name: buffer.clone() for name, buffer in self.buffers.items()}, self.network.training
        try:
            for training in (True, False):
                self.network.train(training)
                self._together(rows[:, :2], 0)
        except (RuntimeError, NotImplementedError, ValueError, TypeError):
            return False
        finally:
            self.network.train(mode)
            self.buffers = before
        return True

    def __len__(self) -> int:
        return len(next(iter(self.weights.values())))


def padded(tensors: Sequence[Sequence[torch.Tensor]]) -> torch.Tensor:
    """(C, F, ...) tensor of C lists of F tensors, padded with zeros at the end to the largest."""
    shape = np.max([one.shape for row in tensors for one in row], axis=0, initial=0)

    def as_large(one):
        more = [int(size) - have for size, have in zip(shape, one.shape, strict=True)]
        return torch.nn.functional.pad(one, [n for missing in reversed(more) for n in (0, missing)])

    return torch.stack([torch.stack([as_large(one) for one in row]) for row in tensors])


def begin_random(seed: int, cuda: bool = False) -> None:
    """Start torch's random numbers anew; torch.manual_seed keeps a stack trace for each call, which takes longer than a step."""
    torch.default_generator.manual_seed(seed)
    if cuda:
        torch.cuda.manual_seed(seed)


def drawn(build: Callable[[], torch.nn.Module], seed: int, fold: int) -> torch.nn.Module:
    """A module with the initial weights of a seed and a fold's number, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        begin_random(int(np.random.SeedSequence([seed, fold]).generate_state(1)[0]))
        return build()


def arrays(network: torch.nn.Module) -> dict[str, NDArray[Any]]:
    """{name: array} of what a module has to keep."""
    return {name: one.detach().cpu().numpy() for name, one in network.state_dict().items()}
