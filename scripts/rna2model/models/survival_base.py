"""What survival models have in common: risk, baseline hazard, risk groups; and the model that ranks nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rna2model.cohort import outcome
from rna2model.core import artefact
from rna2model.core.errors import InputProblem
from rna2model.models import base


class SurvivalModel(base.Model):
    """A model of the time to an event: `predict` gives a risk, higher for earlier.

    A subclass writes `_fit` with y (outcome.SURVIVAL), ending in `_keep_baseline`, and `_risk` (the log hazard ratio of
    one sample to the mean training sample).

    Attributes
    ----------
    times_, hazard_ : (k,) float64, event times of training and Breslow's cumulative baseline hazard there
    cut_ : (1,) float64, median risk of the training samples: above it is the risk group `high`
    """

    _risk: Any

    task = "survival"

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) log hazard ratio to the mean training sample. A sample gets the same alone and in company."""
        return np.array([self._risk(np.array(row)) for row in self._input(X)], dtype=float)

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        raise InputProblem(f"{self.name} predicts risks and survival, which have no class probabilities.")

    def survival(self, risk: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, t) probability to be without event at `times` (t,), of samples with `risk` (n,)."""
        at = np.searchsorted(self.times_, times, side="right")
        hazard = np.concatenate([[0.0], self.hazard_])[at]
        return np.exp(-hazard * np.exp(np.minimum(risk, 500.0))[:, None])

    def risk_group(self, risk: NDArray[np.float64]) -> NDArray[Any]:
        """(n,) "high" or "low", by the cut point of the training samples."""
        return np.where(risk > self.cut_[0], "high", "low")

    def _outcome(self, y, groups):
        y = np.asarray(y, dtype=outcome.SURVIVAL)
        self.classes_ = []
        if not y["event"].any():
            raise InputProblem(f"{self.name}: none of the {len(y)} training samples has an event.")
        if not (y["time"] > 0).all():
            raise InputProblem(f"{self.name}: times to event must be above 0.")
        strata, needed = outcome.strata("survival", y, groups, self.inner_folds)
        return y, strata, needed, {"n_events": int(y["event"].sum())}

    def _keep_baseline(self, y, risk):
        """Breslow's estimator (1972) from the training rows and their risks (n,); and the cut between risk groups."""
        self.cut_ = np.array([np.median(risk)])
        order = np.argsort(y["time"], kind="stable")
        time, event, hazard = y["time"][order], y["event"][order], np.exp(risk[order])
        at_risk = np.cumsum(hazard[::-1])[::-1]
        self.times_ = np.unique(time[event])
        deaths = np.array([np.sum(event & (time == t)) for t in self.times_])
        self.hazard_ = np.cumsum(deaths / at_risk[np.searchsorted(time, self.times_)])

    def _baseline(self):
        return {"times": self.times_, "hazard": self.hazard_, "cut": self.cut_}

    def _arrays(self):
        return self._baseline()

    def _restore(self, folder):
        arrays, _ = artefact.read(folder / base.WEIGHTS, self.name)
        self.times_, self.hazard_, self.cut_ = (arrays[name] for name in ("times", "hazard", "cut"))
        return arrays


class DummySurvival(SurvivalModel):
    """The survival of all training samples together, for every sample: it ranks nobody."""

    name = "dummy"

    def _fit(self, X, y, folds, log):
        self._keep_baseline(y, np.zeros(len(y)))
        log(f"dummy: {int(y['event'].sum())} events in {len(y)} samples")

    def _risk(self, row):
        return 0.0
