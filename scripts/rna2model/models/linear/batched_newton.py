"""Many L2-penalised linear models on the same rows, fitted at once (truncated Newton, numpy).

Member b of the batch minimises over weights w (r, M) and an unpenalised intercept

    sum_i weight[i, b] * loss(y[i, b], z_i w + intercept)  +  ||w||² / (2 C[b])

the objective of scikit-learn's LogisticRegression and LinearSVC. Zero weights leave rows out, so inner folds,
values of C, permutations and one-vs-rest classes are all members that share every matrix product.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.models.linear import newton_path

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STEPS, MOST_DIRECTIONS = 100, 250
MEMBER_VALUES = 1_000_000  # numbers per array of logits; more members than fit are solved in turn
LARGE_MEMBER, MOST_COLUMNS = (
    50_000,
    400,
)  # numbers of logits of one member from which, and columns up to which, newton_path.py is faster


class Logistic:
    """log(1 + exp(-y f)); y is -1 or +1, one logit."""

    @staticmethod
    def value(f: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.logaddexp(0.0, -y * f)

    @staticmethod
    def gradient_and_curvature(
        f: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], Callable[..., NDArray[np.float64]]]:
        p = 0.5 * (1.0 + np.tanh(0.5 * f))
        curvature = p * (1.0 - p)
        return p - (y + 1.0) / 2.0, curvature, lambda d, keep=slice(None): curvature[:, keep] * d


class Softmax:
    """-log softmax(f)[y]; y is one-hot, K logits (over-parametrised as in scikit-learn)."""

    @staticmethod
    def value(f: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        top = f.max(axis=2, keepdims=True)
        return np.log(np.exp(f - top).sum(axis=2, keepdims=True)) + top - (f * y).sum(axis=2, keepdims=True)

    @staticmethod
    def gradient_and_curvature(
        f: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], Callable[..., NDArray[np.float64]]]:
        p = np.exp(f - f.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)

        def curve(d, keep=slice(None)):
            q = p[:, keep]
            return q * (d - (q * d).sum(axis=2, keepdims=True))

        return p - y, p * (1.0 - p), curve


class SquaredHinge:
    """max(0, 1 - y f)²; y is -1 or +1, one decision value."""

    @staticmethod
    def value(f: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.maximum(0.0, 1.0 - y * f) ** 2

    @staticmethod
    def gradient_and_curvature(
        f: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], Callable[..., NDArray[np.float64]]]:
        short = np.maximum(0.0, 1.0 - y * f)
        curvature: Any = 2.0 * (short > 0)
        return -2.0 * y * short, curvature, lambda d, keep=slice(None): curvature[:, keep] * d


def solve(
    loss: Any,
    Z: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    C: NDArray[np.float64],
    tolerance: float = 1e-9,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(weights (r, B, M), intercepts (B, M)) of all members.

    Z (n, r); y (n, B, M) as the loss wants it; weight (n, B) >= 0; C (B,).
    `tolerance` is on the Newton decrement relative to the objective (both in units of the loss).
    """
    A = np.column_stack([Z, np.ones(len(Z))])
    members, width = y.shape[1], y.shape[2]
    if width > 1 and len(Z) * width >= LARGE_MEMBER and A.shape[1] <= MOST_COLUMNS:
        solution = newton_path.solve(loss, A, y, weight, C, tolerance)
        return solution[:-1], solution[-1]
    solution = np.zeros((A.shape[1], members, width))
    step = max(1, MEMBER_VALUES // (len(Z) * width))
    if members <= step:
        solution = _solve(loss, A, y, weight[:, :, None], C, tolerance, solution)
        return solution[:-1], solution[-1]
    order = np.argsort(C, kind="stable")
    ends = newton_path.Ends(y)
    for first in range(0, members, step):
        part = order[first : first + step]
        start = solution[:, ends.before(part)]
        solution[:, part] = _solve(loss, A, y[:, part], weight[:, part, None], C[part], tolerance, start)
    return solution[:-1], solution[-1]


def _solve(loss, A, y, weight, C, tolerance, theta):
    """Newton steps from `theta` (r + 1, B, M), which it changes, for the members not yet converged."""
    ridge = np.broadcast_to(1.0 / C[None, :, None], (A.shape[1], len(C), 1)).copy()
    ridge[-1] = 1e-10 * weight.sum(axis=0)  # no penalty on the intercept, but a unique one for softmax
    active, squared = np.arange(len(C)), A**2
    for _ in range(MOST_STEPS):
        t, w, r, target = theta[:, active], weight[:, active], ridge[:, active], y[:, active]
        f = _product(A, t)
        gradient, diagonal, curve = loss.gradient_and_curvature(f, target)
        g = _product(A.T, w * gradient) + r * t
        preconditioner = 1.0 / (_product(squared.T, w * diagonal) + r + 1e-12)
        direction = _conjugate_gradients(A, w, r, curve, preconditioner, g)
        objective = _objective(loss, f, target, w, r, t)
        decrement = -(g * direction).sum(axis=(0, 2))
        length = _line_search(
            loss, f, _product(A, direction), target, w, r, t, direction, objective, decrement
        )
        theta[:, active] = t + length[None, :, None] * direction
        active = active[(decrement > tolerance * np.maximum(objective, 1e-12)) & (length > 0)]
        if len(active) == 0:
            break
    return theta


def _conjugate_gradients(A, w, r, curve, preconditioner, g):
    """Newton direction of each member, to a tenth of its gradient or better as the gradient shrinks."""
    x, residual = np.zeros_like(g), -g
    z = preconditioner * residual
    d, size = z.copy(), _dot(residual, z)
    goal = size * np.minimum(0.01, size / (1.0 + size))
    live = np.arange(g.shape[1])
    for _ in range(MOST_DIRECTIONS):
        dl = d[:, live]
        h = _product(A.T, w[:, live] * curve(_product(A, dl), live)) + r[:, live] * dl
        alpha = (size[live] / np.maximum(_dot(dl, h), 1e-300))[None, :, None]
        x[:, live] += alpha * dl
        residual[:, live] -= alpha * h
        z = preconditioner[:, live] * residual[:, live]
        fresh = _dot(residual[:, live], z)
        d[:, live] = z + (fresh / np.maximum(size[live], 1e-300))[None, :, None] * dl
        size[live] = fresh
        live = live[fresh > goal[live]]
        if len(live) == 0:
            break
    return x


def _line_search(loss, f, change, y, w, r, theta, direction, objective, decrement):
    """(B,) step of each member: 1, halved until the objective falls enough (Armijo); 0 if it never does."""
    length, waiting = np.ones(len(objective)), np.arange(len(objective))
    for _ in range(30):
        s = length[waiting][None, :, None]
        reached = _objective(
            loss, f[:, waiting] + s * change[:, waiting], y[:, waiting], w[:, waiting], r[:, waiting],
            theta[:, waiting] + s * direction[:, waiting],
        )  # fmt: skip
        allowed = objective[waiting] - 1e-4 * length[waiting] * decrement[waiting]
        waiting = waiting[reached > allowed + 1e-12 * np.abs(objective[waiting])]
        if len(waiting) == 0:
            return length
        length[waiting] *= 0.5
    length[waiting] = 0.0
    return length


def _objective(loss, f, y, w, r, theta):
    return (w * loss.value(f, y)).sum(axis=(0, 2)) + 0.5 * (r * theta**2).sum(axis=(0, 2))


def _product(matrix, stack):
    """(a, b) @ (b, B, M) as one matrix product."""
    return (matrix @ stack.reshape(stack.shape[0], -1)).reshape(matrix.shape[0], *stack.shape[1:])


def _dot(a, b):
    return (a * b).sum(axis=(0, 2))
