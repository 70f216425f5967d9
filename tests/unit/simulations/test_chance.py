"""Predictions without any meaning: what each metric says of them, in folds as small as studies have."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from rna2model.cohort import splits
from rna2model.evaluation import chance_level, classification
from rna2model.report.figures import classification as report_classification


def noise(n, prevalence, seed, folds=5, repeats=1, K=2):
    """Out-of-fold predictions of n samples by random numbers; `prevalence` of the last class, the others alike."""
    rng = np.random.default_rng(seed)
    rare = round(prevalence * n)
    y = np.r_[np.arange(n - rare) % (K - 1), np.full(rare, K - 1)]
    classes, names = np.array(list("abcd"))[:K], [f"s{i:04d}" for i in range(n)]
    label = dict(zip(names, classes[y], strict=True))
    manifest = splits.make(names, classes[y], folds=folds, repeats=repeats, seed=seed)
    tested = manifest[manifest["role"] == "test"]
    p = rng.dirichlet(np.ones(K), size=len(tested))
    table = pd.DataFrame({"sample": tested["sample"].to_numpy()})
    table["split"] = [f"r{r}f{f}" for r, f in zip(tested["repeat"], tested["fold"], strict=True)]
    table["truth"], table["predicted"] = table["sample"].map(label), classes[p.argmax(axis=1)]
    return table.assign(**{f"prob_{name}": p[:, k] for k, name in enumerate(classes)})


def expected(n, m):
    """Mean average precision over all orders of n samples with m positives (Bestgen 2015)."""
    harmonic = (1 / np.arange(1, n + 1)).sum()
    return ((m - 1) / (n - 1) * (n - harmonic) + harmonic) / n


def test_noise_reaches_its_chance_and_few_intervals_lie_above_it():
    """50 samples, a fifth of the class: mean AUPRC .37; 80 % of the intervals lie above the prevalence, few above chance."""
    scores = [classification.metrics(noise(50, 0.2, seed), n_boot=200)["auprc"] for seed in range(150)]
    mean = {key: np.mean([one[key] for one in scores]) for key in ("estimate", "chance", "prevalence")}
    assert expected(10, 2) == pytest.approx(0.371, abs=5e-4)
    assert mean["chance"] == pytest.approx(expected(10, 2), abs=0.003)
    assert mean["estimate"] == pytest.approx(mean["chance"], abs=0.02) and mean[
        "prevalence"
    ] == pytest.approx(0.2)
    assert np.mean([one["lower"] > one["prevalence"] for one in scores]) > 0.7
    assert np.mean([one["lower"] > one["chance"] for one in scores]) < 0.11


@pytest.mark.parametrize(("n", "rare"), [(10, 2), (12, 1), (30, 15), (200, 20)])
def test_chance_is_the_mean_over_all_orders(n, rare):
    rng, truth = np.random.default_rng(0), (np.arange(n) < rare).astype(int)
    p = rng.random(n)
    chance, _ = chance_level.average_precision(np.column_stack([1 - p, p]), truth, np.zeros(n), np.arange(n))
    assert chance == pytest.approx(expected(n, rare), abs=0.012)


def test_ties_and_more_classes_have_the_chance_of_the_metric_itself():
    """A model that says the same for all reaches the share, and no more; of three classes each against the rest."""
    same = np.full((20, 2), 0.5), (np.arange(20) < 4).astype(int), np.zeros(20), np.arange(20)
    assert chance_level.average_precision(*same)[0] == pytest.approx(0.2)
    table = noise(60, 0.2, 3, K=3)
    auprc = classification.metrics(table, n_boot=2)["auprc"]
    rng, values = np.random.default_rng(5), []
    for _ in range(100):
        each = []
        for _, fold in table.groupby("split"):
            truth = rng.permutation(fold["truth"].to_numpy())
            each.append(np.mean([average_precision_score(truth == c, fold[f"prob_{c}"]) for c in "abc"]))
        values.append(np.mean(each))
    assert auprc["chance"] == pytest.approx(np.mean(values), abs=0.02)
    assert auprc["chance"] == pytest.approx(np.mean(list(auprc["chance_of_class"].values())), abs=1e-6)


def test_labels_move_with_their_group_or_within_it_and_none_is_lost():
    rng = np.random.default_rng(0)
    units, y = np.repeat(np.arange(8), 3), np.repeat([0, 1] * 4, 3)
    new = chance_level.permuted(y, units, rng)
    assert (new.reshape(-1, 8, 3).std(axis=2) == 0).all() and (new.sum(axis=1) == 12).all()
    paired = chance_level.permuted(np.tile([0, 1], 12), np.repeat(np.arange(12), 2), rng)
    assert (paired.reshape(-1, 12, 2).sum(axis=2) == 1).all() and len(np.unique(paired, axis=0)) > 500


def test_groups_that_move_as_a_whole_raise_the_chance():
    """Ten donors of four samples that score alike: their order is one of ten, not one of forty."""
    rng, units = np.random.default_rng(1), np.repeat(np.arange(10), 4)
    p = np.repeat(rng.random(10), 4) + 1e-6 * rng.random(40)
    scored = np.column_stack([1 - p, p]), (units < 2).astype(int), np.zeros(40)
    grouped, alone = (chance_level.average_precision(*scored, of)[0] for of in (units, np.arange(40)))
    assert alone == pytest.approx(expected(40, 8), abs=0.01) and grouped > alone + 0.03


def test_the_area_of_the_figure_is_the_reported_number():
    table = noise(50, 0.2, 4)
    scores = classification.metrics(table, n_boot=2)
    run = {"shipped": "m", "models": ["m", "dummy"], "predictions": {"m": table}, "metrics": {"m": scores}}
    floor, curve = report_classification.precision(run)["choices"]["b"]
    x, y = np.array(curve["x"]), np.array(curve["y"])
    assert (np.diff(x) * y[1:]).sum() == pytest.approx(scores["auprc"]["estimate"], abs=1e-4)
    assert curve["line"]["shape"] == "vh" and curve["name"] == f"m: {scores['auprc']['estimate']:.3f}"
    assert floor["y"][0] == pytest.approx(scores["auprc"]["chance"], abs=1e-5)
