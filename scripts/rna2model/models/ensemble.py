"""Ensembles of a run's other models: `stack` learns how to combine what they say, `average` takes their mean.

What a member says of a training row comes from its inner folds, of a model that did not see that row (Wolpert 1992): each member's
job leaves it beside the model (`held_out.safetensors`), where the run has a stack. All members share the inner folds, which keep
groups whole. Rows that a split holds out are in none of them. A new sample is first predicted by the members, then combined.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import DESCRIPTION, MEMBERS, base
from rna2model.models.linear.logistic import LogisticL2
from rna2model.models.linear.ridge import Ridge
from rna2model.models.regressor import Regressor

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST = 1e-6  # probability, so that log odds stay finite


class Ensemble(base.Model):
    """members : folders of fitted models, each with what it says of its training rows; their order is that of the scores.

    Attributes
    ----------
    members_ : the fitted models, of an ensemble that was loaded
    """

    members_: Sequence[Any]
    carried: list[dict[str, Any]]

    def __init__(self, members: Sequence[str | Path] = (), **options: Any) -> None:
        super().__init__(**options)
        self.members = [Path(folder) for folder in members]

    def fit(self, X: Any, y: Any, groups: Any = None, select: Any = None, log: Any = print) -> Any:
        """As any model's; X is not looked at: what members said of its rows stands in their folders, and `select` is theirs."""
        held_out = [_held_out(folder) for folder in self.members]
        if any(len(rows) != len(y) for rows, _ in held_out):
            raise InputProblem(
                f"{self.name} needs what its members say of every training row, from inner folds; there are too few samples for"
                f" these: leave {self.name} out of `models`"
            )
        member_scores = self._combined([scores for _, scores in held_out])
        super().fit(member_scores, y, groups=groups, log=log)
        self.settings_["members"] = [folder.name for folder in self.members]
        return self

    def _combined(self, member_scores):
        """(n, k) numbers of what members say, a list of (n, c)."""
        return np.concatenate(member_scores, axis=1)

    def _input(self, X):
        member_scores = [
            member.predict(X)[:, None] if self.task == "regression" else member.predict_proba(X)
            for member in self.members_
        ]
        return self._combined(member_scores)

    def coefficients(self) -> NDArray[np.float64] | None:
        """None: its weights are of members, not of genes."""
        return None

    def _save(self, folder):
        super()._save(folder)
        for member in self.members:
            copied = folder / MEMBERS / member.name
            shutil.rmtree(copied, ignore_errors=True)
            shutil.copytree(member, copied, ignore=shutil.ignore_patterns(".*", base.HELD_OUT))

    def _described(self, folder):
        return {"members": [member.name for member in self.members]}

    def join(self, members: Sequence[Any]) -> None:
        """Give an ensemble that was loaded its fitted members."""
        self.members_ = members
        codes = [(member.name, code) for member in members for code in getattr(member, "carried", ())]
        if codes:
            self.carried = [{**code, "file": f"{MEMBERS}/{name}/{code['file']}"} for name, code in codes]


def _held_out(folder):
    """((n,) rows, (n, c) scores) of a member's folder."""
    path = folder / base.HELD_OUT
    if not path.is_file():
        if not (folder / DESCRIPTION).is_file():
            raise InputProblem(f"{folder} holds no model; train it again.")
        return np.empty(0, dtype=int), np.empty((0, 1))
    arrays, _ = artefact.read(path, "held_out")
    order = np.argsort(arrays["rows"], kind="stable")
    return arrays["rows"][order], arrays["scores"][order]


class Stack(Ensemble, LogisticL2):
    """Logistic regression (logistic_l2) on the members' log odds, of two classes one each, of more one for each class."""

    name = "stack"

    def _combined(self, member_scores):
        logs = [np.log(np.clip(p, LEAST, 1.0)) for p in member_scores]
        return np.concatenate([p[:, 1:] - p[:, :1] for p in logs], axis=1)


class Average(Ensemble):
    """The mean of the members' probabilities, which learns nothing: what a stack has to beat."""

    name = "average"
    SEARCH: ClassVar[dict[str, Any]] = {}

    def _fit(self, X, y, folds, log):
        self._inner = self._mean(X)[base.held_out(folds)] if folds else None

    def _mean(self, X):
        return X.reshape(len(X), -1, len(self.classes_)).mean(axis=1)

    def _scores(self, row):
        return self._mean(row[None])[0]

    def _arrays(self):
        return {"members": np.array([len(self.members)])}

    def _restore(self, folder):
        artefact.read(folder / base.WEIGHTS, self.name)


class StackRegression(Ensemble, Ridge):
    """Ridge regression on the members' predictions."""

    name = "stack"


class AverageRegression(Ensemble, Regressor):
    """The mean of the members' predictions."""

    name = "average"

    def _fit(self, X, y, folds, log):
        log(f"average: of {X.shape[1]} models")

    def _number(self, row):
        return float(row.mean())

    def _arrays(self):
        return {"members": np.array([len(self.members)])}

    def _restore(self, folder):
        artefact.read(folder / base.WEIGHTS, self.name)
