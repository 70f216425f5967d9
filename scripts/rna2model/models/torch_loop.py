"""One training loop for many small networks at once (plain torch).

All pairs of inner fold and candidate are members of one program with stacked weights: a member has its own
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
    valid: np.ndarray  # (n,) weights, all zero where nothing is held out


class Networks:
    """F x C stacked networks of one hidden layer: relu(z W1 + b1) W2 + b2; fold f sees its own coordinates.

    W1 (F, r, C, h), b1 (F, C, h), W2 (F * C, h, K), b2 (F * C, K), float32
    """

    def __init__(self, r, hidden, K, members, device):
        F, C = len(members), len(members[0])
        drawn = [_initial(r, hidden, K, member.seed) for fold in members for member in fold]
        W1, b1, W2, b2 = (np.stack(parts) for parts in zip(*drawn, strict=True))
        W1 = W1.reshape(F, C, r, hidden).transpose(0, 2, 1, 3).copy()
        stacked = [W1, b1.reshape(F, C, hidden), W2, b2]
        self.parameters = [torch.tensor(one, device=device, requires_grad=True) for one in stacked]
        self.dropout = _per_member(members, "dropout", device)[:, None, :, None]

    def logits(self, Z, uniform=None):
        """(F * C, n, K); `uniform` (n, h) random numbers switch dropout on, the same draw for all members."""
        W1, b1, W2, b2 = self.parameters
        hidden = torch.bmm(Z, W1.flatten(2)).view(len(Z), -1, *b1.shape[1:])
        hidden = torch.relu(hidden + b1[:, None])
        if uniform is not None:
            hidden = hidden * (uniform[None, :, None, :] >= self.dropout) / (1.0 - self.dropout)
        return torch.baddbmm(b2[:, None], hidden.transpose(1, 2).flatten(0, 1), W2)

    def first(self):
        """[W1 (r, h), b1 (h,), W2 (h, K), b2 (K,)] of the first network as float64 arrays."""
        W1, b1, W2, b2 = (one.detach().cpu().numpy().astype(np.float64) for one in self.parameters)
        return [W1[0, :, 0], b1[0, 0], W2[0], b2[0]]


class AdamW:
    """AdamW with a learning rate and a weight decay per member; biases do not decay."""

    def __init__(self, parameters, members, device):
        rate, decay = (
            _per_member(members, "learning_rate", device),
            _per_member(members, "weight_decay", device),
        )
        self.parameters = parameters
        self.rate = [rate[:, None, :, None], rate[:, :, None], rate.reshape(-1, 1, 1), rate.reshape(-1, 1)]
        keep = 1.0 - rate * decay
        self.keep = [keep[:, None, :, None], 1.0, keep.reshape(-1, 1, 1), 1.0]
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
    """Train all members; returns (networks, (C, epochs run) validation loss of each candidate).

    Z (F, n, r): the rows in the coordinates of each fold; y (n,) class numbers; members: F lists of C. The
    validation loss of a candidate is its mean over folds, steadier than any fold's own. Stops when no candidate
    improved for `patience` epochs.
    """
    torch.use_deterministic_algorithms(True, warn_only=True)
    rows = torch.tensor(Z, dtype=torch.float32, device=device)
    truth = torch.nn.functional.one_hot(torch.tensor(y, device=device)).float()
    learned, held_out = (_per_member(members, which, device).flatten(0, 1) for which in ("train", "valid"))
    networks = Networks(Z.shape[2], hidden, truth.shape[1], members, device)
    optimizer, rng = AdamW(networks.parameters, members, device), np.random.default_rng(seed)
    curve = []
    for epoch in range(1, epochs + 1):
        for batch in _minibatches(len(y), rng):
            uniform = torch.tensor(rng.random((len(batch), hidden), dtype=np.float32), device=device)
            loss = _loss(networks.logits(rows[:, batch], uniform), truth[batch], learned[:, batch])
            optimizer.step(torch.autograd.grad(loss.sum(), networks.parameters))
        with torch.no_grad():
            losses = _loss(networks.logits(rows), truth, held_out).cpu().numpy()
        curve.append(losses.reshape(len(members), -1).mean(axis=0))
        if epoch % LOG_EVERY == 0:
            trained = float(loss.detach().mean())
            log(f"epoch {epoch}: {len(losses)} networks, loss {trained:.4f}, validation {curve[-1].round(4)}")
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
    """(F, C) tensor of one field of the members, or (F, C, n) of their row weights."""
    values = np.array([[getattr(member, field) for member in fold] for fold in members])
    return torch.tensor(values, dtype=torch.float32, device=device)


def _minibatches(n, rng):
    """Row numbers of each step of an epoch: all rows where they fit, else shuffled parts of equal size."""
    if n <= MINIBATCH:
        return [np.arange(n)]
    return np.array_split(rng.permutation(n), -(-n // MINIBATCH))


def _loss(logits, truth, weight):
    """(B,) weighted mean cross-entropy of each member; logits (B, n, K), truth (n, K), weight (B, n)."""
    cross_entropy = -(torch.log_softmax(logits, dim=2) * truth).sum(dim=2)
    return (cross_entropy * weight).sum(dim=1) / weight.sum(dim=1).clamp_min(1e-12)
