"""Faults of a bundle, and of the samples it is to predict. Nothing that a bundle holds is ever run."""

import gzip
import shutil

import numpy as np
import pytest
import yaml

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.inputs import config
from rna2model.planning import predict_run, preflight
from rna2model.reference import fingerprint
from rna2model.serving import bundle, reference_panel
from tests.faults.case import ACCEPTED, NOTED, REFUSED
from tests.faults.catalogue import AREAS
from tests.faults.catalogue.bundles import Served
from tests.faults.catalogue.serving import PredictRequest
from tests.faults.conftest import parameters
from tests.faults.project import FASTA

GENES = [f"g{i:02}" for i in range(80)]
LABELS = np.tile(["case", "control"], 12)
BATCHES = np.repeat(["x", "y"], 12)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(5)
    means = rng.lognormal(5, 1, 80) * np.where(
        LABELS[:, None] == "case", np.r_[np.full(8, 4.0), np.ones(72)], 1
    )
    return rng.poisson(means).astype(float)


@pytest.fixture(scope="module")
def made(counts, tmp_path_factory):
    """A bundle fitted on 24 samples."""
    folder = tmp_path_factory.mktemp("bundle")
    normalizer = methods.make("tmm", GENES).fit(counts, groups=LABELS)
    normalizer.save(folder / "n")
    expression = normalizer.transform(counts)
    correction = registry.make("combat").fit(expression, BATCHES)
    correction.save(folder / "b")
    model = models.make("logistic_l2", inner_folds=3)
    model.fit(correction.transform(expression, BATCHES), LABELS, log=lambda *_: None).save(folder / "m")
    facts = {"model": "logistic_l2", "batch_correction": "combat", "classes": {"case": 12, "control": 12}}
    kept = reference_panel.Panel().fit(correction.transform(expression, BATCHES))
    bundle.assemble(folder / "bundle", folder / "n", folder / "b", folder / "m", facts, kept=kept)
    return folder / "bundle"


def predictions(served):
    return bundle.Bundle(served.folder).predict(
        served.samples, served.counts, served.genes, served.batches, unseen=served.unseen
    )


@pytest.fixture
def served(made, counts, tmp_path):
    shutil.copytree(made, tmp_path / "bundle")
    return Served(
        tmp_path / "bundle", counts[:4].copy(), list(GENES), BATCHES[:4].astype(object), tmp_path / "CANARY"
    )


@pytest.mark.parametrize("case", parameters(AREAS["bundle"]))
def test_what_the_bundle_says(case, served, made, counts):
    sound = bundle.Bundle(made).predict(served.samples, counts[:4], GENES, BATCHES[:4])
    case.inject(served)
    if case.outcome == REFUSED:
        with pytest.raises(InputProblem, match=None) as raised:
            predictions(served)
        assert case.message in str(raised.value)
    else:
        table = predictions(served)
        assert any(case.message in flag for flag in table["flags"])
        assert list(table["sample"]) == served.samples
        if case.outcome == ACCEPTED:
            assert table.equals(sound)
        if case.outcome == NOTED:
            refused = table["flags"].str.contains("not predicted:")
            assert (np.isfinite(table["prob_case"]) != refused).all()
    assert not served.canary.exists()  # a pickle that was offered has not been run


@pytest.fixture(scope="module")
def of_a_matrix(made, tmp_path_factory):
    """A bundle that says what its model predicts, as those of a run do."""
    facts = {"model": "logistic_l2", "counts_unit": "counts", "classes": {"case": 12, "control": 12}}
    full = config.complete({"counts": "m.tsv"})[0]
    facts |= {name: full[name] for name in ("design", "expression")}
    folder = tmp_path_factory.mktemp("of_a_matrix")
    parts = made / "normalizer.safetensors", made / "batch_model.safetensors", made / "model"
    bundle.assemble(folder / "bundle", *parts, facts)
    return folder / "bundle"


@pytest.mark.parametrize("case", parameters(AREAS["serving"]))
def test_what_make_predict_says(case, of_a_matrix, tmp_path):
    requested = PredictRequest(tmp_path, of_a_matrix)
    case.inject(requested)
    try:
        request = predict_run.look(**requested.options)  # as scripts/serve.py does
        folder, path = predict_run.write(request, predict_run.begin(request.results))
        _, samples, problems = preflight.check(yaml.safe_load(path.read_text()), [folder], thorough=True)
        message = "\n".join(problems)
    except InputProblem as problem:
        message = str(problem)
    if case.outcome == REFUSED:
        assert case.message in message, message
    else:
        assert message == "" and len(samples) == 12
    assert not list(tmp_path.rglob("CANARY"))


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b[:40] + b"\xff" * 20 + b[60:], lambda b: b[:9] + b"x" * 99]
)
@pytest.mark.parametrize("reader", [fingerprint.unpacked, fingerprint.genome])
def test_a_damaged_reference_is_told_when_it_is_compared_with_the_bundles(reader, damage, tmp_path):
    (tmp_path / "genome.fa.gz").write_bytes(damage(gzip.compress(FASTA.encode() * 9)))
    with pytest.raises(InputProblem, match="cannot be read to its end"):
        reader(tmp_path / "genome.fa.gz")


def test_a_genome_with_names_in_another_encoding_is_compared_all_the_same(tmp_path):
    (tmp_path / "genome.fa").write_bytes(">\xe9\nACGT\n".encode("latin-1"))
    assert fingerprint.genome(tmp_path / "genome.fa")[1] == {"\ufffd": 4}
