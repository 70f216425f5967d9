"""`batch_correction: auto`: the training samples choose what will be served, by predicting their batches from the others.

What is chosen is a rule as a whole: the correction of training batches, what is done with a new batch, and of how many samples that
must be. Each candidate is judged by held-out batches that get just what a new batch will get, with the mixture of classes that they
have. No answer is right everywhere: small series balanced in the label gain by being centred each, studies with different
mixtures of classes lose by it, samples that come one by one cannot be adapted at all. The family (tests/unit/training/test_batch_choice.py):
many small batches; few large ones; batches that are confounded with the label; one batch; batches of one sample; numbers and
survival as outcome.

All is chosen on training rows only, anew in every split, and stored with the batch model, which serving reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.training import batch_probe

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.expression.batch.base import BatchModel

CORRECTIONS = ("none", "rank", "center", "combat")
ADAPTED = ("center", "combat")
MARGIN, ERRORS = 0.02, 2  # by what ranks must beat doing nothing: score, and standard errors over batches
# What adapting must be worth more than what serves single samples: it trusts that a batch has all classes, and ties samples together
ADAPT_MARGIN, ADAPT_ERRORS = 0.05, 1.5
FOLDS = 8  # batches are held out one by one; of more than these, several at once
SIZES = (2, 3, 4, 6, 8, 12)  # of parts of a held-out batch that are adapted by themselves
DRAWS, PARTS = 2, 4  # times a batch is divided, and parts of it that are looked at
COLUMNS = ("correction", "unseen_batch", "adapt_samples", "score", "gain", "error", "one_class")


def fit(
    method: str,
    X: NDArray[Any],
    batches: NDArray[Any],
    labels: NDArray[Any],
    protect: bool = False,
    groups: NDArray[Any] | None = None,
    unseen: str = "auto",
    y: NDArray[Any] | None = None,
    task: str = "classification",
    normalization: str | None = None,
    **settings: Any,
) -> tuple[BatchModel, dict[str, float | None] | None]:
    """(fitted batch model, {correction: score} or None where there was no choice).

    X (n, g) log2 expression, batches (n,), labels (n,), groups (n,) or None of training samples; settings as in batch.registry.make,
    with adapt_samples "auto" or a number; unseen : the config's `unseen_batch`; y (n,) : outcome where that is no class (task);
    normalization : what X was made by
    """
    size = settings.pop("adapt_samples", "auto")
    if method == "auto":
        fixed = None if size == "auto" else size
        found = compare(X, batches, labels if y is None else y, task, groups, unseen, fixed, normalization)
        settings["adapt_samples"] = found["adapt_samples"] or fixed or registry.ADAPT_SAMPLES
        model = registry.make(found["correction"], **settings).fit(X, batches)
        model.unseen_, model.choice_ = found["unseen_batch"], found
        return model, best_scores(found)
    if method != "none":
        registry.check_confounding(batches, labels)
    model = registry.make(
        method, adapt_samples=registry.ADAPT_SAMPLES if size == "auto" else size, **settings
    )
    return model.fit(X, batches, protect=labels if protect else None), None


def settings(expression: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `fit` in the config's `expression`."""
    keys = {"reference": "reference_batch", "mean_only": "mean_only", "adapt_samples": "adapt_samples"}
    keys |= {"unseen": "unseen_batch", "normalization": "normalization", "protect": "protect_target"}
    return {name: expression[key] for name, key in keys.items() if key in expression}


def choose(
    X: NDArray[Any],
    batches: NDArray[Any],
    labels: NDArray[Any],
    adapt_samples: int | None = None,
    groups: NDArray[Any] | None = None,
) -> tuple[str, dict[str, float | None]]:
    """(name of the chosen correction, {correction: its best score over all held-out batches; None where not to be had})."""
    found = compare(X, batches, labels, groups=groups, adapt_samples=adapt_samples)
    return found["correction"], best_scores(found)


def table(found: Mapping[str, Any]) -> pd.DataFrame:
    """DataFrame of COLUMNS with `chosen`, one row for each candidate of what `compare` gives."""
    import pandas as pd

    return pd.DataFrame(found["candidates"], columns=["chosen", *COLUMNS])


def best_scores(found: Mapping[str, Any]) -> dict[str, float | None]:
    """{correction: the best score of its rules} of what `compare` gives."""
    best: dict[str, float | None] = {}
    for rule in found["candidates"]:
        known = [score for score in (best.get(rule["correction"]), rule["score"]) if score is not None]
        best[rule["correction"]] = max(known, default=None)
    return best


def compare(
    X: NDArray[Any],
    batches: NDArray[Any],
    y: NDArray[Any],
    task: str = "classification",
    groups: NDArray[Any] | None = None,
    unseen: str = "auto",
    adapt_samples: int | None = None,
    normalization: str | None = None,
) -> dict[str, Any]:
    """What is chosen and from what, JSON-able: `correction`, `unseen_batch`, `adapt_samples` (None without adapting), `metric`,
    `candidates` (of COLUMNS, and `chosen`), `alone` (what a new sample that comes alone gets), `batches` held out, `note`.

    unseen : `auto`, or what a user wants done with new batches: then the best for that is chosen; adapt_samples : None, or
    the least size that a user wants. A held-out batch is predicted by samples that share no group (donor) with it.
    """
    batches, y = np.asarray(batches).astype(str), batch_probe.coded(np.asarray(y), task)
    trials = [
        Trial(name, X, batches, y, task, groups).run()
        for name in CORRECTIONS
        if not (name == "rank" and normalization in ("rank", "quantile"))
    ]
    rules = [Rule(trial, None) for trial in trials]
    if unseen in ("auto", "adapt"):
        may = [trial for trial in trials if trial.name in ADAPTED and trial.done]
        sizes = [adapt_samples or trial.least() for trial in may]
        rules += [Rule(trial, size) for trial, size in zip(may, sizes, strict=True) if size]
    best = rules[0]
    for rule in rules[1:]:  # simpler ones come first
        if best.trial.done and rule.trial.done and rule.serves_alike and rule.beats(best):
            best = rule
    return _told(best, rules, unseen, task)


class Trial:
    """One correction on held-out batches.

    Attributes
    ----------
    as_is_, whole_ : (n,) prediction of a held-out sample that is left as it is, and that is adapted with its whole batch
    parts_ : {size: [(n,) prediction of samples adapted in parts of this size]}; one_class_ : (n,) in parts of one class
    done : bool, whether any batch could be held out
    """

    def __init__(
        self,
        name: str,
        X: NDArray[Any],
        batches: NDArray[Any],
        y: NDArray[Any],
        task: str,
        groups: NDArray[Any] | None,
    ) -> None:
        self.name, self.X, self.batches, self.y, self.task = name, X, batches, y, task
        self.groups = None if groups is None else np.asarray(groups)
        self.done = False

    def run(self) -> Trial:
        """Hold batches out and predict them."""
        n, names = len(self.y), sorted(set(self.batches.tolist()))
        self.as_is_, self.whole_, self.one_class_ = (np.full(n, np.nan) for _ in range(3))
        self.sizes_ = sorted({*SIZES, max(min(np.unique(self.batches, return_counts=True)[1]), 2)})
        self.parts_ = {size: [np.full(n, np.nan) for _ in range(DRAWS)] for size in self.sizes_}
        try:
            for number in range(min(FOLDS, len(names))):
                self._hold_out(names[number::FOLDS])
        except InputProblem:  # this correction cannot be learned without some batch
            self.done = False
        return self

    def _hold_out(self, names):
        out = np.isin(self.batches, names)
        inside = ~out if self.groups is None else ~out & ~np.isin(self.groups, self.groups[out])
        if inside.sum() < 2 or self._says_nothing(self.y[inside]):
            return
        model = registry.make(self.name).fit(self.X[inside], self.batches[inside])
        known = model.transform(self.X[inside], self.batches[inside])
        probe = batch_probe.Probe(self.task).fit(known, self.y[inside])
        self.as_is_[out] = probe.predict(model.transform(self.X[out], self.batches[out]))
        self.done = True
        if self.name not in ADAPTED:
            return
        for name in names:
            rows = np.flatnonzero(self.batches == name)
            self._adapt(model, probe, self.whole_, rows)
            self._adapt_parts(model, probe, rows)

    def _says_nothing(self, y):
        if self.task == "survival":
            return not y["event"].any()
        return len(set(y.tolist())) < 2

    def _adapt(self, model, probe, into, rows):
        """Predictions of `rows`, adapted as a batch of their own; one sample is left as it is."""
        adapted = model.adapt(self.X[rows].astype(float)) if len(rows) > 1 else None
        into[rows] = self.as_is_[rows] if adapted is None else probe.predict(adapted)

    def _adapt_parts(self, model, probe, rows):
        rng = np.random.default_rng(len(rows))
        for size in (size for size in self.sizes_ if size <= len(rows)):
            for into in self.parts_[size]:
                order = rng.permutation(rows)
                for first in range(0, min(len(rows) // size, PARTS) * size, size):
                    self._adapt(model, probe, into, order[first : first + size])
        for label in sorted(set(self.y[rows].tolist())) if self.task == "classification" else ():
            alike = rows[self.y[rows] == label]
            if len(alike) > 1:
                self._adapt(model, probe, self.one_class_, alike)

    def least(self) -> int | None:
        """The least size from which on adapting is better than not, or None."""
        gains = {size: self._gain_of_parts(size) for size in self.sizes_}
        known = {size: value for size, value in gains.items() if value is not None}
        for size, value in known.items():
            if value >= MARGIN and all(later >= 0 for other, later in known.items() if other > size):
                return int(size)
        return None

    def _gain_of_parts(self, size):
        found = []
        for drawn in self.parts_[size]:
            if (~np.isnan(drawn)).any():
                beside = np.where(np.isnan(drawn), np.nan, self.as_is_)
                shares = [batch_probe.shares(one, self.y, self.task) for one in (drawn, beside)]
                found.append((shares[0] - shares[1]).sum())
        return float(np.mean(found)) if found else None


class Rule:
    """A correction, and the least size of a new batch that is adapted (None: none is)."""

    def __init__(self, trial: Trial, size: int | None) -> None:
        self.trial, self.size = trial, size
        predicted = trial.as_is_
        if size:
            count = dict(zip(*np.unique(trial.batches, return_counts=True), strict=True))
            large = np.array([count[name] >= size for name in trial.batches])
            predicted = np.where(large, trial.whole_, trial.as_is_)
        self.shares = batch_probe.shares(predicted, trial.y, trial.task)
        self.score = float(self.shares.sum()) if trial.done else None

    def beats(self, other: Rule) -> bool:
        """Whether it does better by the margin and by some standard errors over batches."""
        difference, error = batch_probe.gain(self.shares, other.shares, self.trial.batches)
        margin, errors = (ADAPT_MARGIN, ADAPT_ERRORS) if self.size else (MARGIN, ERRORS)
        return difference >= max(margin, errors * error)

    @property
    def serves_alike(self) -> bool:
        """Whether new samples are treated as those of training: a correction that they do not get is told and never chosen."""
        return bool(self.size) or self.trial.name not in ADAPTED

    def row(self, first: Rule, chosen: bool) -> dict[str, Any]:
        """What is told of it (COLUMNS); gain and error against `first`."""
        compared = self.score is not None and first.score is not None and self is not first
        difference, error = batch_probe.gain(self.shares, first.shares, self.trial.batches)
        return {
            "correction": self.trial.name,
            "unseen_batch": "adapt" if self.size else "uncorrected",
            "adapt_samples": self.size,
            "score": _rounded(self.score),
            "gain": _rounded(difference) if compared else None,
            "error": _rounded(error) if compared else None,
            "one_class": self._one_class(),
            "chosen": chosen,
        }

    def _one_class(self):
        """Score where all that arrive together are of one class, which nobody can know beforehand."""
        predicted = self.trial.one_class_
        if not self.size or np.isnan(predicted).all():
            return None
        return _rounded(batch_probe.shares(predicted, self.trial.y, self.trial.task).sum())


def _rounded(value):
    return round(float(value), 4) if value is not None and np.isfinite(value) else None


def _told(best, rules, unseen, task):
    """The JSON-able answer of `compare`."""
    singles = [rule for rule in rules if not rule.size and rule.score is not None]
    own = next((rule for rule in singles if rule.trial is best.trial), best)
    first = max(singles, key=lambda rule: rule.score, default=best)
    held = ~np.isnan(rules[0].trial.as_is_)
    fixed = unseen if unseen != "auto" else None
    return {
        "correction": best.trial.name,
        "unseen_batch": fixed or ("adapt" if best.size else "uncorrected"),
        "adapt_samples": best.size,
        "metric": batch_probe.METRICS[task],
        "batches": len(set(best.trial.batches[held].tolist())),
        "samples": int(held.sum()),
        "candidates": [rule.row(rules[0], rule is best) for rule in rules],
        "alone": {
            "score": _rounded(own.score),
            "best": first.trial.name,
            "best_score": _rounded(first.score),
        },
        "note": "" if held.any() else "no batch could be held out: nothing to choose by",
    }
