"""The rows that stacked networks train on, and what each inner fold may see of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass
class TorchFold:
    """One inner fold, or all training rows.

    rows (n, k) in the coordinates of the fold; `train`, `valid`, `seen` (n,) weights of rows in the loss, in the
    validation loss, and in the part of the loss that needs no labels; `number` makes its random numbers its own.
    """

    rows: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    seen: np.ndarray
    number: int = 0
    coordinates: Any = None

    def used(self) -> NDArray[np.int64]:
        """Rows to train on."""
        return np.flatnonzero((self.train > 0) | (self.seen > 0))


class TorchRows:
    """The rows of all folds on one device, and the minibatches of an epoch.

    Folds with the same rows share one copy; a fold with fewer columns or rows than others is padded, with columns
    of zeros and rows of weight zero. On a GPU the rows are kept in bfloat16.

    Attributes
    ----------
    widths : (F,) columns that each fold really has
    """

    def __init__(
        self, folds: Sequence[TorchFold], truth: NDArray[Any], device: str, minibatch: int, seed: int
    ) -> None:
        self.folds, self.device, self.seed = folds, device, seed
        self.widths = torch.tensor([fold.rows.shape[1] for fold in folds], device=device)
        self.rows = torch.tensor(_stacked(folds), dtype=torch.bfloat16 if _is_gpu(device) else torch.float32)
        self.rows = self.rows.to(device)
        self.truth = torch.tensor(truth, dtype=torch.float32, device=device)
        self.parts = max(1, -(-len(truth) // minibatch))  # of the whole cohort: the same for every fold
        self.whole = self._batch([fold.used() for fold in folds], "train") if self.parts == 1 else None

    def minibatches(self, epoch: int) -> Iterable[tuple[torch.Tensor, ...]]:
        """Batches (rows (F, b, k), truth (F, 1, b, q), weight (F, 1, b), seen (F, 1, b)) of one epoch."""
        if self.whole:
            return [self.whole]
        shuffled = []
        for fold in self.folds:
            rng = np.random.default_rng([self.seed, epoch, fold.number])
            shuffled.append(np.array_split(rng.permutation(fold.used()), self.parts))
        return (self._batch([parts[i] for parts in shuffled], "train") for i in range(self.parts))

    def validation(self) -> Iterable[tuple[torch.Tensor, ...]]:
        """The held-out rows in batches as above; weight is that of the validation loss."""
        held_out = [np.array_split(np.flatnonzero(fold.valid > 0), self.parts) for fold in self.folds]
        return (self._batch([parts[i] for parts in held_out], "valid") for i in range(self.parts))

    def _batch(self, chosen, which):
        """The chosen rows of each fold; short lists are filled up with their own last row at weight zero."""
        longest = max(map(len, chosen))
        index = np.stack([filled_up(rows, longest) for rows in chosen])
        there = np.arange(longest) < np.array([len(rows) for rows in chosen])[:, None]
        weights = [
            np.stack([getattr(fold, name)[rows] for fold, rows in zip(self.folds, index, strict=True)])
            * there
            for name in (which, "seen")
        ]
        index = torch.tensor(index, device=self.device)
        source = torch.arange(len(index), device=self.device) % len(self.rows)  # one copy, or one per fold
        weights = [torch.tensor(w[:, None], dtype=torch.float32, device=self.device) for w in weights]
        return self.rows[source[:, None], index], self.truth[index][:, None], *weights


def _stacked(folds):
    """(1 or F, n, k) float32 rows of the folds."""
    if all(fold.rows is folds[0].rows for fold in folds):
        return folds[0].rows[None].astype(np.float32, copy=False)
    width = max(fold.rows.shape[1] for fold in folds)
    return np.stack([np.pad(f.rows, ((0, 0), (0, width - f.rows.shape[1]))) for f in folds]).astype(
        np.float32
    )


def filled_up(rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """(length,) the row numbers `rows`, the last of them repeated: statistics over a batch see rows of the fold alone."""
    return (
        rows[np.minimum(np.arange(length), len(rows) - 1)] if len(rows) else np.zeros(length, dtype=np.int64)
    )


def _is_gpu(device):
    return torch.device(device).type == "cuda"
