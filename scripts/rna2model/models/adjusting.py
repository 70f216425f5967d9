"""What classifiers do beside their fit: balance classes, calibrate probabilities, tune the threshold; on training rows only."""

import copy

import numpy as np

from rna2model.models import decision
from rna2model.models.scores import balanced_weights, held_out, log_loss


class Adjusting:
    """A part of base.Model. `_inner` holds what `_fit` has already of `_inner_probabilities`."""

    CLASS_WEIGHT = "none"  # what `imbalance: auto` means for the model
    ADJUSTED = True  # by imbalance, calibration and threshold
    CALIBRATES = False  # by a sigmoid, in its own `_fit`
    calibrator_, threshold_, _inner = None, None, None

    def _resampled(self, X, y, folds, log):
        """The rows of the fit and of each inner fold with synthetic ones of the rarer classes."""
        from rna2model.models import imbalance

        n = len(y)
        X, y, folds, copied = imbalance.smote(X, y, folds, self.seed)
        self.settings_["synthetic"] = {
            label: int((y[n:] == k).sum()) for k, label in enumerate(self.classes_)
        }
        if copied:
            names = ", ".join(self.classes_[k] for k in copied)
            self._note(f"a training set has one sample of {names}: copied, since SMOTE needs two", log)
        return X, y, folds

    def _adjust(self, X, y, folds, log):
        """Learn calibrator and threshold from what the inner folds predict for the rows they hold out."""
        kind = "none" if self.calibration == "auto" else self.calibration
        kind = "none" if kind == "sigmoid" and self.CALIBRATES else kind
        if kind == "none" and self.threshold == "default":
            return
        if not folds:
            return self._note("without inner folds neither calibrated nor a threshold tuned", log)
        rows = held_out(folds)
        truth = y[rows]
        probabilities = self._inner_probabilities(X, y, folds)
        if kind != "none":
            calibrator = decision.CALIBRATORS[kind]().fit(probabilities, truth, self._class_weights(truth))
            before, probabilities = probabilities, calibrator.apply(probabilities)
            losses = [log_loss(p, truth, self._class_weights(truth)) for p in (before, probabilities)]
            self.settings_["calibration"] = {"kind": kind, "inner_log_loss": losses}
            self.calibrator_ = None if self._absorb(calibrator) else calibrator
            log(f"{self.name}: {kind} calibration, inner log loss {losses[0]:.4f} to {losses[1]:.4f}")
            if kind == "isotonic" and len(rows) < decision.ENOUGH_FOR_ISOTONIC:
                self._note(f"isotonic calibration on {len(rows)} samples: sigmoid is steadier", log)
        if self.threshold == "tuned" and len(self.classes_) == 2:
            self.threshold_ = decision.best_threshold(probabilities[:, 1], truth)
            log(f"{self.name}: {self.classes_[1]} from a probability of {self.threshold_:.4f}")
        elif self.threshold == "tuned":
            self._note(f"{len(self.classes_)} classes have no threshold: the most probable is predicted", log)

    def _absorb(self, calibrator):
        """Take a calibrator into the model's own weights, where that is possible; returns whether it was done."""
        return False

    def _inner_probabilities(self, X, y, folds):
        """(m, K) what models with the chosen hyperparameters, fitted in the inner folds, say of `held_out(folds)`.

        A `_fit` that has them leaves them in `_inner`; otherwise every fold is fitted once more.
        """
        found, self._inner = self._inner, None
        if found is not None:
            return found
        found = np.empty((len(y), len(self.classes_)))
        for fold in folds:
            (train, valid), own, one = fold, fold.of(X), copy.copy(self)
            one.search = {name: [self.settings_[name]] for name in self.SEARCH}
            one.settings_ = {"notes": []}
            one._fit(own[train], y[train], [], lambda *_: None)
            found[valid] = one._probabilities(own[valid])
        return found[held_out(folds)]

    @property
    def class_weight(self):
        """How classes count in this fit: none (as they come), balanced, or smote."""
        return {"auto": self.CLASS_WEIGHT, "class_weights": "balanced"}.get(self.imbalance, self.imbalance)

    def _class_weights(self, y):
        """(n,) weights of rows with class numbers y: ones, or equal totals for every class."""
        return np.ones(len(y)) if self.class_weight == "none" else balanced_weights(y)
