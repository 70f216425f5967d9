"""A network of a user's file, as a model: trained, tuned, explained and served by the code of all networks (neural/)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.models import DESCRIPTION
from rna2model.models.neural import coordinates, tasks
from rna2model.models.own import source, stored

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDED = ("n_features", "n_outputs")


class OwnNetwork:
    """Put before a TorchModel: its network's file goes with it, and errors are told by the file's lines.

    code : {"file": as the config names it, "text"}
    """

    code: ClassVar[Mapping[str, str]]
    carried: list[
        dict[str, Any]
    ]  # of a model that was loaded: {"file", "sha256", "types"} of the code beside it
    name: str
    network: Any
    names: list[str] | None
    search: dict[str, Any]

    def check(self) -> None:
        """InputProblem unless the constructor takes what it will get; nothing is trained."""
        accepted, file = coordinates.constructor(self.network), self.code["file"]
        missing = [name for name in NEEDED if name not in accepted]
        if missing:
            raise InputProblem(
                f"{file}: the constructor of {self.name} takes no {' and no '.join(missing)}; it is called with n_features,"
                " n_outputs, genes (names of the features, if it takes them) and the searched hyperparameters"
            )
        strange = [name for name in self.search if name not in accepted | set(coordinates.OF_TRAINING)]
        if strange:
            raise InputProblem(
                f"{file}: SEARCH of {self.name} names {', '.join(strange)}, which its constructor does not take"
            )

    def _fit(self, X, y, folds, log):
        what = f"{self.name} cannot be trained on {len(X)} samples with {X.shape[1]} features"
        with source.in_users_words(self.code["file"], what):
            super()._fit(X, y, folds, log)

    def _train(self, folds, settings, *more):
        self._try(folds[0], settings[0])
        return super()._train(folds, settings, *more)

    def _try(self, fold, setting):
        """InputProblem unless the network gives an output for each sample, alone and in double precision as in a prediction."""
        import torch

        network = self._build(setting, fold).eval()
        rows, n_outputs = torch.tensor(fold.rows[:3]), self._n_outputs
        with torch.no_grad():
            together = network(rows)
            wanted = (len(rows), n_outputs)
            if not isinstance(together, torch.Tensor) or together.shape != wanted:
                shape = tuple(getattr(together, "shape", ())) or type(together).__name__
                raise InputProblem(
                    f"{self.code['file']}: forward of {self.name} has to give a tensor of {wanted} for {wanted[0]} samples; it gave"
                    f" {shape} (a second value, a loss per sample, is for training only: self.training)"
                )
            alone = torch.cat([network.double()(row[None].double()) for row in rows])
        if not np.allclose(alone.numpy(), together.numpy(), rtol=1e-2, atol=1e-3):
            raise InputProblem(
                f"{self.code['file']}: {self.name} predicts a sample otherwise alone than among others; nothing of the batch may"
                " enter a prediction (BatchNorm in eval mode is fine)"
            )

    def _save(self, folder):
        super()._save(folder)
        stored.write_code(folder, self.code)

    def _described(self, folder):
        own = {"file": stored.name_of(self.code), "sha256": source.sha256(self.code["text"]), "types": []}
        return {"own": own, "names": self.names}

    def _restore(self, folder):
        super()._restore(folder)
        described = json.loads((folder / DESCRIPTION).read_text())
        self.carried, self.names = [described["own"]], described["names"]


def class_of(
    name: str, task: str, code: Mapping[str, str], network: Any, search: dict[str, list[Any]]
) -> Any:
    """The class of the model whose network is `network`, a class of torch.nn.Module in a user's file."""
    kind = tasks.model_of(network, name, task)
    return type(
        name,
        (OwnNetwork, kind),
        {"code": code, "SEARCH": {**kind.SEARCH, **search}, "__doc__": network.__doc__},
    )
