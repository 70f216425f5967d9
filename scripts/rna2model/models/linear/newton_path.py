"""The problem of batched_newton.py where one member fills the cache: many rows, many classes, few columns.

Members are solved one after the other, by rising C: each starts where the last with the same targets ended. Newton's
directions come from conjugate gradients in float32 (gradients, objectives and steps are float64, so the minimum is not
touched), whose preconditioner has the exact curvature of each output by itself. It is made at one member and serves the others with
that C, until it is no longer good enough.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_STEPS, MOST_DIRECTIONS, MOST_HALVINGS = 100, 250, 30
STALE = 12  # conjugate directions from which a new preconditioner costs less than going on with one of another member
FINE = 1e-6  # of a direction's squared error: what float32 reaches
LOST = 1e4  # times the least squared error so far: float32 has lost the direction


def solve(
    loss: Any,
    A: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    C: NDArray[np.float64],
    tolerance: float,
) -> NDArray[np.float64]:
    """(r + 1, B, M) weights and, last, intercepts; A (n, r + 1) ends with a column of ones; the rest as batched_newton.solve."""
    length = np.sqrt((A**2).sum(axis=0))
    A, solution = A / length, np.zeros((A.shape[1], *y.shape[1:]))
    penalty = 1.0 / C[None, :] / length[:, None] ** 2
    penalty[-1] = 1e-10 * weight.sum(axis=0) / length[-1] ** 2  # as in batched_newton._solve
    ends, blocks = Ends(y), _Blocks()
    for member in np.argsort(C, kind="stable"):
        rows, start = np.flatnonzero(weight[:, member]), solution[:, ends.before([member])[0]]
        solution[:, member] = _solve(
            loss, A[rows], y[rows, member, None], weight[rows, member, None], penalty[:, member, None], start, blocks, tolerance
        )  # fmt: skip
    return solution / length[:, None, None]


class Ends:
    """Which member was solved last for the same targets: the next may start where it ended."""

    def __init__(self, y: NDArray[np.float64]) -> None:
        self.y = y
        self._last: dict[bytes, int] = {}

    def before(self, members: Sequence[int] | NDArray[np.int64]) -> list[int]:
        """The member solved before each of `members`, itself for the first; call once for each, in the order of solving."""
        keys = [hashlib.sha256(np.ascontiguousarray(self.y[:, member]).data).digest() for member in members]
        starts = [self._last.get(key, member) for key, member in zip(keys, members, strict=True)]
        self._last.update(zip(keys, members, strict=True))
        return starts


class _Blocks:
    """The preconditioner: for each output the inverse of its own part of the curvature, (M, r + 1, r + 1) float32."""

    inverse: Any = None
    fresh = False  # whether it was made at the point where the search stands

    def make(self, A, weight, diagonal, penalty):
        """A (n, r + 1) float32; weight (n, 1); diagonal (n, M) curvature of each output; penalty (r + 1, 1)."""
        scale = np.sqrt(weight * diagonal).astype(np.float32)
        curvature = np.empty((scale.shape[1], A.shape[1], A.shape[1]))
        for output in range(len(curvature)):
            scaled = A * scale[:, output, None]
            curvature[output] = scaled.T @ scaled
        places = np.arange(A.shape[1])
        top = curvature[:, places, places].max(axis=1)[:, None]
        curvature[:, places, places] += penalty[:, 0] + 1e-6 * top + 1e-12
        self.inverse, self.fresh = np.linalg.inv(curvature).astype(np.float32), True

    def apply(self, residual):
        """(r + 1, M) of a residual (r + 1, M)."""
        z = np.matmul(self.inverse, residual.T[:, :, None])[:, :, 0].T
        return (
            z if z.shape[1] == 1 else z - z.mean(axis=1, keepdims=True)
        )  # softmax: logits may all rise together


def _solve(loss, A, y, weight, penalty, theta, blocks, tolerance):
    """(r + 1, M) of one member; y (n, 1, M), weight (n, 1), penalty (r + 1, 1)."""
    single, squares = A.astype(np.float32), A**2
    f = A @ theta
    objective = _objective(loss, f, y, weight, penalty, theta)
    for _ in range(MOST_STEPS):
        slope, diagonal, _ = loss.gradient_and_curvature(f[:, None], y)
        gradient = A.T @ (weight * slope[:, 0]) + penalty * theta
        along = gradient / (
            squares.T @ (weight * diagonal[:, 0]) + penalty
        )  # Newton's step for each weight alone
        direction = _direction(
            loss, single, f, y, weight, penalty, gradient, blocks, 1e-5 * tolerance * objective
        )
        if not blocks.fresh and _is_lost(
            gradient, direction, along
        ):  # by the preconditioner of another member
            blocks.inverse = None
            direction = _direction(
                loss, single, f, y, weight, penalty, gradient, blocks, 1e-5 * tolerance * objective
            )
        if _is_lost(gradient, direction, along):
            direction = -along
        decrement = -(gradient * direction).sum()
        change = A @ direction
        for halved in range(MOST_HALVINGS):
            step = 0.5**halved
            reached = _objective(loss, f + step * change, y, weight, penalty, theta + step * direction)
            if reached <= objective - 1e-4 * step * decrement + 1e-12 * abs(objective):
                break
        else:
            break
        small = decrement <= tolerance * max(objective, 1e-12)
        theta, f, objective = theta + step * direction, f + step * change, reached
        blocks.fresh = False
        if small:
            break
    return theta


def _is_lost(gradient, direction, along):
    """Whether a direction promises less than the best single weight does, which Newton's direction never does."""
    return -(gradient * direction).sum() < 0.5 * (gradient * along).max()


def _direction(loss, A, f, y, weight, penalty, gradient, blocks, enough):
    """(r + 1, M) Newton's direction by preconditioned conjugate gradients in float32, to a tenth of the gradient or better:
    as the gradient shrinks, or where no more than `enough` of the objective would be left."""
    _, diagonal, curve = loss.gradient_and_curvature(f[:, None].astype(np.float32), y.astype(np.float32))
    if blocks.inverse is None or len(blocks.inverse) != f.shape[1]:
        blocks.make(A, weight, diagonal[:, 0], penalty)
    weighted, penalty = A * weight.astype(np.float32), penalty.astype(np.float32)
    unit = max(float(np.abs(gradient).max()), 1e-300)
    x, residual = np.zeros(gradient.shape, np.float32), (-gradient / unit).astype(np.float32)
    d, size, goal, best, least = np.zeros_like(x), 0.0, None, x, np.inf
    for number in range(MOST_DIRECTIONS):
        if number == STALE and not blocks.fresh:
            blocks.make(A, weight, diagonal[:, 0], penalty)
            size, least = 0.0, np.inf  # a new beginning from here, in another norm
        z, before = blocks.apply(residual), size
        size = float((residual * z).sum())
        if goal is None:
            left = max(size * unit**2, 1e-300)
            goal = size * max(FINE, min(0.01, max(left, enough / left)))
        if size < least:
            best, least = x, size
        if size <= goal or size > LOST * least:
            break
        d = z + np.float32(size / before) * d if before else z
        h = weighted.T @ curve((A @ d)[:, None])[:, 0] + penalty * d
        curved = float((d * h).sum(dtype=np.float64))
        if curved < 1e-30:  # nothing is left that float32 sees
            break
        alpha = np.float32(size / curved)
        x, residual = x + alpha * d, residual - alpha * h
    return unit * best.astype(np.float64)


def _objective(loss, f, y, weight, penalty, theta):
    values = loss.value(f[:, None], y)
    return float((weight[:, :, None] * values).sum() + 0.5 * (penalty * theta**2).sum())
