"""Nested cross-validation of the linear models against scikit-learn's Pipeline and GridSearchCV, same folds, one thread each.

    python tests/bench/nested_cv.py [--samples 800] [--genes 20000] [--folds 5] [--peer-folds 5]

For logistic_l2 and linear_svm: 5 outer folds, in each 5 inner folds x 10 values of C, then the final fit. The peer scales
genes the same way (Pareto, on the rows that each fit sees), has the same folds and the same C, chooses by the same score
and fits LogisticRegression (lbfgs) or LinearSVC; its intercept of LinearSVC is lightly penalised, ours is not. Wanted: at most
a 20th of the peer's time, and an AUROC (of each outer fold, averaged) within 0.001.

Times are seconds of work (user and system), which a busy machine changes less than those of the clock. The peer takes
about twenty minutes; `--peer-folds 1` measures it on the first outer fold only, and its time is multiplied.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy reads them once

import numpy as np
from sklearn import linear_model, metrics, model_selection, pipeline, preprocessing, svm

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from rna2model import models
from rna2model.cohort import splits
from rna2model.models.linear import rotation

CANDIDATES = 10
TARGET, AWAY = 20, 1e-3


class Pareto(preprocessing.FunctionTransformer):
    """Genes centred and divided by the square root of their sd, as our linear models see them (rotation.py)."""

    def fit(self, X, y=None):
        _, self.mean_, self.scale_ = rotation.scaled(X)
        return self

    def transform(self, X):
        return (X - self.mean_) / self.scale_


def simulate(samples, genes, seed=1):
    """(X (n, p) log2 expression, y (n,)): ten hidden factors that move many genes, and 200 genes that the label moves by 0.25."""
    rng = np.random.default_rng(seed)
    y = np.arange(samples) % 2
    spread = rng.gamma(2.0, 0.4, genes)
    X = rng.normal(6, 2, genes) + spread * rng.normal(size=(samples, genes))
    X += rng.normal(size=(samples, 10)) @ (rng.normal(size=(10, genes)) * spread * 0.4)
    X[:, rng.choice(genes, 200, replace=False)] += 0.25 * y[:, None]
    return X, y


def ours(name, X, y, folds):
    """[decision values of the rows tested] by our models, tuned on the inner folds that they make themselves."""
    scores = []
    for train, test in folds:
        model = models.make(name).fit(X[train], y[train].astype(str), log=lambda *_: None)
        scores.append(model.predict_proba(X[test])[:, 1])
    return scores


def peers(name, X, y, folds):
    """The same by scikit-learn."""
    if name == "logistic_l2":
        last, scoring = linear_model.LogisticRegression(max_iter=5000), "neg_log_loss"
    else:
        last = svm.LinearSVC(class_weight="balanced", dual="auto", intercept_scaling=10, max_iter=50_000)
        scoring = "balanced_accuracy"
    multiples = models.make(name).search["C_times_genes"]
    grid = {"last__C": np.array(multiples) / X.shape[1]}
    assert len(multiples) == CANDIDATES
    scores = []
    for train, test in folds:
        steps = pipeline.Pipeline([("scale", Pareto()), ("last", last)])
        inner = splits.inner(y[train].astype(str), None, 5, 1)
        search = model_selection.GridSearchCV(steps, grid, scoring=scoring, cv=inner, n_jobs=1)
        scores.append(search.fit(X[train], y[train]).decision_function(X[test]))
    return scores


def timed(work):
    """(what `work` gives, seconds of work)."""
    start = time.process_time()
    scores = work()
    return scores, time.process_time() - start


def auroc(scores, y, folds):
    return np.mean([metrics.roc_auc_score(y[test], s) for s, (_, test) in zip(scores, folds, strict=False)])


def compare(name, X, y, folds, peer_folds):
    """Print one line, and say whether both limits are met."""
    mine, seconds = timed(lambda: ours(name, X, y, folds))
    theirs, peer = timed(lambda: peers(name, X, y, folds[:peer_folds]))
    scale = len(folds) / peer_folds
    how = "" if scale == 1 else f" ({peer:.0f} s for {peer_folds} of {len(folds)} outer folds, multiplied)"
    known = folds[:peer_folds]
    a, b = auroc(mine[:peer_folds], y, known), auroc(theirs, y, known)
    ratio, away = peer * scale / seconds, abs(a - b)
    verdict = "both met" if ratio >= TARGET and away <= AWAY else "NOT MET"
    print(
        f"{name}, {len(X)} x {X.shape[1]}: {seconds:.1f} s, scikit-learn {peer * scale:.0f} s{how}, {ratio:.0f} times as long"
        f" (target {TARGET}); AUROC {a:.4f}, scikit-learn {b:.4f}, {away:.4f} apart (limit {AWAY}): {verdict}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=800)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument(
        "--peer-folds", type=int, help="outer folds that scikit-learn is measured on; default: all"
    )
    parser.add_argument("--only", choices=["logistic_l2", "linear_svm"], help="one model; default: both")
    options = parser.parse_args()
    X, y = simulate(options.samples, options.genes)
    folds = splits.inner(y.astype(str), None, options.folds, 2)
    for name in [options.only] if options.only else ["logistic_l2", "linear_svm"]:
        compare(name, X, y, folds, options.peer_folds or options.folds)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, one thread each")


if __name__ == "__main__":
    main()
