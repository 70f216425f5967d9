"""signature.tsv and signature.json alone give the bundle's predictions: computed here by hand, as their formula says."""

import csv
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import cohort
from rna2model.serving import bundle, manifest, signature
from rna2model.training import pipeline, preprocessing, split_data
from tests.unit.training import test_preprocessing as shared

DESIGN = shared.DESIGN | {"covariates": []}
SEARCH = {"ktsp": {"pairs": [3]}, "panel": {"size": [5], "C": [1.0]}}


def split_of(K, unequal=False):
    """Forty samples of K classes, of which each has ten genes of its own that are higher."""
    rng = np.random.default_rng(K)
    y = np.arange(40) % K
    if unequal:
        y[: 40 // 3] = 0
    counts = rng.poisson(rng.lognormal(3, 1, 60) * rng.lognormal(0, 0.5, (40, 1))) + rng.poisson(
        0.5, (40, 60)
    )
    for k in range(K):
        counts[y == k, 10 * k : 10 * k + 10] = counts[y == k, 10 * k : 10 * k + 10] * 2
    names = [f"s{i:02}" for i in range(40)]
    obs = {"condition": np.array(["amber", "blue", "coral"])[y].tolist(), "run": ["x", "x", "y", "y"] * 10}
    genes = [f"g{i}" for i in range(60)]
    data = cohort.Cohort(counts, names, genes, np.linspace(300, 3000, 60), obs, [f"S{i}" for i in range(60)])
    return split_data.SplitData(data, names[:30], names[30:], names[:30], DESIGN)


def bundled(data, folder, name, **options):
    """The bundle and its folder, with the files of the signature."""
    fitted = preprocessing.Preprocessing().fit(
        data, shared.expression_of("tmm", "combat"), "counts", shared.SETTINGS
    )
    model = models.make(name, inner_folds=3, search=SEARCH.get(name), **options)
    pipeline.train(model, data, fitted, shared.SETTINGS, 1, log=lambda *_: None)
    fitted.save(folder / "n", folder / "b")
    model.save(folder / "m")
    facts = {
        "model": name,
        "target": "condition",
        "counts_unit": "counts",
        "counting": None,
        "classes": {"amber": 20, "blue": 20},
    }
    facts |= {"normalization": "tmm", "batch_correction": "combat"}
    facts["training"] = manifest.remember(data.train, None, data.counts(data.train), "salt")
    made = signature.make(model, fitted.shown_to(model), data.cohort.symbol_of, facts)
    bundle.assemble(folder / "bundle", folder / "n", folder / "b", folder / "m", facts, formula=made)
    return bundle.Bundle(folder / "bundle"), folder / "bundle"


def by_hand(folder, values):
    """{class: probability} and the class predicted for one sample, {gene: value}, from the two files alone."""
    described = json.loads((folder / "signature.json").read_text())
    rows = list(csv.DictReader((folder / "signature.tsv").open(), delimiter="\t"))
    sums = dict.fromkeys(described["offsets"], 0.0)
    if described["kind"] == "pairs":
        for row in rows:
            a, b = values[row["gene"]], values[row["against"]]
            sums[row["class"]] += float(row["weight"]) * (int(a > b) - int(a < b))
    else:
        logs = (
            values
            if described["kind"] == "linear"
            else {gene: math.log2(v + 0.5) for gene, v in values.items()}
        )
        references = [logs[row["gene"]] for row in rows if row["role"] == "reference"]
        middle = sum(references) / len(references) if references else 0.0
        for row in rows:
            if row["role"] == "gene":
                sums[row["class"]] += float(row["weight"]) * (logs[row["gene"]] - middle)
    logits = dict.fromkeys(described["classes"], 0.0)
    logits |= {name: described["slope"] * total + described["offsets"][name] for name, total in sums.items()}
    raised = {name: math.exp(logit) for name, logit in logits.items()}
    p = {name: value / sum(raised.values()) for name, value in raised.items()}
    if described["prevalence"]:
        scaled = {
            name: p[name] * factor
            for name, factor in zip(described["classes"], described["prevalence"], strict=True)
        }
        p = {name: value / sum(scaled.values()) for name, value in scaled.items()}
    last = described["classes"][-1]
    if described["calibrator"] and described["calibrator"]["kind"] == "sigmoid":
        logit = (
            described["calibrator"]["slope"] * math.log(p[last] / (1 - p[last]))
            + described["calibrator"]["offsets"][0]
        )
        p[last] = 1 / (1 + math.exp(-logit))
        p[described["classes"][0]] = 1 - p[last]
    if described["calibrator"] and described["calibrator"]["kind"] == "isotonic":
        p[last] = float(np.interp(p[last], *described["calibrator"]["lines"][0]))
        p[described["classes"][0]] = 1 - p[last]
    if described["threshold"] is not None:
        return p, last if p[last] > described["threshold"] else described["classes"][0]
    return p, max(p, key=p.get)


CASES = [
    *((name, K, {}) for name in ("ktsp", "panel", "logistic_l2", "linear_svm") for K in (2, 3)),
    *(
        (name, 2, {"imbalance": "class_weights", "calibration": "sigmoid", "threshold": "tuned"})
        for name in ("ktsp", "panel")
    ),
    ("panel", 2, {"calibration": "isotonic"}),
    ("lasso", 2, {}),
]


@pytest.mark.parametrize(("name", "K", "options"), CASES)
def test_a_prediction_by_hand_is_that_of_the_bundle(name, K, options, tmp_path):
    data = split_of(K, unequal=bool(options))
    serve, folder = bundled(data, tmp_path, name, **options)
    counts = data.counts(data.test).astype(float)
    table = serve.predict(data.test, counts, data.cohort.genes, data.batches(data.test))
    kind = json.loads((folder / "signature.json").read_text())["kind"]
    if kind == "linear":  # of expression as the bundle makes it
        seen = serve.preprocessing.transform(counts, data.batches(data.test))
        rows_by_gene = [dict(zip(serve.preprocessing.names, row, strict=True)) for row in seen]
    else:
        rows_by_gene = [dict(zip(data.cohort.genes, row, strict=True)) for row in counts]
    for row, values in enumerate(rows_by_gene):
        p, predicted = by_hand(folder, values)
        for label, probability in p.items():
            assert probability == pytest.approx(table[f"prob_{label}"][row], abs=2e-6)
        assert predicted == table["predicted"][row]


def test_the_files_name_what_to_measure_and_are_sealed(tmp_path):
    serve, folder = bundled(split_of(2), tmp_path, "panel")
    described = json.loads((folder / "signature.json").read_text())
    rows = list(csv.DictReader((folder / "signature.tsv").open(), delimiter="\t"))
    assert (
        sorted(described["genes"]) == sorted(row["gene"] for row in rows)
        and len(described["references"]) == 5
    )
    assert (
        described["measure"]["n_genes"] == len(described["genes"]) <= 10
        and "log2(count + 0.5)" in described["formula"]
    )
    assert all(row["symbol"] == row["gene"].replace("g", "S") for row in rows)
    assert {signature.TABLE, signature.FORMULA} <= set(serve.manifest["files"])
    (folder / "signature.json").write_text("{}")
    with pytest.raises(bundle.InputProblem, match=r"signature\.json is missing or differs"):
        bundle.Bundle(folder)


def test_a_model_without_a_formula_leaves_no_files_of_an_earlier_one(tmp_path):
    data = split_of(2)
    bundled(data, tmp_path, "ktsp")
    _, folder = bundled(data, tmp_path, "knn")
    assert not (folder / "signature.tsv").exists() and not (folder / "signature.json").exists()


def test_every_registered_signature_has_one():
    for name in models.NAMES:
        kind = models.class_of(name, "classification")
        own = kind.signature is not models.class_of("dummy", "classification").signature
        assert own == (name in models.SIGNATURES | {"clinical", "genes_only"}), name


def test_a_model_that_sees_covariates_too_has_none():
    data = split_of(2)
    model = models.make("lasso", inner_folds=3).fit(
        data.counts(data.train).astype(float), data.outcome(data.train), log=lambda *_: None
    )
    genes_alone = SimpleNamespace(names=data.cohort.genes[:-2])  # the model's last two columns are covariates
    assert signature.make(model, genes_alone, {}, {}) is None
