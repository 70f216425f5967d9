"""Nothing of a held-out sample reaches what is fitted: the same steps as the rules, on files as the rules read them."""

import numpy as np
import pandas as pd
import pytest

from rna2model import batch, cohort, models, normalization, predictions, splitdata, splits

DESIGN = {"task": "classification", "target": "condition", "batch": "run", "group": None}
MODELS = ["logistic_l2", "linear_svm", "random_forest", "mlp"]


def write_cohort(folder, counts, labels):
    """training.h5ad and manifest.tsv of 24 samples in two runs; returns the held-out names of r1f1."""
    names = [f"s{i:02}" for i in range(len(counts))]
    runs = np.tile(["x", "x", "y", "y"], len(counts) // 4)
    metadata = {n: {"condition": c, "run": r} for n, c, r in zip(names, labels, runs, strict=True)}
    genes = pd.DataFrame(index=pd.Index([f"g{i}" for i in range(counts.shape[1])], name="gene_id"))
    cohort.build(counts.astype(np.int64), names, genes, metadata).write_h5ad(folder / "training.h5ad")
    manifest = splits.make(names, np.array(labels), folds=3)
    manifest.to_csv(folder / "manifest.tsv", sep="\t", index=False)
    return splits.test_samples(manifest, "r1f1")


def run_split(folder, name, split="r1f1"):
    """Fit one split's artefacts and one model into `folder`; returns ({file: bytes}, predictions of the held-out)."""
    data = splitdata.read(folder / "training.h5ad", folder / "manifest.tsv", split, DESIGN)
    normalizer = normalization.make("tmm", data.cohort.genes).fit(
        data.counts(data.train), data.labels(data.train)
    )
    normalizer.save(folder / "normalizer")
    expression = normalizer.transform(data.counts(data.train))
    batch.make("combat").fit(expression, data.batches(data.train)).save(folder / "batch_model")
    fitted = splitdata.artefacts(folder / "normalizer", folder / "batch_model")
    model = models.make(name, inner_folds=3).fit(
        data.expression(data.train, *fitted), data.labels(data.train), log=lambda *_: None
    )
    model.save(folder / "model")
    files = [folder / "normalizer", folder / "batch_model", *sorted((folder / "model").iterdir())]
    table = predictions.table(data.test, model, data.expression(data.test, *fitted))
    return {path.name: path.read_bytes() for path in files}, table


@pytest.fixture
def noise():
    rng = np.random.default_rng(11)
    return rng.poisson(rng.lognormal(4, 1, 150), (24, 150)), ["a", "b"] * 12


@pytest.mark.parametrize("name", MODELS)
def test_changing_held_out_samples_leaves_every_artefact_byte_identical(noise, tmp_path, name):
    counts, labels = noise
    held_out = write_cohort(tmp_path, counts, labels)
    before, _ = run_split(tmp_path, name)
    changed = counts.copy()
    changed[[int(n[1:]) for n in held_out]] *= 7
    write_cohort(tmp_path, changed, labels)
    after, _ = run_split(tmp_path, name)
    assert before == after


def test_a_gene_that_gives_the_label_away_in_held_out_samples_only_is_never_found(noise, tmp_path):
    counts, labels = noise
    held_out = write_cohort(tmp_path, counts, labels)
    rows = [int(n[1:]) for n in held_out]
    canary = counts.copy()
    canary[rows, 0] = [900 if labels[row] == "b" else 0 for row in rows]
    write_cohort(tmp_path, canary, labels)
    artefacts, _ = run_split(tmp_path, "logistic_l2")
    write_cohort(tmp_path, counts, labels)
    assert run_split(tmp_path, "logistic_l2")[0] == artefacts


def test_labels_without_signal_are_predicted_at_chance(tmp_path):
    """Pure noise through normalization, ComBat, scaling and tuning: 20 cohorts, mean accuracy of held-out samples."""
    rng, hits = np.random.default_rng(2), []
    for _ in range(20):
        counts = rng.poisson(rng.lognormal(4, 1, 120), (24, 120))
        write_cohort(tmp_path, counts, rng.permutation(["a", "b"] * 12).tolist())
        for split in ("r1f1", "r1f2", "r1f3"):
            _, table = run_split(tmp_path, "logistic_l2", split)
            data = splitdata.read(tmp_path / "training.h5ad", tmp_path / "manifest.tsv", split, DESIGN)
            hits += (table["predicted"] == data.labels(data.test)).tolist()
    assert 0.42 < np.mean(hits) < 0.58  # 480 predictions: sd 0.023
