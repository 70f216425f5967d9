"""What training leaves on the disk while it runs: checkpoints to go on from, and a line per epoch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model import __version__
from rna2model.core import artefact
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from rna2model.models.neural.loop import Program

KIND = "checkpoint"


class Checkpoint:
    """A folder with the state of each program of one fit, so that a killed job goes on where it was.

    A program is found by a hash of its rows, truth and settings (`name_of`): a state of other data is
    never taken up. Written at most once in `every` seconds, and at the end of a program; `clear` when the fit is done.
    """

    def __init__(self, folder: str | Path, every: float = 60.0) -> None:
        self.folder, self.every, self.saved = Path(folder), every, time.monotonic()

    def load(self, key: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """(arrays, settings) of a program, or None where there is nothing to go on from."""
        try:
            return artefact.read(self._path(key), KIND)
        except InputProblem:
            return None

    def due(self) -> bool:
        return time.monotonic() - self.saved >= self.every

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]], settings: Mapping[str, Any]) -> None:
        """Replace the state of a program at once, so that a kill leaves the old one or the new one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        half = self._path(key).with_suffix(".half")
        artefact.write(half, arrays, {**settings, "kind": KIND})
        os.replace(half, self._path(key))
        self.saved = time.monotonic()

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key):
        return self.folder / f"{key}.safetensors"


def name_of(program: Program, truth: NDArray[Any]) -> str:
    """The name of the state of a program: of the same data, settings and versions."""
    import torch

    plan = program.plan
    facts = [getattr(plan, name) for name in ("label", "epochs", "patience", "minibatch", "seed")]
    digest = hashlib.sha256(
        json.dumps([*facts, __version__, torch.__version__, program.settings], sort_keys=True).encode()
    )
    arrays = [truth, *(a for start in plan.start or [] for a in start.values())]
    arrays += [a for fold in program.folds for a in (fold.rows, fold.train, fold.valid, fold.seen)]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


class Journal:
    """One JSON object per epoch in the file `path`, and the same numbers for TensorBoard in the folder `tensorboard`."""

    def __init__(self, path: str | Path | None = None, tensorboard: str | Path | None = None) -> None:
        self.path, self.writer, self.lines, self.rewound = path and Path(path), None, 0, True
        if tensorboard:
            self.writer = _writer(tensorboard)

    def write(self, line: Mapping[str, Any]) -> None:
        if self.path:
            self._forget()
            with self.path.open("a") as file:
                file.write(json.dumps(line) + "\n")
        self.lines += 1
        if self.writer:
            for name, values in line.items():
                if isinstance(values, list) and name != "candidate":
                    numbers = dict(zip(map(str, line["candidate"]), values, strict=True))
                    self.writer.add_scalars(f"{line['program']}/{name}", numbers, line["epoch"])

    def rewind(self, lines: int) -> None:
        """Go on after the first `lines`; what an ended job wrote after them is forgotten at the next line."""
        self.lines, self.rewound = lines, True

    def _forget(self):
        if self.rewound and self.path.exists():
            self.path.write_text("".join(self.path.read_text().splitlines(keepends=True)[: self.lines]))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.rewound = False


def _writer(folder):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputProblem(
            "training.tensorboard needs the package tensorboard: install it, or set it to false."
        ) from None
    return SummaryWriter(str(folder))
