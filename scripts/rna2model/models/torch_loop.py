"""One training loop for many small networks at once (plain torch).

All pairs of candidate and inner fold are members of one program with stacked weights: a member has its own
learning rate, weight decay, dropout and training rows, and every matrix product is shared. On small data the
cost of a training step is the calls, not the arithmetic, so twenty members cost little more than one.
"""

from dataclasses import dataclass

import numpy as np
import torch

MINIBATCH = 512  # rows per step; the same rows for all members
LOG_EVERY = 25  # epochs
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # AdamW (Loshchilov & Hutter 2019), torch's defaults


@dataclass
class Member:
    """One network: how it is trained, and the weight of each row in its training and validation loss."""

    learning_rate: float
    weight_decay: float
    dropout: float
    seed: list
    train: np.ndarray  # (n,) weights, zero for rows it may not see
    valid: np.ndarray  # (n,) weights, all zero to train for every epoch
    candidate: int = 0  # members of the same candidate are judged together


class Networks:
    """Stacked networks of one hidden layer: relu(z W1 + b1) W2 + b2.

    W1 (r, B, h), b1 (B, h), W2 (B, h, K), b2 (B, K), float32
    """

    def __init__(self, r, hidden, K, members, device):
        drawn = [_initial(r, hidden, K, member.seed) for member in members]
        stacked = [np.stack(parts) for parts in zip(*drawn, strict=True)]
        stacked[0] = stacked[0].transpose(1, 0, 2).copy()
        self.parameters = [torch.tensor(one, device=device, requires_grad=True) for one in stacked]
        self.dropout = _per_member(members, "dropout", device)

    def logits(self, Z, uniform=None):
        """(n, B, K); `uniform` (n, h) random numbers switch dropout on, the same draw for all members."""
        W1, b1, W2, b2 = self.parameters
        hidden = torch.relu((Z @ W1.flatten(1)).view(len(Z), *b1.shape) + b1)
        if uniform is not None:
            rate = self.dropout[None, :, None]
            hidden = hidden * (uniform[:, None, :] >= rate) / (1.0 - rate)
        return torch.bmm(hidden.transpose(0, 1), W2).transpose(0, 1) + b2

    def member(self, b):
        """[W1 (r, h), b1 (h,), W2 (h, K), b2 (K,)] of one network as float64 arrays."""
        W1, b1, W2, b2 = (one.detach().cpu().numpy().astype(np.float64) for one in self.parameters)
        return [W1[:, b], b1[b], W2[b], b2[b]]


class AdamW:
    """AdamW with a learning rate and a weight decay per member; biases do not decay."""

    def __init__(self, parameters, members, device):
        rate, decay = (
            _per_member(members, "learning_rate", device),
            _per_member(members, "weight_decay", device),
        )
        shapes = [(1, -1, 1), (-1, 1), (-1, 1, 1), (-1, 1)]
        self.parameters = parameters
        self.rate = [rate.view(shape) for shape in shapes]
        self.keep = [(1.0 - rate * decay).view(shape) if len(shape) == 3 else 1.0 for shape in shapes]
        self.first = [torch.zeros_like(one) for one in parameters]
        self.second = [torch.zeros_like(one) for one in parameters]
        self.steps = 0

    @torch.no_grad()
    def step(self, gradients):
        self.steps += 1
        unbias1, unbias2 = 1.0 - BETA1**self.steps, 1.0 - BETA2**self.steps
        state = zip(self.parameters, gradients, self.first, self.second, self.rate, self.keep, strict=True)
        for parameter, gradient, first, second, rate, keep in state:
            first.lerp_(gradient, 1.0 - BETA1)
            second.lerp_(gradient.square(), 1.0 - BETA2)
            parameter.mul_(keep).sub_(rate * (first / unbias1) / ((second / unbias2).sqrt() + EPSILON))


def train(Z, y, members, hidden, epochs, patience, device, seed, log):
    """Train all members; returns (networks, (candidates, epochs run) validation loss).

    Z (n, r) float64, y (n,) class numbers. The validation loss of a candidate is the mean over its members
    (one per inner fold), which is steadier than any fold's own. Stops when no candidate improved for `patience`
    epochs; without validation rows all epochs are run and the losses are zero.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    rows = torch.tensor(Z, dtype=torch.float32, device=device)
    truth = torch.nn.functional.one_hot(torch.tensor(y, device=device)).float()[:, None, :]
    learned, held_out = (_row_weights(members, which, device) for which in ("train", "valid"))
    mean_of = np.equal.outer(sorted({m.candidate for m in members}), [m.candidate for m in members])
    networks = Networks(Z.shape[1], hidden, truth.shape[2], members, device)
    optimizer, rng = AdamW(networks.parameters, members, device), np.random.default_rng(seed)
    curve = []
    for epoch in range(1, epochs + 1):
        for batch in _minibatches(len(Z), rng):
            uniform = torch.tensor(rng.random((len(batch), hidden), dtype=np.float32), device=device)
            loss = _loss(networks.logits(rows[batch], uniform), truth[batch], learned[batch])
            optimizer.step(torch.autograd.grad(loss.sum(), networks.parameters))
        with torch.no_grad():
            losses = _loss(networks.logits(rows), truth, held_out).cpu().numpy()
        curve.append(mean_of @ losses / mean_of.sum(axis=1))
        if epoch % LOG_EVERY == 0:
            trained = float(loss.detach().mean())
            log(
                f"epoch {epoch}: {len(members)} networks, training loss {trained:.4f}, validation {curve[-1].round(4)}"
            )
        if epoch - np.argmin(curve, axis=0).max() > patience:
            break
    return networks, np.array(curve).T


def _initial(r, hidden, K, seed):
    """Random weights of one network, uniform within 1 / sqrt(inputs) as in torch.nn.Linear; biases zero."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(-1, 1, (r, hidden)) / np.sqrt(max(r, 1))
    second = rng.uniform(-1, 1, (hidden, K)) / np.sqrt(hidden)
    parts = [first, np.zeros(hidden), second, np.zeros(K)]
    return [part.astype(np.float32) for part in parts]


def _per_member(members, field, device):
    """(B,) tensor of one field of the members."""
    return torch.tensor([getattr(member, field) for member in members], dtype=torch.float32, device=device)


def _row_weights(members, field, device):
    """(n, B) tensor of the members' row weights."""
    return torch.tensor(
        np.stack([getattr(member, field) for member in members], axis=1), dtype=torch.float32
    ).to(device)


def _minibatches(n, rng):
    """Row numbers of each step of an epoch: all rows where they fit, else shuffled parts of equal size."""
    if n <= MINIBATCH:
        return [np.arange(n)]
    return np.array_split(rng.permutation(n), -(-n // MINIBATCH))


def _loss(logits, truth, weight):
    """(B,) weighted mean cross-entropy of each member."""
    cross_entropy = -(torch.log_softmax(logits, dim=2) * truth).sum(dim=2)
    return (cross_entropy * weight).sum(dim=0) / weight.sum(dim=0).clamp_min(1e-12)
