"""Metrics held to scikit-learn, intervals that hold, and a permutation test that can tell noise from signal."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression

from rna2model.cohort import splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation import calibration_line, classification, regression
from rna2model.evaluation.permutation import exchangeable, logistic
from rna2model.evaluation.permutation.draws import PermutationFold
from rna2model.models.linear import rotation


def predictions(n=120, K=2, folds=5, repeats=1, signal=1.0, seed=0, ties=False):
    """Out-of-fold predictions of a model whose logits carry `signal`; probabilities rounded where `ties`."""
    rng = np.random.default_rng(seed)
    classes, y = np.array(list("abcd"))[:K], np.arange(n) % K
    names = [f"s{i:04d}" for i in range(n)]
    manifest = splits.make(names, classes[y], folds=folds, repeats=repeats, seed=seed)
    parts = []
    for (repeat, fold), rows in manifest[manifest["role"] == "test"].groupby(["repeat", "fold"]):
        truth = y[[names.index(name) for name in rows["sample"]]]
        logits = rng.normal(size=(len(truth), K)) + signal * np.eye(K)[truth]
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        if ties:
            p[:, 0] = np.clip(p[:, 0].round(1), 0.05, 0.95)
            p[:, 1] = 1.0 - p[:, 0]
        part = {"sample": rows["sample"].to_numpy(), "split": f"r{repeat}f{fold}", "truth": classes[truth]}
        part |= {"predicted": classes[p.argmax(axis=1)]} | {
            f"prob_{c}": p[:, k] for k, c in enumerate(classes)
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize("K", [2, 3])
def test_pooled_metrics_equal_scikit_learn(K):
    table = predictions(K=K)
    metrics = classification.metrics(table, n_boot=10)
    probabilities = table.filter(like="prob_").to_numpy()
    expected = {
        "accuracy": sk.accuracy_score(table.truth, table.predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(table.truth, table.predicted),
        "mcc": sk.matthews_corrcoef(table.truth, table.predicted),
        "f1_macro": sk.f1_score(table.truth, table.predicted, average="macro"),
        "log_loss": sk.log_loss(table.truth, probabilities),
        "brier": ((probabilities - pd.get_dummies(table.truth).to_numpy()) ** 2).sum(axis=1).mean()
        / (2 if K == 2 else 1),
    }
    for name, value in expected.items():
        assert metrics[name]["estimate"] == pytest.approx(value, abs=1e-12), name
        assert metrics[name]["n"] == 120


@pytest.mark.parametrize("ties", [False, True])
def test_ranking_metrics_are_means_of_scikit_learn_over_folds(ties):
    table = predictions(ties=ties)
    metrics = classification.metrics(table, n_boot=10)
    folds = [fold for _, fold in table.groupby("split")]
    assert metrics["auroc"]["estimate"] == pytest.approx(
        np.mean([sk.roc_auc_score(f.truth, f.prob_b) for f in folds])
    )
    precision = [sk.average_precision_score(f.truth == "b", f.prob_b) for f in folds]
    assert metrics["auprc"]["estimate"] == pytest.approx(np.mean(precision))
    assert metrics["auprc"]["prevalence"] == pytest.approx(0.5)


def test_more_classes_are_ranked_one_against_the_rest():
    table = predictions(K=3, folds=3)
    means = []
    for _, fold in table.groupby("split"):
        means.append(sk.roc_auc_score(fold.truth, fold.filter(like="prob_").to_numpy(), multi_class="ovr"))
    auroc = classification.metrics(table, n_boot=2)["auroc"]
    assert auroc["plain_mean"] == pytest.approx(np.mean(means))
    assert auroc["estimate"] == pytest.approx(np.mean(means), abs=1e-3)  # folds of 13 or 14 of a class


def test_a_resample_is_a_weighting():
    """What the vectorised bootstrap computes with weights is what scikit-learn computes with sample_weight."""
    table = classification.read(predictions(60, folds=2, ties=True))
    weights = np.random.default_rng(0).integers(0, 3, 60).astype(float)
    values, _ = classification._one_repeat(table, np.arange(60), weights[None], None)
    y, p = table.truth, table.probabilities[:, 1]
    assert values["mcc"][0] == pytest.approx(sk.matthews_corrcoef(y, table.predicted, sample_weight=weights))
    for name, function in (("auroc", sk.roc_auc_score), ("auprc", sk.average_precision_score)):
        each = [
            function(y[rows], p[rows], sample_weight=weights[rows])
            for rows in (table.fold == f for f in set(table.fold))
        ]
        assert values["plain_auroc" if name == "auroc" else name][0] == pytest.approx(np.mean(each))


def test_the_calibration_line_equals_an_unpenalised_logistic_regression():
    table = predictions(400)
    metrics = classification.metrics(table, n_boot=10)
    logit = calibration_line.logit(table.prob_b.to_numpy())
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], table.truth == "b")
    assert metrics["calibration_slope"]["estimate"] == pytest.approx(fitted.coef_[0, 0], abs=1e-4)
    shifted = 1 / (1 + np.exp(-(logit + metrics["calibration_intercept"]["estimate"])))
    assert shifted.mean() == pytest.approx((table.truth == "b").mean(), abs=1e-6)


@pytest.mark.parametrize(
    "table", [predictions(24), predictions(30, K=3, folds=3, repeats=2), predictions(20, signal=9)]
)
def test_intervals_hold_the_estimate_and_json_has_no_nan(table):
    metrics = classification.metrics(table)
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics
    for value in metrics.values():
        assert (
            value["estimate"] is None
            or value["lower"] is None
            or value["lower"] <= value["estimate"] <= value["upper"]
        )
        assert value["estimate"] is not None or "note" in value


def test_an_interval_covers_the_truth_about_95_times_in_100():
    """Accuracy of a model that is right with probability 0.8, 150 cohorts of 100 samples."""
    hits = 0
    for seed in range(150):
        table = predictions(100, seed=seed)
        wrong = np.random.default_rng(seed).random(100) < 0.2
        table["predicted"] = np.where(wrong, np.where(table.truth == "a", "b", "a"), table.truth)
        accuracy = classification.metrics(table, n_boot=300)["accuracy"]
        hits += accuracy["lower"] <= 0.8 <= accuracy["upper"]
    assert 0.88 <= hits / 150 <= 0.99


def test_repeats_do_not_count_as_more_samples():
    once, often = (classification.metrics(predictions(60, repeats=r))["accuracy"] for r in (1, 5))
    assert once["n"] == often["n"] == 60
    repeated = pd.concat(
        [predictions(60).assign(split=lambda t, r=r: t.split.str.replace("r1", f"r{r}")) for r in range(1, 6)]
    )
    same = classification.metrics(repeated)["accuracy"]
    assert (same["lower"], same["upper"]) == pytest.approx((once["lower"], once["upper"]))


def test_groups_of_copies_widen_the_interval():
    table = predictions(200)
    copies = {name: str(i // 10) for i, name in enumerate(sorted(table["sample"]))}
    right = dict(zip(table["sample"], np.random.default_rng(0).random(200) < 0.7, strict=True))
    first = {group: right[name] for name, group in copies.items()}
    truth = table["truth"]
    table["predicted"] = np.where(
        table["sample"].map(copies).map(first), truth, np.where(truth == "a", "b", "a")
    )
    alone, grouped = (classification.metrics(table, groups=g)["accuracy"] for g in (None, copies))
    assert grouped["upper"] - grouped["lower"] > 2 * (alone["upper"] - alone["lower"])


def test_a_model_that_says_the_same_for_all_has_no_calibration_slope_and_auroc_one_half():
    table = predictions(40).assign(prob_a=0.5, prob_b=0.5, predicted="a")
    table.loc[table.split == "r1f2", ["prob_a", "prob_b"]] = 0.45, 0.55
    metrics = classification.metrics(table)
    assert metrics["auroc"]["estimate"] == 0.5 and metrics["mcc"]["estimate"] == 0.0
    assert metrics["calibration_slope"]["estimate"] is None and "vary" in metrics["calibration_slope"]["note"]


def test_a_fold_without_one_class_is_skipped_and_counted():
    table = predictions(40)
    table = table[~((table.split == "r1f3") & (table.truth == "b"))]
    metrics = classification.metrics(table)
    assert metrics["auroc"]["folds_skipped"] == 1 and metrics["auroc"]["estimate"] is not None


def test_batches_held_out_count_as_folds_and_may_lack_a_class():
    table = predictions(60, K=3, folds=3)
    table["split"] = table.split.map({"r1f1": "batch.x", "r1f2": "batch.y", "r1f3": "batch.z"})
    table.loc[table.split == "batch.z", "prob_c"] = np.nan
    assert classification.metrics(table)["auroc"]["n"] == 60


def test_paired_differences_are_narrower_than_independent_ones():
    table = predictions(200, seed=3)
    other = table.copy()
    changed = np.arange(200) < 10
    other.loc[changed, ["prob_a", "prob_b"]] = table.loc[changed, ["prob_b", "prob_a"]].to_numpy()
    difference = classification.paired_difference(table, other, "auroc")
    alone = classification.metrics(table)["auroc"]
    assert difference["upper"] - difference["lower"] < 0.8 * (alone["upper"] - alone["lower"])
    zero = classification.paired_difference(table, table, "brier")
    assert zero["estimate"] == zero["lower"] == zero["upper"] == 0.0
    with pytest.raises(InputProblem, match="not a metric"):
        classification.paired_difference(table, other, "r2")
    with pytest.raises(InputProblem, match="do not hold the same samples"):
        classification.paired_difference(table, other[5:], "auroc")


def cohort_folds(effect, n=24, p=100, folds=3, seed=0):
    """Folds of a cohort as the workflow hands them to the permutation test, with labels by sample."""
    rng = np.random.default_rng(seed)
    names, y = [f"s{i:02d}" for i in range(n)], np.arange(n) % 2
    X = rng.normal(size=(n, p))
    X[y == 1, :20] += effect
    manifest, row = splits.make(names, y.astype(str), folds=folds), {name: i for i, name in enumerate(names)}
    made = []
    for split in splits.names(folds, 1)[:-1]:
        train, test = splits.training_samples(manifest, split, names), splits.test_samples(manifest, split)
        rows = [[row[name] for name in part] for part in (train, test)]
        made.append(PermutationFold(split, train, test, X[rows[0]], X[rows[1]]))
    return made, dict(zip(names, y.astype(str), strict=True))


def test_permutations_tell_signal_from_noise():
    signal = logistic.permutation_test(*cohort_folds(2.0), n=99, log=lambda *_: None)
    assert signal["p"] == pytest.approx(0.01) and signal["statistic"] > 0.9 and signal["n"] == 99
    p = [
        logistic.permutation_test(*cohort_folds(0.0, seed=s), n=19, log=lambda *_: None)["p"]
        for s in range(12)
    ]
    assert 0.25 < np.mean(p) < 0.8  # uniform on noise
    assert all(round(20 * value) >= 1 for value in p)  # (b + 1) / (n + 1) is never zero


def test_the_statistic_is_that_of_logistic_l2_with_the_same_candidates():
    from rna2model import models

    folds, labels = cohort_folds(0.8)
    statistic = logistic.permutation_test(folds, labels, n=2, log=lambda *_: None)["statistic"]
    each = []
    for fold in folds:
        model = models.make("logistic_l2", search={"C_times_genes": logistic.C_TIMES_GENES})
        model.fit(fold.train_expression, [labels[s] for s in fold.train], log=lambda *_: None)
        each.append(
            sk.roc_auc_score([labels[s] for s in fold.test], model.predict_proba(fold.test_expression)[:, 1])
        )
    assert statistic == pytest.approx(np.mean(each))


def test_test_rows_rotate_like_training_rows():
    X = np.random.default_rng(0).normal(size=(10, 30))
    fitted = rotation.Rotation(X)
    np.testing.assert_allclose(fitted.rotate(X), fitted.Z, atol=1e-9)
    np.testing.assert_allclose(
        fitted.Z @ fitted.Z.T, rotation.scaled(X)[0] @ rotation.scaled(X)[0].T, atol=1e-9
    )


def test_labels_move_with_their_group_or_within_it():
    rng = np.random.default_rng(0)
    donors, y = np.repeat(np.arange(8), 3), np.repeat([0, 1] * 4, 3)
    for _ in range(20):
        new = y[exchangeable.Exchange(y, donors).draw(rng)]
        assert all(len(set(new[donors == d])) == 1 for d in range(8)) and new.sum() == y.sum()
    paired = np.tile([0, 1], 12)
    for _ in range(20):
        new = paired[exchangeable.Exchange(paired, np.repeat(np.arange(12), 2)).draw(rng)]
        assert (new.reshape(12, 2).sum(axis=1) == 1).all()


def dummy(sizes, folds=3, predicted="a"):
    """Out-of-fold predictions of a model that calls every sample `predicted`; sizes {class: samples}."""
    truth = np.repeat(list(sizes), list(sizes.values()))
    n = len(truth)
    table = pd.DataFrame({"sample": [f"s{i}" for i in range(n)], "truth": truth, "predicted": predicted})
    table["split"] = [f"r1f{i % folds + 1}" for i in range(n)]
    for name in sizes:
        table[f"prob_{name}"] = sizes[name] / n
    return table


@pytest.mark.parametrize("rare", [1, 2, 3, 4, 5, 8])
@pytest.mark.parametrize("common", [(41,), (30, 9), (3, 3, 3, 3)])
def test_a_model_that_never_says_the_rare_class_has_no_upper_end_above_chance(rare, common):
    """A resample without the rare class would call it all right: balanced accuracy and F1 of 1."""
    sizes = dict(zip("abcde", (*common, rare), strict=False))
    metrics = classification.metrics(dummy(sizes), n_boot=300)
    for name in ("balanced_accuracy", "auroc"):
        value = metrics[name]
        assert value["upper"] is None or value["lower"] == value["upper"] == pytest.approx(value["estimate"])
    assert metrics["balanced_accuracy"]["upper"] == pytest.approx(1 / len(sizes))
    assert metrics["f1_macro"]["upper"] < 1 / len(sizes)
    assert metrics["mcc"]["lower"] == metrics["mcc"]["upper"] == 0


def test_many_small_classes_have_an_interval_and_rare_donors_are_drawn_among_themselves():
    sizes = dict.fromkeys("abcdefgh", 3)
    table = dummy(sizes)
    table.loc[::2, "predicted"] = table.loc[::2, "truth"]
    balanced_accuracy = classification.metrics(table, n_boot=200)["balanced_accuracy"]
    assert balanced_accuracy["lower"] < balanced_accuracy["estimate"] < balanced_accuracy["upper"]
    donors = {name: f"d{i // 2}" for i, name in enumerate(table["sample"])}
    assert classification.metrics(table, donors, n_boot=200)["balanced_accuracy"]["upper"] < 1


def test_where_no_class_is_rare_groups_are_drawn_as_multinomials_of_all():
    table = classification.read(predictions(n=40))
    pools = classification.bootstrap._pools(table.cluster, table.kinds)
    assert not pools.any()
    drawn = classification.bootstrap._draw(np.random.default_rng(4), pools, 40, 50)
    np.testing.assert_array_equal(
        drawn, np.random.default_rng(4).multinomial(40, np.full(40, 1 / 40), size=50)
    )


@pytest.mark.parametrize("events", [1, 2, 3])
def test_resamples_always_hold_an_event_where_events_are_rare(events):
    cluster, event = np.arange(30), np.arange(30) < events
    pools = classification.bootstrap._pools(cluster, event)
    drawn = classification.bootstrap._draw(np.random.default_rng(1), pools, 30, 200)
    assert (drawn.sum(axis=1) == 30).all() and (drawn[:, event].sum(axis=1) == events).all()


def test_two_samples_left_in_a_resample_correlate_with_nothing():
    """Two points always lie on a line: folds of four would reach a correlation of 1 in resamples."""
    rng = np.random.default_rng(2)
    truth, predicted = rng.normal(size=4), rng.normal(size=4)
    weights = np.array([[1, 1, 1, 1], [2, 2, 0, 0], [4, 0, 0, 0], [2, 1, 1, 0]], dtype=float)
    for metric in (regression.pearson, regression.spearman):
        correlations = metric(truth, predicted, weights)
        assert np.isnan(correlations[1:3]).all() and not np.isnan(correlations[[0, 3]]).any()
