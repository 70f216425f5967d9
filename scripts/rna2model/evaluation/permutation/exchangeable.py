"""Which samples may exchange their outcome under the null hypothesis, and whether enough of it moves.

A group (donor) stays whole. Groups that have one value throughout exchange it, whatever their sizes; in groups with several
values samples exchange them within the group, and groups of the same size may exchange all of theirs as a block (Winkler et
al. 2015). Within batches, only groups that are in the same batches exchange, and samples of a group within each batch. What is
left in place by all of these is in place in every permutation: if little else moves, the test is meaningless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    pass

LEAST_ARRANGEMENTS = 20  # below which no p can reach 0.05
LEAST_SHARE = 0.5  # of the variance of what is predicted that permutations must move
TRIED = 200  # draws by which both are found


class Exchange:
    """Draws arrangements of y (n,) classes, numbers or survival times, each as likely as the observed one under the null hypothesis.

    Groups with one value exchange it as a whole, whatever their size (a donor is a case or a control); in groups with several
    (tumour and normal of a patient) samples exchange them within the group (Winkler et al. 2015).

    units, batches : (n,) group and batch of each sample, batches None for no restriction; blocks : whether groups with
    several values exchange them as a block with others of the same size (in each batch).
    """

    def __init__(
        self, y: NDArray[Any], units: NDArray[Any], batches: NDArray[Any] | None = None, blocks: bool = False
    ) -> None:
        self.n = len(y)
        self.keys = np.unique(y, return_inverse=True)[1]
        batches = (
            np.zeros(self.n, dtype=int) if batches is None else np.unique(batches, return_inverse=True)[1]
        )
        order = np.argsort(units, kind="stable")
        starts = np.flatnonzero(
            np.append(True, np.asarray(units)[order][1:] != np.asarray(units)[order][:-1])
        )
        whole: dict[Any, list[Any]]
        several: dict[Any, list[Any]]
        whole, several, self.alone = {}, {}, []
        for rows in np.split(order, starts[1:]):
            parts = [rows[batches[rows] == batch] for batch in np.unique(batches[rows])]
            if len(set(self.keys[rows].tolist())) == 1:
                whole.setdefault(tuple(batches[part[0]] for part in parts), []).append(rows)
            elif blocks:
                several.setdefault(tuple((batches[part[0]], len(part)) for part in parts), []).append(parts)
            else:
                self.alone += parts
        self.whole = [_pool(pool) for pool in whole.values()]
        self.blocks = list(several.values())

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """(n,) row whose value each row takes."""
        source = np.arange(self.n)
        for rows in self.alone:
            source[rows] = rng.permutation(rows)
        for rows, place, first in self.whole:
            source[rows] = first[rng.permutation(len(first))][place]
        for pool in self.blocks:
            mixed = [np.concatenate([rng.permutation(part) for part in parts]) for parts in pool]
            for parts, taken in zip(pool, rng.permutation(len(pool)), strict=True):
                source[np.concatenate(parts)] = mixed[taken]
        return source


def _pool(groups):
    """(rows of all groups, number of each row's group, first row of each group)."""
    place = np.repeat(np.arange(len(groups)), [len(rows) for rows in groups])
    return np.concatenate(groups), place, np.array([rows[0] for rows in groups])


def check(
    task: str, y: NDArray[Any], units: NDArray[Any], batches: NDArray[Any] | None = None, seed: int = 0
) -> None:
    """InputProblem, with what to do, where permutations of y (n,) have too few arrangements or move too little."""
    exchange, rng = Exchange(y, units, batches, blocks=task != "classification"), np.random.default_rng(seed)
    values, seen = _spread(task, y), set()
    mean = np.zeros(values.shape)
    for _ in range(TRIED):
        source = exchange.draw(rng)
        seen.add(exchange.keys[source].tobytes())
        mean += values[source] / TRIED
    where = "" if batches is None else " within batches"
    grouped = len(np.unique(units)) < len(y)
    if len(seen) < LEAST_ARRANGEMENTS:
        raise InputProblem(
            f"the {len(np.unique(units))} {'groups' if grouped else 'samples'} can be arranged in {len(seen)} ways only{where},"
            f" of which no p below {1 / len(seen):.2g} can come; it takes {LEAST_ARRANGEMENTS} ways, so more"
            f" {'groups' if grouped else 'samples'}{' of each class' if task == 'classification' else ''}"
        )
    total, fixed = (_within(batches, part).var(axis=0).sum() for part in (values, mean))
    moved = 1 - fixed / total if total > 1e-12 else 0.0
    if moved < LEAST_SHARE:
        raise InputProblem(_immobile(task, moved, grouped, where))


def _immobile(task, moved, grouped, where):
    message = f"{'labels' if task == 'classification' else 'values'} can hardly be exchanged{where}: {1 - moved:.0%} of their variance stays where it is"
    if not grouped:
        return message
    if task == "classification":
        return (
            f"{message}, since groups (design.group) with several classes exchange them within the group only"
        )
    return (
        f"{message}, since groups (design.group) with several values exchange them only with groups of the same size; if what is"
        " predicted is a property of the group, give all its samples the same value"
    )


def _spread(task, y):
    """(n, k) numbers of equal weight whose variance is that of what is predicted: classes, ranks, or ranks of times and events."""
    from scipy.stats import rankdata

    if task == "classification":
        return (np.asarray(y)[:, None] == np.unique(y)).astype(float)
    columns = [rankdata(y["time"]), y["event"].astype(float)] if task == "survival" else [rankdata(y)]
    sds = [column.std() for column in columns]
    return np.stack([column / sd for column, sd in zip(columns, sds, strict=True) if sd > 0], axis=1)


def _within(batches, values):
    """values (n, k) less the mean of their batch."""
    left = np.array(values)
    for batch in [] if batches is None else np.unique(batches):
        left[batches == batch] -= left[batches == batch].mean(axis=0)
    return left
