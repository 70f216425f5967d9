"""Adjustments of classifiers around their fit, on training rows only: balance classes, bring the probabilities back to the training
shares, calibrate them, tune the threshold."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from rna2model.models import calibrators
from rna2model.models.scores import balanced_weights, held_out, log_loss

EQUAL = 1.25  # times the smallest class: below, weights would hardly change the fit


class Adjusting:
    """A part of base.Model. `_inner` holds what `_fit` has already of `_inner_probabilities`."""

    imbalance: str
    calibration: str
    threshold: str

    CLASS_WEIGHT = "none"  # what `imbalance: auto` means for the model
    ADJUSTED = True  # by imbalance, calibration and threshold
    CALIBRATES = False  # by a sigmoid, in its own `_fit`; otherwise it has decision values only
    calibrator_: Any = None
    threshold_: float | None = None
    prevalence_: Any = None
    shares_: Any = None
    keeps_held_out = False  # whether a stack will ask what the inner folds said
    held_out_: Any = None  # (rows (m,), what it said of them (m, c)), where that is kept
    _inner: Any = None
    _at_shares = False  # whether `_fit` calibrated to the shares of the classes

    def _resampled(self, X, y, folds, log):
        """The rows of the fit and of each inner fold with synthetic ones of the rarer classes."""
        from rna2model.models import smote

        n = len(y)
        X, y, folds, copied = smote.smote(X, y, folds, self.seed)
        self.settings_["synthetic"] = {
            label: int((y[n:] == k).sum()) for k, label in enumerate(self.classes_)
        }
        if copied:
            names = ", ".join(self.classes_[k] for k in copied)
            self._note(f"a training set has one sample of {names}: copied, since SMOTE needs two", log)
        return X, y, folds

    def _adjust(self, X, y, folds, log):
        """Bring weighted probabilities back to the training shares, then learn calibrator and threshold; from predictions
        of the rows that inner folds hold out."""
        kind = "none" if self.calibration == "auto" else self.calibration
        kind = "none" if kind == "sigmoid" and self.CALIBRATES else kind
        wanted = kind != "none" or self.threshold == "tuned"
        if self._off_shares:
            self.prevalence_ = calibrators.Prevalence(self.shares_ * len(self.shares_))
        if folds and (wanted or self._mends or self.keeps_held_out):
            rows = held_out(folds)
            adjusted = self._hear(kind, self._inner_probabilities(X, y, folds), y[rows], log)
            self.held_out_ = (rows, adjusted) if self.keeps_held_out else None
        elif wanted:
            self._note("without inner folds neither calibrated nor a threshold tuned", log)
        self._absorb()

    def _hear(self, kind, probabilities, truth, log):
        """`_adjust` with (m, K) probabilities of held-out rows and their class numbers (m,); returns what the model then says."""
        if self._off_shares:
            if self._mends and kind == "none":  # a calibrator corrects the shares, too
                shares = np.bincount(truth, minlength=len(self.shares_)) / len(truth)
                self.prevalence_.fit(probabilities, shares)
            probabilities = self.prevalence_.apply(probabilities)
        if kind != "none":
            # without weights, whatever the model's: it ends at the shares of the training samples
            calibrator = calibrators.CALIBRATORS[kind]().fit(probabilities, truth, np.ones(len(truth)))
            before, probabilities = probabilities, calibrator.apply(probabilities)
            losses = [log_loss(p, truth) for p in (before, probabilities)]
            self.settings_["calibration"] = {"kind": kind, "inner_log_loss": losses}
            self.calibrator_ = calibrator
            log(f"{self.name}: {kind} calibration, inner log loss {losses[0]:.4f} to {losses[1]:.4f}")
            if kind == "isotonic" and len(truth) < calibrators.ENOUGH_FOR_ISOTONIC:
                self._note(f"isotonic calibration on {len(truth)} samples: sigmoid is steadier", log)
        if self.threshold == "tuned" and len(self.classes_) == 2:
            self.threshold_ = calibrators.best_threshold(probabilities[:, 1], truth)
            log(f"{self.name}: {self.classes_[1]} from a probability of {self.threshold_:.4f}")
        elif self.threshold == "tuned":
            self._note(f"{len(self.classes_)} classes have no threshold: the most probable is predicted", log)
        return probabilities

    @property
    def _off_shares(self):
        """Whether `_fit` leaves probabilities of classes equally common, or decision values in their place."""
        if self.shares_ is None:  # numbers and survival
            return False
        return not self._at_shares and (self.class_weight != "none" or self.CALIBRATES)

    @property
    def _mends(self):
        """Whether the shares alone may not correct such probabilities, so that held-out predictions are needed."""
        return self._off_shares and self.shares_.max() > EQUAL * self.shares_.min()

    @property
    def _asks_held_out(self):
        """Whether `_adjust` needs predictions of held-out rows."""
        wanted = self.calibration in ("sigmoid", "isotonic") or self.threshold == "tuned"
        return self.ADJUSTED and (wanted or self._mends or self.keeps_held_out)

    def _absorb(self):
        """Take prevalence_ and calibrator_ into the model's own weights, where that is possible."""

    def _inner_probabilities(self, X, y, folds):
        """(m, K) probabilities of `held_out(folds)` by models with the chosen hyperparameters, fitted in the inner folds.

        A `_fit` that has them leaves them in `_inner`; otherwise every fold is fitted once more.
        """
        probabilities, self._inner = self._inner, None
        if probabilities is not None:
            return probabilities
        probabilities = np.empty((len(y), len(self.classes_)))
        for valid, rows, one in self._refitted(X, y, folds):
            probabilities[valid] = one._probabilities(rows)
        return probabilities[held_out(folds)]

    def _refitted(self, X, y, folds):
        """(row numbers that a fold holds out, what it sees of them, this model fitted to its training rows) of each fold, with the
        chosen hyperparameters."""
        for fold in folds:
            (train, valid), own, one = fold, fold.of(X), copy.copy(self)
            one.search = {name: [self.settings_.get(name, values[0])] for name, values in self.search.items()}
            one.settings_ = {"notes": []}
            one._fit(own[train], y[train], [], lambda *_: None)
            yield valid, own[valid], one

    @property
    def class_weight(self) -> str:
        """How classes count in this fit: none (as they come), balanced, or smote."""
        return {"auto": self.CLASS_WEIGHT, "class_weights": "balanced"}.get(self.imbalance, self.imbalance)

    def _class_weights(self, y):
        """(n,) weights of rows with class numbers y: ones, or equal totals for every class."""
        return np.ones(len(y)) if self.class_weight == "none" else balanced_weights(y)
