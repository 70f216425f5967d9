"""Models of values within a sample see neither normalization nor batch correction, in training as in serving."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.serving import bundle, manifest, out_of_distribution, reference_panel
from rna2model.training import pipeline, preprocessing
from tests.unit.training import test_preprocessing as shared

WITHIN = [
    name for name in models.NAMES if models.class_of(name, "classification").EXPRESSION == "within_sample"
]
SEARCH = {"ktsp": {"pairs": [3]}, "panel": {"size": [5]}}


def signal(seed=1):
    """The split of test_preprocessing with eight genes that differ between the classes."""
    data = shared.split_of(seed)
    classes = np.array(data.cohort.obs["condition"])
    data.cohort.counts[np.ix_(classes == "b", range(8))] *= 4
    return data


def trained(data, correction="combat", name="ktsp"):
    fitted = preprocessing.Preprocessing().fit(
        data, shared.expression_of("tmm", correction), "counts", shared.SETTINGS, shared.KINDS
    )
    model = models.make(name, inner_folds=3, search=SEARCH[name])
    pipeline.train(model, data, fitted, shared.SETTINGS, 1, log=lambda *_: None)
    return model, fitted


@pytest.mark.parametrize("name", WITHIN)
def test_neither_normalization_nor_correction_changes_what_is_predicted(name):
    data = signal()
    (one, corrected), (other, plain) = trained(data, "combat", name), trained(data, "none", name)
    shown = [data.expression(data.test, fitted.shown_to(one)) for fitted in (corrected, plain)]
    assert_array_equal(*shown)
    assert_array_equal(one.predict_proba(shown[0]), other.predict_proba(shown[1]))
    assert corrected.shown_to(one).names == corrected.normalizer.genes_  # without the covariates
    assert corrected.shown_to(models.make("logistic_l2")) is corrected


@pytest.mark.parametrize("name", WITHIN)
def test_samples_of_a_distorted_batch_are_predicted_as_before(name):
    """A new batch sequenced at another depth: rounding aside, the order and the ratios within its samples are the same."""
    data = signal()
    model, fitted = trained(data, name=name)
    seen = fitted.shown_to(model)
    before = model.predict_proba(seen.transform(data.counts(data.test), data.batches(data.test)))
    deep = 50 * data.counts(data.test)
    after = model.predict_proba(seen.transform(deep, np.full(len(deep), "new")))
    assert_allclose(after, before, atol=0.03)


def test_differences_are_ratios_of_the_two_genes_alone():
    data = signal()
    model, fitted = trained(data)
    counts = data.counts(data.test).copy()
    X = fitted.shown_to(model).transform(counts, data.batches(data.test))
    counts[:, 10:] = counts[:, 10:][:, ::-1] * 3  # the rest of the library
    Y = fitted.shown_to(model).transform(counts, data.batches(data.test))
    assert_allclose(X[:, 3] - X[:, 4], np.log2((counts[:, 3] + 0.5) / (counts[:, 4] + 0.5)), atol=1e-9)
    assert_allclose(X[:, 3] - X[:, 4], Y[:, 3] - Y[:, 4], atol=1e-9)


def bundled(data, folder, name="ktsp"):
    """A bundle of `name` trained on the split, made as scripts/bundle.py makes it."""
    model, fitted = trained(data, name=name)
    fitted.save(folder / "n", folder / "b")
    model.save(folder / "m")
    X = data.expression(data.train, fitted.shown_to(model))
    out_of_distribution.OutOfDistribution().fit(X).save(folder / "o")
    facts = {"model": name, "counts_unit": "counts", "classes": {"a": 10, "b": 10}, "counting": None}
    facts["training"] = manifest.remember(data.train, None, data.counts(data.train), "salt")
    parts = folder / "n", folder / "b", folder / "m"
    kept = reference_panel.Panel().fit(X)
    bundle.assemble(folder / "bundle", *parts, facts, ood=folder / "o", kept=kept)
    return bundle.Bundle(folder / "bundle")


@pytest.mark.parametrize("name", WITHIN)
def test_a_bundle_needs_the_genes_of_the_signature_only_and_no_batch(tmp_path, name):
    data = signal()
    serve = bundled(data, tmp_path, name)
    counts, genes = data.counts(data.test).astype(float), data.cohort.genes
    table = serve.predict(data.test, counts, genes, data.batches(data.test))
    assert (
        set(table["batch_policy"]) == {"no correction"}
        and (table["predicted"] == data.labels(data.test)).mean() > 0.8
    )
    named = {serve.preprocessing.names[column] for column in serve.model.used()}
    few = np.array([gene in named for gene in genes])
    alone = serve.predict(data.test[:1], counts[:1, few], np.array(genes)[few].tolist(), ["elsewhere"])
    assert alone["prob_b"][0] == pytest.approx(table["prob_b"][0], abs=1e-6)
    assert "missing" not in alone["flags"][0] and "batch" not in alone["flags"][0]
    with pytest.raises(InputProblem, match=f"of the {len(named)} genes the model uses are missing"):
        serve.predict(data.test[:1], counts[:1, ~few], np.array(genes)[~few].tolist(), ["elsewhere"])


@pytest.mark.parametrize("name", WITHIN)
def test_held_out_samples_change_nothing_that_is_fitted(name, tmp_path):
    data, other = signal(), signal()
    held = other.cohort.rows(other.test)
    other.cohort.counts[held] = 7 * other.cohort.counts[held][:, ::-1] + 1
    for number, one in enumerate((data, other)):
        trained(one, name=name)[0].save(tmp_path / str(number))
    for file in (tmp_path / "0").iterdir():
        assert file.read_bytes() == (tmp_path / "1" / file.name).read_bytes()
