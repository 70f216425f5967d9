"""An estimator of scikit-learn that a user's function returns, as a model: tuned, weighed, calibrated and stored as the others.

What it is asked for: `fit(X, y)` with class numbers from 0 on or numbers, `predict_proba(X)` or `predict(X)`. It sees the training
rows of a split and nothing else, and predicts one sample at a time, so that no sample can depend on its company.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.models import DESCRIPTION, base
from rna2model.models.own import source, stored
from rna2model.models.regressor import Regressor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SMALL = 500_000  # values of expression; below, threads cost more than they save
LEAST = 1e-6  # probability, so that log odds stay finite
SEEDS, THREADS = ("random_state", "seed"), ("n_jobs", "threads")  # what a function is given if it takes it
KEPT = {"candidates", "calibration", "class_counts", "class_weight", "device", "hyperparameters", "imbalance"}
KEPT |= {
    "inner_folds",
    "n_train",
    "notes",
    "penalty_at_end",
    "synthetic",
    *SEEDS,
    *THREADS,
}  # of the settings


class OwnEstimator(base.Model):
    """What the user's function returned, fitted: `estimator_`. Made by `class_of`, which names function and file.

    code : {"file": as the config names it, "text"}; function : of the file, called with the hyperparameters
    parameters : names that the function takes, or None where it takes any
    """

    code: ClassVar[Mapping[str, str]]
    function: ClassVar[Callable[..., Any]]
    parameters: ClassVar[list[str] | None]
    needs: ClassVar[tuple[str, ...]] = ("fit", "predict_proba")
    estimator_: Any
    carried: list[
        dict[str, Any]
    ]  # of a model that was loaded: {"file", "sha256", "types"} of the code beside it

    def __init__(self, search: Mapping[str, Any] | None = None, **options: Any) -> None:
        wrong = [name for name in search or {} if name in KEPT or not _takes(self.parameters, name)]
        if wrong:
            known = ", ".join(name for name in self.parameters or [] if name not in KEPT)
            raise InputProblem(
                f"{self.name} cannot search {', '.join(sorted(wrong))}; its function takes {known or 'nothing'}."
            )
        self.SEARCH = {**type(self).SEARCH, **(search or {})}  # type: ignore[misc]
        super().__init__(search=search, **options)

    def check(self) -> None:
        """InputProblem unless the function returns an estimator for each value that is searched; nothing is fitted."""
        first = self._candidates()[0]
        for name, values in self.search.items():
            for value in values:
                self._made({**first, name: value})
        stored.check(self._made(first), self.code["file"], self.name)

    def _made(self, candidate):
        """A new estimator with hyperparameters `candidate`, and seed and threads where it takes them."""
        arguments = {name: self.seed for name in SEEDS} | {name: self.threads or 1 for name in THREADS}
        taken = {name: value for name, value in arguments.items() if name in (self.parameters or ())}
        shown = ", ".join(f"{name}={value!r}" for name, value in candidate.items())
        with source.in_users_words(self.code["file"], f"{self.name}({shown})"):
            estimator = type(self).function(**candidate, **taken)
            lacking = [method for method in self.needs if not callable(getattr(estimator, method, None))]
            if lacking:
                raise InputProblem(
                    f"{self.code['file']}: {self.name}({shown}) returned {type(estimator).__name__}, which has no"
                    f" {' and no '.join(lacking)}; a model for {self.task} needs {' and '.join(self.needs)}"
                )
            if hasattr(estimator, "get_params") and hasattr(estimator, "set_params"):
                unset = [key for key, value in estimator.get_params().items() if value is None]
                seeds = {key: self.seed for key in unset if key.rpartition("__")[2] == "random_state"}
                if seeds:
                    estimator.set_params(**seeds)
        return estimator

    def _learn(self, candidate, X, y, weight=None):
        """An estimator fitted to rows X (n, p) and y (n,), each with its `weight` where it takes some."""
        estimator = self._made(candidate)
        more = {} if weight is None else {self._weight_name(estimator): weight}
        with (
            source.in_users_words(self.code["file"], f"{self.name} cannot be fitted to {X.shape} values"),
            self._with_threads(X),
        ):
            estimator.fit(X, y, **more)
        return estimator

    def _weight_name(self, estimator):
        """How weights of rows are given to fit; None where they cannot be."""
        from sklearn.utils.validation import has_fit_parameter

        if steps := getattr(estimator, "steps", None):
            name, last = steps[-1]
            return f"{name}__sample_weight" if has_fit_parameter(last, "sample_weight") else None
        return "sample_weight" if has_fit_parameter(estimator, "sample_weight") else None

    @contextlib.contextmanager
    def _with_threads(self, X: NDArray[Any]) -> Iterator[None]:
        from joblib import parallel_config
        from threadpoolctl import threadpool_limits

        number = 1 if X.size < SMALL else self.threads or 1
        with threadpool_limits(limits=number, user_api="openmp"), parallel_config(n_jobs=number):
            yield

    def _answer(self, estimator, method, X):
        """What predict or predict_proba says of rows X (n, p), as float64."""
        from rna2model.models.trees.classifiers import _threads

        with source.in_users_words(self.code["file"], f"{method} of {self.name}"), _threads(1):
            values = np.asarray(getattr(estimator, method)(X), dtype=float)
        if len(values) != len(X) or not np.isfinite(values).all():
            raise InputProblem(
                f"{self.code['file']}: {method} of {self.name} gave {values.shape} values for {len(X)} samples,"
                f" {int((~np.isfinite(values)).sum())} of them no finite numbers"
            )
        return values

    def _weights(self):
        """coef_ of the estimator itself; that of a pipeline's last step is about other columns."""
        coefficients = getattr(self.estimator_, "coef_", None)
        columns = self.n_genes_ if self.columns_ is None else len(self.columns_)
        coefficients = (
            np.atleast_2d(coefficients) if isinstance(coefficients, np.ndarray) else np.empty((0, 0))
        )
        rows = 1 if len(self.classes_) < 3 else len(self.classes_)
        return coefficients.astype(float) if coefficients.shape == (rows, columns) else None

    def _keep(self, estimator, candidate, X):
        self.estimator_, self._shown = estimator, X[:20].copy()
        self.settings_.update(candidate, hyperparameters=list(candidate))

    def _save(self, folder):
        stored.write(folder, self.code, self.estimator_)
        again = stored.read(folder, stored.described(folder, self.code), self.code["text"])
        rows = [self._answer(one, self.needs[1], self._shown) for one in (self.estimator_, again)]
        if not np.array_equal(*rows):
            raise InputProblem(
                f"{self.code['file']}: {self.name} predicts otherwise once it is stored and read again; whatever it learns has"
                " to be in its attributes"
            )

    def _described(self, folder):
        return {"own": stored.described(folder, self.code)}

    def _restore(self, folder):
        self.carried = [json.loads((folder / DESCRIPTION).read_text())["own"]]
        self.estimator_ = stored.read(folder, self.carried[0], self.code["text"])
        self.SEARCH = {name: [self.settings_[name]] for name in self.settings_["hyperparameters"]}


class OwnClassifier(OwnEstimator):
    """Candidates are compared by the log loss of pooled inner out-of-fold predictions."""

    def _fit(self, X, y, folds, log):
        candidates = self._candidates()
        chosen = candidates[0]
        if not self._weighable and self.imbalance == "class_weights":
            self._note("its fit takes no sample_weight: samples count as they come", log)
        if folds and (len(candidates) > 1 or self._asks_held_out):
            rows = base.held_out(folds)
            held = [self._held_out(candidate, X, y, folds)[rows] for candidate in candidates]
            weight = self._class_weights(y[rows])
            # no one sample that was said to be impossible decides
            scores = [-base.log_loss(np.maximum(one, 0.5 / len(y)), y[rows], weight) for one in held]
            best = int(np.argmax(scores))
            tried = [{**c, "minus_log_loss": s} for c, s in zip(candidates, scores, strict=True)]
            self.settings_["candidates"], chosen, self._inner = tried, candidates[best], held[best]
            log(
                f"{self.name}: {chosen} of {len(candidates)} candidates, inner minus_log_loss {scores[best]:.4f}"
            )
        self._keep(self._learn(chosen, X, y, self._given_weights(y)), chosen, X)

    def _held_out(self, candidate, X, y, folds):
        held = np.full((len(y), len(self.classes_)), np.nan)
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            one = self._learn(candidate, own[train], y[train], self._given_weights(y[train]))
            held[valid] = self._rows(one, own[valid])
        return held

    def _given_weights(self, y):
        return None if self.class_weight == "none" or not self._weighable else self._class_weights(y)

    @property
    def _weighable(self):
        return self._weight_name(self._made(self._candidates()[0])) is not None

    @property
    def class_weight(self) -> str:
        """As for any model; where the estimator takes no weights, classes count as they come."""
        weighting = super().class_weight
        return "none" if weighting == "balanced" and not self._weighable else weighting

    def _rows(self, estimator, X):
        """(n, K) probabilities of rows X, all at once."""
        columns, K = self._answer(estimator, "predict_proba", X), len(self.classes_)
        known = np.asarray(getattr(estimator, "classes_", np.arange(K)))
        if (
            columns.shape != (len(X), len(known))
            or not np.isin(known, np.arange(K)).all()
            or columns.min() < 0
        ):
            raise InputProblem(
                f"{self.code['file']}: predict_proba of {self.name} has to give {K} probabilities for each sample, one for each"
                f" of the classes 0 to {K - 1} that fit was given; it gave {columns.shape} values of classes {known.tolist()}"
            )
        full = np.zeros((len(X), K))
        full[:, known.astype(int)] = columns
        total = full.sum(axis=1, keepdims=True)
        if np.abs(total - 1).max() > 1e-3:
            raise InputProblem(
                f"{self.code['file']}: the probabilities that {self.name} gives of one sample add up to {float(total.max()):g},"
                " not to 1"
            )
        return full / total

    def _scores(self, row):
        return self._rows(self.estimator_, row[None])[0]

    def answers(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, C) log odds of each explained class (of two the last), all rows at once: for explanations, which ask thousands."""
        shown = self._adjusted(self._rows(self.estimator_, self._input(X)))
        p = np.clip(shown[:, -1:] if len(self.classes_) == 2 else shown, LEAST, 1 - LEAST)
        return np.log(p / (1 - p))


class OwnRegressor(OwnEstimator, Regressor):
    """Candidates are compared by the squared error of pooled inner out-of-fold predictions."""

    needs = ("fit", "predict")

    def _fit(self, X, y, folds, log):
        candidates = self._candidates()
        chosen = candidates[0]
        if folds and len(candidates) > 1:
            errors = [self._inner_error(candidate, X, y, folds) for candidate in candidates]
            chosen = candidates[self._choose(candidates, errors, log)]
        self._keep(self._learn(chosen, X, y), chosen, X)

    def _inner_error(self, candidate, X, y, folds):
        errors = []
        for fold in folds:
            (train, valid), own = fold, fold.of(X)
            errors.append(
                (self._rows(self._learn(candidate, own[train], y[train]), own[valid]) - y[valid]) ** 2
            )
        return float(np.concatenate(errors).mean())

    def _rows(self, estimator, X):
        return self._answer(estimator, "predict", X).reshape(len(X))

    def _number(self, row):
        return float(self._rows(self.estimator_, row[None])[0])

    def answers(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 1) predicted numbers, all rows at once."""
        return self._rows(self.estimator_, self._input(X))[:, None]


KINDS = {"classification": OwnClassifier, "regression": OwnRegressor}


def class_of(
    name: str, task: str, code: Mapping[str, str], function: Callable[..., Any], search: dict[str, list[Any]]
) -> type[OwnEstimator]:
    """The class of the model that `function` of a file is; InputProblem for a search that it cannot take."""
    try:
        signature: Mapping[str, inspect.Parameter] = inspect.signature(function).parameters
    except (TypeError, ValueError):
        signature = {}
    by_name = [one for one in signature.values() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    takes_any = not signature or any(one.kind == one.VAR_KEYWORD for one in signature.values())
    parameters = None if takes_any else [one.name for one in by_name]
    wrong = [key for key in search if key in KEPT or not _takes(parameters, key)]
    if wrong:
        raise InputProblem(
            f"{code['file']}: {source.SEARCH} names {', '.join(wrong)} for {name}, which"
            f" {'takes ' + (', '.join(parameters or []) or 'nothing') if parameters is not None else 'keeps that name for itself'}"
        )
    try:
        search = json.loads(json.dumps(search, default=lambda value: value.item()))
    except (TypeError, ValueError, AttributeError):
        raise InputProblem(
            f"{code['file']}: {source.SEARCH} of {name} holds values that are neither numbers nor texts"
        ) from None
    held = {"name": name, "SEARCH": search, "code": code, "parameters": parameters}
    return type(name, (KINDS[task],), {**held, "function": staticmethod(function)})


def _takes(parameters, name):
    return parameters is None or name in parameters
