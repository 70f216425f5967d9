"""Nothing of a held-out sample reaches what is fitted: the same steps as the rules, on files as the rules read them.

Every test over PIPELINES runs each normalization with ComBat and each batch correction with TMM. What is held, and where:

    labels without signal, with selection and correction, are predicted at chance       here
    a gene that gives labels away in held-out samples only changes no prediction         here
    changing held-out samples leaves every artefact byte-identical                       here
    a sample is predicted the same alone, in company and reordered                       here, test_bundle, test_normalization
    serving the training samples gives the matrix the model was trained on               here, workflow/test_demo
    batch = label is refused; how much batch and label go together is reported           here, test_batch, test_diagnostics
    batch before and after correction, label from batch, leave-one-batch-out             test_diagnostics, workflow/test_inputs
    an unseen batch is refused, flagged or adapted                                       here, test_batch, test_bundle
    a batch of one sample: means only                                                    here, test_batch
    missing genes are filled, reported, refused when many; others change nothing         here, test_bundle, test_normalization
    ids: versions, PAR_Y, repeats, dates, mixtures, another species                      test_matrix
    impossible values, logarithms given as counts, implausible libraries                 test_matrix, test_normalization, test_gate
    all-zero, constant and fold-constant genes give no NaN; an empty library is refused  here, test_normalization
    filter limits and imputation are learned on training samples                         here, test_filtering, test_imputation
    SMOTE, calibration, threshold, early stopping and tuning see inner rows only         here, test_adjusting

docs/trust.md has the whole list.
"""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from rna2model import models
from rna2model.cohort import cohort, splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation import predictions
from rna2model.expression.batch import registry
from rna2model.expression.features import selection
from rna2model.expression.normalization import methods
from rna2model.serving import bundle
from rna2model.training import batch_choice, preprocessing, split_data

DESIGN = {"task": "classification", "target": "condition", "batch": "run", "group": None}
MODELS = ["logistic_l2", "linear_svm", "random_forest", "mlp"]
CORRECTIONS = [*registry.METHODS, "auto"]
PIPELINES = [(method, "combat") for method in methods.METHODS]
PIPELINES += [("tmm", correction) for correction in CORRECTIONS if correction != "combat"]
GENES = 150
LENGTHS = np.linspace(500, 5000, GENES)


def write_cohort(folder, counts, labels, runs=None):
    """training.h5ad and manifest.tsv of samples in two runs; returns the row numbers held out by r1f1."""
    names = [f"s{i:03}" for i in range(len(counts))]
    runs = np.resize(["x", "x", "y", "y"], len(counts)) if runs is None else runs
    metadata = {n: {"condition": c, "run": r} for n, c, r in zip(names, labels, runs, strict=True)}
    genes = pd.DataFrame(
        {"length": LENGTHS[: counts.shape[1]]},
        index=pd.Index([f"g{i}" for i in range(counts.shape[1])], name="gene_id"),
    )
    cohort.build(counts.astype(np.int64), names, genes, metadata).write_h5ad(folder / "training.h5ad")
    manifest = splits.make(names, np.array(labels), folds=3)
    manifest.to_csv(folder / "manifest.tsv", sep="\t", index=False)
    return [int(name[1:]) for name in splits.test_samples(manifest, "r1f1")]


def fit(folder, split="r1f1", pipeline=("tmm", "combat"), model="logistic_l2", gene_filter="auto", **options):
    """Fit one split's artefacts and one model into `folder`; returns (split data, its Preprocessing)."""
    method, correction = pipeline
    data = split_data.read(folder / "training.h5ad", folder / "manifest.tsv", split, DESIGN)
    train, labels = data.counts(data.train), data.labels(data.train)
    normalizer = methods.make(method, data.cohort.genes, data.cohort.lengths, gene_filter)
    normalizer.fit(train, labels).save(folder / "normalizer")
    expression = normalizer.transform(train)
    corrected, _ = batch_choice.fit(correction, expression, data.batches(data.train), labels, adapt_samples=8)
    corrected.save(folder / "batch_model")
    fitted = preprocessing.load(folder / "normalizer", folder / "batch_model")
    learner, select = models.make(model, inner_folds=3, **options), None
    if options:
        select = selection.Selector("moderated_f", 40)
    learner.fit(data.expression(data.train, fitted), labels, select=select, log=lambda *_: None)
    learner.save(folder / "model")
    return data, fitted


def content(folder):
    """{file: bytes} of the artefacts in `folder`."""
    files = [folder / "normalizer", folder / "batch_model", *sorted((folder / "model").iterdir())]
    return {path.name: path.read_bytes() for path in files}


def predicted(folder, data, fitted, samples=None):
    """Predictions of held-out samples, by the saved model."""
    samples = data.test if samples is None else samples
    table = predictions.table(samples, models.load(folder / "model"), data.expression(samples, fitted))
    return table.set_index("sample")


@pytest.fixture
def noise():
    rng = np.random.default_rng(11)
    return rng.poisson(rng.lognormal(4, 1, GENES), (24, GENES)), ["a", "b"] * 12


@pytest.mark.parametrize(
    ("pipeline", "model"),
    [*((pipeline, "logistic_l2") for pipeline in PIPELINES), *((("tmm", "combat"), m) for m in MODELS[1:])],
)
def test_changing_held_out_samples_leaves_every_artefact_byte_identical(noise, tmp_path, pipeline, model):
    counts, labels = noise
    held_out = write_cohort(tmp_path, counts, labels)
    fit(tmp_path, pipeline=pipeline, model=model)
    before = content(tmp_path)
    changed = counts.copy()
    changed[held_out] = 7 * changed[held_out][:, ::-1] + 1
    write_cohort(tmp_path, changed, labels)
    fit(tmp_path, pipeline=pipeline, model=model)
    assert content(tmp_path) == before


ADJUSTED = {"imbalance": "smote", "calibration": "sigmoid", "threshold": "tuned"}


@pytest.mark.parametrize("model", [*MODELS, "elastic_net", "gradient_boosting", "knn"])
def test_resampling_calibration_threshold_and_tuning_never_look_at_held_out_samples(tmp_path, model):
    """Unequal classes, so that there is something to make up; mlp and boosting also stop by inner rows."""
    rng = np.random.default_rng(12)
    counts, labels = rng.poisson(rng.lognormal(4, 1, GENES), (36, GENES)), ["a", "a", "b"] * 12
    counts[2::3, :15] *= 2
    held_out = write_cohort(tmp_path, counts, labels)
    fit(tmp_path, model=model, **ADJUSTED)
    before = content(tmp_path)
    described = json.loads(before["model.json"])
    assert described["threshold"] is not None and described["settings"]["synthetic"]["b"] > 0
    changed = counts.copy()
    changed[held_out] = 7 * changed[held_out][:, ::-1] + 1
    write_cohort(tmp_path, changed, labels)
    data, fitted = fit(tmp_path, model=model, **ADJUSTED)
    assert content(tmp_path) == before
    together = predicted(tmp_path, data, fitted)
    alone = pd.concat(predicted(tmp_path, data, fitted, [name]) for name in data.test)
    assert alone.equals(together)


@pytest.mark.parametrize(
    "gene_filter", ["none", {"min_mean": 1}, {"min_variance": 0.01}, {"top_variance": 40}]
)
def test_no_filter_looks_at_held_out_samples(noise, tmp_path, gene_filter):
    counts, labels = noise
    held_out = write_cohort(tmp_path, counts, labels)
    fit(tmp_path, gene_filter=gene_filter)
    before = content(tmp_path)
    changed = counts.copy()
    changed[held_out] = 7 * changed[held_out][:, ::-1] + 1
    write_cohort(tmp_path, changed, labels)
    fit(tmp_path, gene_filter=gene_filter)
    assert content(tmp_path) == before


@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_a_gene_that_gives_the_label_away_in_held_out_samples_only_changes_no_prediction(
    noise, tmp_path, pipeline
):
    """In training samples the gene is silent, so that it is in no model and no library: held-out samples get the predictions
    they would get without it, whatever it says."""
    counts, labels = noise
    counts = counts.copy()
    counts[:, 0] = 0
    held_out = write_cohort(tmp_path, counts, labels)
    without = predicted(tmp_path, *fit(tmp_path, pipeline=pipeline))
    artefacts = content(tmp_path)
    counts[held_out, 0] = [900 if labels[row] == "b" else 0 for row in held_out]
    write_cohort(tmp_path, counts, labels)
    assert predicted(tmp_path, *fit(tmp_path, pipeline=pipeline)).equals(without)
    assert content(tmp_path) == artefacts


@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_a_sample_is_predicted_the_same_alone_in_company_and_reordered(noise, tmp_path, pipeline):
    write_cohort(tmp_path, *noise)
    data, fitted = fit(tmp_path, pipeline=pipeline)
    together = predicted(tmp_path, data, fitted)
    assert predicted(tmp_path, data, fitted, data.test[::-1]).loc[data.test].equals(together)
    assert pd.concat(predicted(tmp_path, data, fitted, [name]) for name in data.test).equals(together)


@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_the_bundle_serves_training_samples_as_the_model_saw_them_and_fills_missing_genes(
    noise, tmp_path, pipeline
):
    write_cohort(tmp_path, *noise)
    data, fitted = fit(tmp_path, "full", pipeline)
    facts = {"classes": {"a": 12, "b": 12}, "batch_correction": pipeline[1]}
    bundle.assemble(
        tmp_path / "bundle", tmp_path / "normalizer", tmp_path / "batch_model", tmp_path / "model", facts
    )
    serve = bundle.Bundle(tmp_path / "bundle")
    counts, batches = data.counts(data.train), data.batches(data.train)
    order = np.random.default_rng(1).permutation(GENES)
    extra = np.column_stack([counts[:, order], np.full(len(counts), 10**6)])
    served, missing = serve.expression(extra, [*(f"g{i}" for i in order), "new_gene"], batches)
    assert missing == []
    assert_array_equal(served, data.expression(data.train, fitted))

    genes = [gene for gene in data.cohort.genes if gene not in ("g3", "g40")]
    fewer = np.delete(counts, [3, 40], axis=1)
    filled, missing = serve.expression(fewer, genes, batches)
    assert missing == ["g3", "g40"] and np.isfinite(filled).all()
    alone = [serve.expression(fewer[[i]], genes, batches[[i]])[0] for i in range(len(fewer))]
    assert_array_equal(np.vstack(alone), filled)
    flags = serve.predict(data.train, fewer, genes, batches)["flags"]
    assert flags.str.fullmatch(r"1\.[34] % of the model's genes missing: training mean used").all()
    with pytest.raises(InputProblem, match="counted with another annotation"):
        serve.expression(counts[:, :90], data.cohort.genes[:90], batches)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_batch_that_is_the_label_is_never_corrected(noise, tmp_path, correction):
    counts, labels = noise
    write_cohort(tmp_path, counts, labels, runs=np.where(np.array(labels) == "a", "x", "y"))
    if correction in ("none", "auto"):  # auto finds no batch that could be predicted from the others
        _, fitted = fit(tmp_path, pipeline=("tmm", correction))
        assert fitted.batch_model.method == "none"
    else:
        with pytest.raises(InputProblem, match="batch and target coincide"):
            fit(tmp_path, pipeline=("tmm", correction))


@pytest.mark.parametrize("correction", [name for name in registry.METHODS if name not in ("none", "rank")])
def test_a_batch_that_training_never_saw_is_said_to_be_so_whatever_the_policy(noise, tmp_path, correction):
    write_cohort(tmp_path, *noise)
    data, _ = fit(tmp_path, "full", ("tmm", correction))
    parts = [tmp_path / name for name in ("bundle", "normalizer", "batch_model", "model")]
    bundle.assemble(*parts, {"classes": {"a": 12, "b": 12}})
    serve, new = bundle.Bundle(tmp_path / "bundle"), np.full(10, "new")
    arguments = data.train[:10], data.counts(data.train)[:10], data.cohort.genes, new
    for policy, how in (("uncorrected", "not batch-corrected"), ("adapt", "adapted by its own samples")):
        flags = serve.predict(*arguments, unseen=policy)["flags"]
        assert flags.str.startswith(f"batch 'new' was not in training: {how}").all()
    few = serve.predict(
        *(part[:3] if part is not data.cohort.genes else part for part in arguments), unseen="adapt"
    )
    assert set(few["flags"]) == {
        "batch 'new' was not in training: not batch-corrected, since fewer than 8 samples of it are not adapted"
    }
    with pytest.raises(InputProblem, match="'new' was not in training"):
        serve.predict(*arguments, unseen="refuse")


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_a_batch_of_one_sample_is_no_obstacle_and_gives_no_nan(noise, tmp_path, correction):
    counts, labels = noise
    write_cohort(tmp_path, counts, labels, runs=["alone", *np.resize(["x", "x", "y", "y"], 23)])
    data, fitted = fit(tmp_path, "full", ("tmm", correction))
    assert np.isfinite(data.expression(data.train, fitted)).all()
    if correction == "combat":
        assert (fitted.batch_model.scale_ == 1).all()  # means only


@pytest.mark.parametrize("gene_filter", ["auto", "none"])
@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_genes_that_are_silent_or_constant_in_a_fold_give_no_nan(noise, tmp_path, pipeline, gene_filter):
    counts, labels = noise
    counts = counts.copy()
    counts[:, 0], counts[:, 1] = 0, 40
    held_out = write_cohort(tmp_path, counts, labels)
    training = np.setdiff1d(np.arange(24), held_out)
    counts[training, 2], counts[training, 3], counts[held_out, 4] = 0, 40, 0
    counts[training[::2], 5] = 0
    write_cohort(tmp_path, counts, labels)
    data, fitted = fit(tmp_path, pipeline=pipeline, gene_filter=gene_filter)
    assert np.isfinite(data.expression(data.train, fitted)).all()
    assert np.isfinite(data.expression(data.test, fitted)).all()
    shown = predicted(tmp_path, data, fitted)[["prob_a", "prob_b"]]
    assert np.isfinite(shown).all(axis=None)


@pytest.mark.parametrize("pipeline", PIPELINES, ids="-".join)
def test_labels_without_signal_are_predicted_at_chance(tmp_path, pipeline):
    """Pure noise through filter, normalization, correction, scaling and tuning: cohorts of 96 samples, three folds."""
    rng, hits = np.random.default_rng(2), []
    for _ in range(5):
        counts = rng.poisson(rng.lognormal(4, 1, 120), (96, 120))
        write_cohort(tmp_path, counts, rng.permutation(["a", "b"] * 48).tolist())
        for split in ("r1f1", "r1f2", "r1f3"):
            data, fitted = fit(tmp_path, split, pipeline, gene_filter={"top_variance": 60})
            table = predicted(tmp_path, data, fitted)
            hits += (table["predicted"] == data.labels(data.test)).tolist()
    assert 0.42 < np.mean(hits) < 0.58  # 480 predictions: sd 0.023
