"""The base class of all models: checks, settings, prediction row by row, saving."""

from __future__ import annotations

import functools
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rna2model.cohort import outcome, splits
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import DESCRIPTION, calibrators, penalty
from rna2model.models.class_adjustment import Adjusting
from rna2model.models.folds import Fold
from rna2model.models.scores import balanced_accuracy, balanced_weights, held_out, log_loss, softmax

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "Model",
    "balanced_accuracy",
    "balanced_weights",
    "held_out",
    "log_loss",
    "matrix",
    "softmax",
]
WEIGHTS = "weights.safetensors"
HELD_OUT = "held_out.safetensors"  # what inner folds said of the training rows, for a stack


class Model(Adjusting):
    """A classifier of log2 expression that scales, tunes and calibrates inside its own training rows.

    What predicts numbers or survival overrides `_outcome` and has its own `predict` (regressor.py, survival_base.py).

    A subclass names its candidates in SEARCH ({hyperparameter: values}) and writes `_fit`, `_scores` (class
    probabilities of one sample) and either `_arrays` / `_restore` or its own `_save` / `_restore`. Rows of `_fit` that no
    fold validates were made up to balance classes (smote.py): candidates are compared on `held_out(folds)`.

    imbalance : auto (CLASS_WEIGHT of the model), none, class_weights, smote
    calibration : auto (as `_fit` leaves the probabilities), none, sigmoid, isotonic; on inner out-of-fold predictions
    threshold : default (calibrators.by_share of two classes, the most probable of more) or tuned: of two classes, the cut with
        the best balanced accuracy there
    positive : the class that comes last, of which threshold and coefficients speak; None: the last by the alphabet

    Attributes
    ----------
    classes_ : list of str, the positive one last; the columns of `predict_proba`
    settings_ : dict, what was tried, chosen and noted while fitting; JSON-able
    n_genes_ : int
    columns_ : (k,) columns of X that a selection left, or None for all
    calibrator_ : what turns the model's probabilities into calibrated ones (calibrators.py), or None
    threshold_ : probability from which the last of two classes is predicted where it was tuned, or None
    shares_ : (K,) shares of the classes among the training samples; None in models of earlier versions
    prevalence_ : what brings probabilities of weighted classes back to `shares_` (calibrators.py), or None
    """

    classes_: list[str]
    settings_: dict[str, Any]
    n_genes_: int
    columns_: NDArray[np.int64] | None
    _fit: Any
    _scores: Any
    _arrays: Any
    _restore: Any

    name = ""
    task = "classification"
    SEARCH: ClassVar[dict[str, Any]] = {}
    SEES = "all"  # which columns: "all", "genes" or "covariates"
    EXPRESSION = (
        "corrected"  # or "within_sample": each sample by itself, neither normalised nor batch-corrected
    )

    def __init__(
        self,
        seed: int = 1,
        inner_folds: int = 5,
        search: Mapping[str, Any] | None = None,
        device: str = "cpu",
        threads: int | None = None,
        imbalance: str = "auto",
        calibration: str = "auto",
        threshold: str = "default",
        positive: str | None = None,
    ) -> None:
        unknown = set(search or {}) - set(self.SEARCH)
        if unknown:
            known = ", ".join(self.SEARCH) or "nothing"
            raise InputProblem(
                f"{self.name} cannot search {', '.join(sorted(unknown))}; it searches {known}."
            )
        self.seed, self.inner_folds, self.device, self.threads = seed, inner_folds, device, threads
        self.search = {**self.SEARCH, **(search or {})}
        self.imbalance, self.calibration, self.threshold = imbalance, calibration, threshold
        self.positive = positive

    def fit(
        self,
        X: NDArray[Any],
        y: NDArray[Any],
        groups: NDArray[Any] | None = None,
        select: Any = None,
        log: Callable[..., None] = print,
    ) -> Self:
        """Learn from X (n, p) log2 expression and y (n,) labels; `groups` (n,) stay whole in inner folds.

        select : selection.Selector or None; the model uses the columns that it chooses from all rows; tuning
        chooses anew from the training rows of each inner fold.

        InputProblem for one class only, or for values that are not finite.
        """
        X = matrix(X)
        y, strata, needed, described = self._outcome(y, groups)
        self.n_genes_ = X.shape[1]
        self.settings_ = {
            "n_train": len(y),
            **described,
            "seed": self.seed,
            "device": "cpu",
            "notes": [],
        }
        if self.ADJUSTED and self.imbalance != "auto":
            self.settings_["imbalance"] = self.imbalance
        folds: Any = splits.inner(strata, groups, self.inner_folds, self.seed, needed)
        self.settings_["inner_folds"] = len(folds)
        if not folds and self.search:
            sizes = described.get("class_counts", f"{len(y)} samples")
            self._note(f"too few samples per class for inner folds ({sizes}): defaults, not tuned", log)
        folds, self.columns_ = [Fold(fold) for fold in folds], None
        if select is not None:
            for fold in folds:
                fold.own = functools.partial(_columns, X, select.columns(X[fold[0]], y[fold[0]]))
            self.columns_ = select.columns(X, y)
            X = X[:, self.columns_]
            log(f"{self.name}: {X.shape[1]} of {self.n_genes_} columns chosen")
        if self.imbalance == "smote" and self.ADJUSTED:
            X, y, folds = self._resampled(X, y, folds, log)
        self._fit(X, y, folds, log)
        if self.ADJUSTED:
            self._adjust(X, y, folds, log)
        if end := penalty.at_end(self.settings_):
            self.settings_["penalty_at_end"] = end
            self._note(penalty.sentence({"final": end, "folds": 0}), log)
        return self

    def _outcome(self, y, groups):
        """(y as `_fit` takes it, strata and the needed ones among them for the inner folds, facts for the settings)."""
        y = np.asarray(y).astype(str)
        counts = Counter(y.tolist())
        self.classes_ = outcome.class_order(counts, self.positive)
        if len(counts) < 2:
            raise InputProblem(
                f"{self.name}: all {len(y)} training samples are {self.classes_[0]!r}; two classes are needed."
            )
        described = {"class_counts": {label: counts[label] for label in self.classes_}}
        described["class_weight"] = self.class_weight if self.ADJUSTED else "none"
        self.shares_ = np.array([counts[label] for label in self.classes_]) / len(y)
        return outcome.class_numbers(self.classes_, y), y, None, described

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, K) class probabilities, rows sum to one. A sample gets the same alone and in company."""
        X = self._input(X)
        return self._adjusted(self._probabilities(X).reshape(len(X), len(self.classes_)))

    def _adjusted(self, probabilities):
        """(n, K) probabilities of the fit, at the training shares and calibrated."""
        probabilities = probabilities if self.prevalence_ is None else self.prevalence_.apply(probabilities)
        return probabilities if self.calibrator_ is None else self.calibrator_.apply(probabilities)

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n,) numbers of the predicted classes of (n, K) probabilities, by the same rule whatever the model (`threshold`)."""
        if self.threshold_ is not None:
            return (probabilities[:, 1] >= self.threshold_).astype(int)
        if self.shares_ is None or len(self.classes_) > 2:  # None in models of earlier versions
            return probabilities.argmax(axis=1)
        return calibrators.by_share(probabilities, self.shares_)

    @property
    def rule(self) -> dict[str, Any]:
        """{"class": the last of two, "threshold": probability from which it is predicted, "tuned": whether inner folds chose
        it}; class and threshold are None of more classes, of which the most probable is predicted."""
        threshold = self.threshold_
        if threshold is None and len(self.classes_) == 2:
            threshold = 0.5 if self.shares_ is None else float(self.shares_[1])
        positive = self.classes_[-1] if len(self.classes_) == 2 else None
        return {"class": positive, "threshold": threshold, "tuned": self.threshold_ is not None}

    def _input(self, X):
        """X as a matrix with the genes of training; InputProblem for another number of them."""
        X = matrix(X)
        if X.shape[1] != self.n_genes_:
            raise InputProblem(
                f"{self.name} was trained on {self.n_genes_} genes, the samples have {X.shape[1]}."
            )
        return X if self.columns_ is None else X[:, self.columns_]

    def predict(self, X: NDArray[np.float64]) -> NDArray[Any]:
        """(n,) the predicted class of each sample."""
        return np.array(self.classes_, dtype=object)[self.decide(self.predict_proba(X))]

    def coefficients(self) -> NDArray[np.float64] | None:
        """(1, p) for two classes (towards the last) or (K, p), per unit of log2 expression; None if not linear.
        Zero where a selection left a column out."""
        weights = self._weights()
        if weights is None or self.columns_ is None:
            return weights
        full = np.zeros((len(weights), self.n_genes_))
        full[:, self.columns_] = weights
        return full

    def used(self) -> NDArray[np.int64] | None:
        """(k,) columns of X that predictions depend on, of a model of few genes; None: any may count."""
        return None

    def signature(self) -> dict[str, Any] | None:
        """What a prediction is computed from by hand (serving/signature.py); None where that is no short formula.

        kind : pairs, ratios or linear; terms : list of (role, class, column, column it is compared with or None, weight); slope
        and offsets ({class: number}) make logits of the sums over a class's terms.
        """
        return None

    def _weights(self):
        """Coefficients of the columns that the model was given; None if it is not linear."""
        return None

    def save(self, folder: str | Path) -> None:
        """Write model.json and the weights to `folder`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        described = {
            "name": self.name,
            "task": self.task,
            "classes": self.classes_,
            "n_genes": self.n_genes_,
            "settings": self.settings_,
            "columns": None if self.columns_ is None else self.columns_.tolist(),
            "threshold": self.threshold_,
            "shares": None if self.shares_ is None else self.shares_.tolist(),
            "prevalence": None if self.prevalence_ is None else self.prevalence_.factors.tolist(),
            "calibrator": None if self.calibrator_ is None else self.calibrator_.described(),
        }
        self._save(folder)
        if self.held_out_ is not None:
            rows, scores = self.held_out_
            artefact.write(folder / HELD_OUT, {"rows": rows, "scores": scores}, {"kind": "held_out"})
        described |= self._described(folder)
        (folder / DESCRIPTION).write_text(json.dumps(described, indent=1, sort_keys=True) + "\n")

    @classmethod
    def restore(cls, description: Mapping[str, Any], folder: Path) -> Self:
        """The fitted model from its parsed model.json and its folder."""
        model = cls()
        model.classes_, model.n_genes_ = description["classes"], description["n_genes"]
        model.positive = model.classes_[-1] if len(model.classes_) == 2 else None
        model.settings_, columns = description["settings"], description.get("columns")
        model.columns_ = None if columns is None else np.array(columns, dtype=int)
        model.threshold_, shares = description.get("threshold"), description.get("shares")
        model.shares_ = None if shares is None else np.array(shares)
        factors = description.get("prevalence")
        model.prevalence_ = None if factors is None else calibrators.Prevalence(factors)
        model.calibrator_ = calibrators.restore(description.get("calibrator"))
        model._restore(folder)
        return model

    def _probabilities(self, X):
        return np.array(
            [self._scores(np.array(row)) for row in X]
        )  # a copy: equal memory layout, equal rounding

    def _described(self, folder):
        """What model.json says beside that, of a folder in which the weights are."""
        return {}

    def _save(self, folder):
        artefact.write(folder / WEIGHTS, self._arrays(), {"kind": self.name})

    def _candidates(self):
        """Every combination of the values to search, a list of {hyperparameter: value}."""
        return [
            dict(zip(self.search, values, strict=True)) for values in itertools.product(*self.search.values())
        ]

    def _note(self, text, log):
        """Keep `text` in the settings and show it in the log."""
        self.settings_["notes"].append(text)
        log(f"{self.name}: {text}")


def _columns(X, chosen):
    return X[:, chosen]


def matrix(X: NDArray[Any]) -> NDArray[Any]:
    """X as a two-dimensional array of finite numbers, or an InputProblem."""
    X = np.asarray(X)
    if X.ndim != 2:
        raise InputProblem(f"expression has to be samples x genes, not of shape {X.shape}.")
    if not np.isfinite(X).all():
        raise InputProblem(
            f"expression holds {int((~np.isfinite(X)).sum())} values that are not finite numbers."
        )
    return X
