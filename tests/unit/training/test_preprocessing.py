"""What a split learned before its model: stored and read back it is the same, and serving applies what training applied."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from rna2model import models
from rna2model.cohort import cohort
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.serving import bundle
from rna2model.training import pipeline, preprocessing, split_data
from tests.command import REPOSITORY

DESIGN = {"task": "classification", "target": "condition", "batch": "run", "group": None, "covariates": ["age", "sex"]}  # fmt: skip
SETTINGS = {"score": "mean_z", "impute": "mean", "selection": "none", "count": 10}
KINDS = {"age": "number", "sex": "category"}
GENES, TRAINED = 60, 20
FILES = {name: f"{name}.safetensors" for name in preprocessing.PARTS}


def expression_of(method, correction):
    """The config's section `expression`."""
    own = {"normalization": method, "batch_correction": correction, "filter": "none", "missing": "refuse"}
    return own | {"reference_batch": None, "mean_only": False, "protect_target": False, "adapt_samples": 3}


def split_of(seed, new_batch=False):
    """A SplitData of 20 training and 8 held-out samples in two runs, with covariates of which some cells are missing."""
    rng = np.random.default_rng(seed)
    n = TRAINED + 8
    counts = rng.poisson(rng.lognormal(4, 1, GENES) * rng.lognormal(0, 0.3, (n, 1))) + 1
    runs = np.resize(["x", "x", "y", "y"], n).astype(object)
    if new_batch:
        runs[TRAINED:] = "z"
    ages = rng.integers(20, 80, n).astype(str)
    ages[[1, TRAINED]] = ""
    obs = {"condition": ["a", "b"] * (n // 2), "run": runs.tolist(), "age": ages.tolist(), "sex": ["f", "m", "m", "f"] * (n // 4)}  # fmt: skip
    names = [f"s{i:02}" for i in range(n)]
    data = cohort.Cohort(counts, names, [f"g{i}" for i in range(GENES)], np.linspace(300, 3000, GENES), obs)
    return split_data.SplitData(data, names[:TRAINED], names[TRAINED:], names[:TRAINED], DESIGN)


def gene_sets(folder):
    lines = ["\t".join([f"SET{s}", "", *(f"g{i}" for i in range(s, GENES, 5))]) for s in range(5)]
    (folder / "sets.gmt").write_text("\n".join(lines) + "\n")
    return folder / "sets.gmt"


def stored(fitted, folder):
    """`fitted` written to `folder` and read again."""
    paths = {name: folder / file for name, file in FILES.items() if getattr(fitted, name) is not None}
    fitted.save(**paths)
    return preprocessing.load(**paths)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.sampled_from(sorted(methods.METHODS)),
    st.sampled_from([*registry.METHODS]),
    st.sampled_from(["genes", "covariates", "gene sets"]),
    st.sampled_from(registry.UNSEEN),
    st.booleans(),
)
def test_served_samples_are_what_training_would_have_shown_of_them(
    tmp_path_factory, seed, method, correction, kind, unseen, new_batch
):
    """Any normalization, correction and features; a model trained on them; samples of known and of new batches."""
    folder = tmp_path_factory.mktemp("split")
    new_batch = new_batch and unseen != "refuse"
    data = split_of(seed, new_batch)
    covariates, sets = KINDS if kind != "genes" else {}, gene_sets(folder) if kind == "gene sets" else None
    learned = preprocessing.Preprocessing()
    learned.fit(data, expression_of(method, correction), "counts", SETTINGS, covariates, sets)
    back = stored(learned, folder)
    shown = data.expression(data.test, learned, unseen=unseen)
    assert_array_equal(data.expression(data.test, back, unseen=unseen), shown)
    assert back.names == learned.names and shown.shape == (len(data.test), len(back.names))
    assert back.covariates == list(covariates)

    model = models.make("logistic_l2", inner_folds=0, search={"C_times_genes": [1.0]})
    pipeline.train(model, data, back, SETTINGS, 1, log=lambda *_: None)
    model.save(folder / "model")
    features = folder / FILES["features"] if learned.features else None
    facts = {"classes": {"a": 10, "b": 10}, "batch_correction": correction}
    parts = [folder / FILES[name] for name in ("normalizer", "batch_model")]
    bundle.assemble(folder / "bundle", *parts, folder / "model", facts, features)
    serve = bundle.Bundle(folder / "bundle")
    cells = data.covariates(data.test)
    given_out = serve.predict(
        data.test, data.counts(data.test), data.cohort.genes, data.batches(data.test), unseen, cells
    )
    assert_array_equal(serve.preprocessing.transform(data.counts(data.test), data.batches(data.test), cells, unseen), shown)  # fmt: skip
    expected = model.predict_proba(shown)
    assert np.allclose(given_out[["prob_a", "prob_b"]].to_numpy(), expected, rtol=0, atol=1e-6)


def test_the_steps_one_by_one_are_the_fit_as_a_whole(tmp_path):
    """The rules fit normalizer, batch model and features in jobs of their own, each from the files of those before."""
    data, expression = split_of(4), expression_of("tmm", "combat")
    whole = preprocessing.Preprocessing().fit(data, expression, "counts", SETTINGS, KINDS)
    paths = {name: tmp_path / file for name, file in FILES.items()}
    methods.fit(data, expression, "counts").save(paths["normalizer"])
    second = preprocessing.load(paths["normalizer"]).fit_batch_model(data, expression)
    second.save(batch_model=paths["batch_model"])
    assert second.names == whole.normalizer.genes_  # as long as there are no features
    third = preprocessing.load(paths["normalizer"], paths["batch_model"])
    third.fit_features(data, SETTINGS, KINDS).save(features=paths["features"])
    (tmp_path / "whole").mkdir()
    stored(whole, tmp_path / "whole")
    for file in FILES.values():
        assert (tmp_path / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_held_out_samples_reach_nothing_that_is_learned(tmp_path):
    data, changed = split_of(7), split_of(7)
    changed.cohort.counts[TRAINED:] = 9 * changed.cohort.counts[TRAINED:][:, ::-1] + 5
    for number, each in enumerate((data, changed)):
        (tmp_path / str(number)).mkdir()
        learned = preprocessing.Preprocessing()
        stored(learned.fit(each, expression_of("deseq2", "limma"), "counts", SETTINGS, KINDS), tmp_path / str(number))  # fmt: skip
    for file in FILES.values():
        assert (tmp_path / "0" / file).read_bytes() == (tmp_path / "1" / file).read_bytes()


def test_parts_that_are_mixed_up_damaged_or_of_other_genes_are_refused_by_name(tmp_path):
    data = split_of(1)
    learned = preprocessing.Preprocessing().fit(data, expression_of("cpm", "none"), "counts", SETTINGS, KINDS)
    stored(learned, tmp_path)
    normalizer, batch_model, features = (tmp_path / file for file in FILES.values())
    with pytest.raises(InputProblem, match=r"batch_model\.safetensors holds a 'batch_model', not a 'normalizer'"):  # fmt: skip
        preprocessing.load(batch_model)
    with pytest.raises(InputProblem, match=r"normalizer\.safetensors holds a 'normalizer', not a 'features'"):
        preprocessing.load(normalizer, batch_model, normalizer)
    with pytest.raises(InputProblem, match="the normalizer expects 60 genes, the samples have 59"):
        learned.transform(data.counts(data.test)[:, 1:], data.batches(data.test), data.covariates(data.test))
    with pytest.raises(InputProblem, match="8 samples have 7 batch names"):
        learned.transform(data.counts(data.test), data.batches(data.test)[1:], data.covariates(data.test))
    batch_model.write_bytes(batch_model.read_bytes()[:40])
    with pytest.raises(InputProblem, match=r"batch_model\.safetensors is not a readable rna2model artefact"):
        preprocessing.load(normalizer, batch_model, features)


def test_the_steps_and_their_order_stand_in_one_module():
    """Nobody else takes normalised samples on to a batch model, or corrected ones to features."""
    chained = re.compile(r"(batch_model|features)\.transform\(")
    library = REPOSITORY / "scripts"
    assert [path.name for path in library.rglob("*.py") if chained.search(path.read_text())] == [
        "preprocessing.py"
    ]
