"""What was put into simulated cohorts is found in `expression/`; what cannot be said is said to be so."""

import json

import numpy as np
import pandas as pd
import pytest

from rna2model.explore import clusters, embedding, outliers, pca, views


def expression(n=30, genes=400, shift=3.0, seed=0):
    """(values (n, genes) log2, labels): two classes that differ in a quarter of the genes."""
    rng = np.random.default_rng(seed)
    labels = np.resize(["a", "b"], n)
    values = rng.normal(8, 2, genes) + rng.normal(0, 1, (n, genes))
    values[labels == "b", : genes // 4] += shift
    return values, labels


def names(n):
    return [f"s{number}" for number in range(n)]


@pytest.mark.parametrize("n", [5, 6, 30])
def test_tsne_keeps_classes_apart_at_any_size_and_repeats_itself(n):
    scores = pca.scores(expression(n)[0], embedding.COMPONENTS)
    placed = embedding.tsne(scores)
    assert placed.shape == (n, 2) and np.array_equal(placed, embedding.tsne(scores))
    if n == 30:
        labels = expression(n)[1]
        centres = [placed[labels == name].mean(axis=0) for name in ("a", "b")]
        spread = placed[labels == "a"].std()
        assert np.linalg.norm(centres[0] - centres[1]) > spread


def test_too_few_samples_have_no_embedding():
    table = embedding.embed({"normalized": expression(4)[0]}, names(4))
    assert list(table) == embedding.COLUMNS and not len(table)


def test_samples_that_are_alike_are_neighbours_in_the_order():
    values, labels = expression(20)
    correlations = clusters.correlations(values)
    assert (
        correlations[labels == "a"][:, labels == "a"].min()
        > correlations[labels == "a"][:, labels == "b"].max()
    )
    ordered = labels[clusters.order(correlations)]
    assert (ordered[1:] != ordered[:-1]).sum() == 1
    assert correlations == pytest.approx(np.corrcoef(values))


def test_a_sample_that_does_not_vary_correlates_with_nothing():
    values = expression(6)[0]
    values[2] = 1.0
    correlations = clusters.correlations(values)
    assert np.isfinite(correlations).all() and (np.delete(correlations[2], 2) == 0).all()
    assert sorted(clusters.order(correlations)) == list(range(6))


def test_correlations_of_a_large_cohort_are_not_all_in_memory(monkeypatch):
    values = np.random.default_rng(1).normal(size=(90, 30))
    values[4] = 2.0
    found = np.corrcoef(values + 1e-12 * np.arange(30))  # row 4 varies by nothing that counts
    found[4], found[:, 4] = 0.0, 0.0
    np.fill_diagonal(found, np.nan)
    for at_once in (10**6, 700):  # as a whole, and seven samples at a time
        monkeypatch.setattr(clusters, "AT_ONCE", at_once)
        assert clusters.median_correlation(values) == pytest.approx(np.nanmedian(found, axis=1), abs=1e-9)


def test_of_a_large_cohort_some_samples_are_compared_with_each_other(monkeypatch):
    assert clusters.drawn(7).tolist() == list(range(7))
    monkeypatch.setattr(clusters, "MOST", 20)
    values, labels = expression(40)
    table = clusters.compare({"normalized": values}, names(40), labels, None)
    assert table.groupby("method").size().to_dict() == {"hierarchical": 20, "kmeans": 40}
    assert set(table.loc[table["method"] == "hierarchical", "sample"]) == set(
        np.array(names(40))[clusters.drawn(40)]
    )
    assert (table["adjusted_rand"] > 0.9).all()


def test_planted_clusters_agree_with_the_labels_and_not_with_the_batches():
    values, labels = expression(40)
    runs = np.resize(["x", "x", "y", "y"], 40)
    table = clusters.compare({"normalized": values}, names(40), labels, runs)
    rand = table.drop_duplicates(["method", "against"]).set_index(["method", "against"])["adjusted_rand"]
    for method in ("kmeans", "hierarchical"):
        assert rand[method, "target"] == 1 and abs(rand[method, "batch"]) < 0.1
        one = table[(table["method"] == method) & (table["against"] == "target")]
        assert pd.crosstab(one["cluster"], labels).to_numpy().min() == 0


def test_clusters_need_two_groups():
    table = clusters.compare({"normalized": expression(6)[0]}, names(6), np.full(6, "a"), None)
    assert list(table) == clusters.COLUMNS and not len(table)


@pytest.mark.parametrize("n", [12, 60])
def test_a_planted_outlier_is_named_and_the_classes_are_not(n):
    values, labels = expression(n)
    values[3] += np.random.default_rng(1).normal(0, 4, values.shape[1])
    table, details = outliers.find(values, names(n), labels)
    verdicts = table.set_index("sample")["verdict"]
    assert verdicts["s3"].startswith("look at it") and details["method"] == (
        "robust" if n >= 20 else "classical"
    )
    assert (verdicts.drop("s3") == "like the others").mean() >= 0.9
    assert table["mahalanobis"].idxmax() == 3 and table["median_correlation"].idxmin() == 3


def test_cohorts_without_outliers_rarely_show_one():
    flagged = []
    for seed in range(10):
        values, labels = expression(30, seed=seed)
        table = outliers.find(values, names(30), labels)[0]
        flagged.append((table["verdict"] != "like the others").sum())
    assert np.mean(np.array(flagged) > 0) <= 0.2


def test_a_batch_of_its_own_is_no_outlier_when_the_sheet_names_it():
    values, labels = expression(30)
    runs = np.where(np.arange(30) < 8, "x", "y")
    values[runs == "x"] += np.random.default_rng(2).normal(0, 2, values.shape[1])
    named = outliers.find(values, names(30), labels, runs)[0]["p"]
    assert (named > 0.01 / 30).all()


def test_samples_without_a_label_are_compared_with_their_batch():
    values, labels = expression(30)
    labels = labels.astype(object)
    runs = np.where(np.arange(30) < 15, "x", "y")
    values[runs == "x"] += np.random.default_rng(2).normal(0, 2, values.shape[1])
    labels[:3] = ""
    left = outliers._residuals(values, labels.astype(str), runs)
    known = (runs == "x") & (labels == "a")
    assert left[known] == pytest.approx(values[known] - np.median(values[known], axis=0))
    assert left[:3] == pytest.approx(values[:3] - np.median(values[runs == "x"], axis=0))


def test_few_samples_get_no_verdict_but_a_sentence():
    table, _ = outliers.find(expression(5)[0], names(5), expression(5)[1])
    assert list(table) == outliers.COLUMNS and table["verdict"].str.startswith("too few").all()


def test_an_empty_table_has_its_reason_beside_it(tmp_path):
    path = tmp_path / "differential.tsv"
    views.conclude(pd.DataFrame(columns=["gene_id"]), path, "because", samples=3)
    assert path.read_text() == "gene_id\n"
    assert json.loads((tmp_path / "differential.json").read_text()) == {"note": "because", "samples": 3}
    views.beside(tmp_path / "combat_seq.tsv.gz")
    assert json.loads((tmp_path / "combat_seq.json").read_text()) == {"note": None}
