"""Labelled samples that a frozen bundle never saw are predicted and scored, for every task."""

import json

import numpy as np
import pytest

from rna2model import models
from rna2model.cohort import cohort, outcome
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.serving import bundle, manifest, predict

GENES = [f"g{i}" for i in range(60)]
TASKS = {"classification": "logistic_l2", "regression": "ridge", "survival": "cox_ridge"}


def make(n, seed, prefix):
    """A Cohort of n samples of n / 2 donors, whose expression says class, number and hazard."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.normal(size=n // 2), 2)
    means = np.random.default_rng(9).lognormal(5, 1, 60) * np.exp(
        np.outer(truth, np.r_[np.full(12, 0.8), np.zeros(48)])
    )
    time, end = rng.exponential(20 * np.exp(-2 * truth)) + 0.1, rng.uniform(10, 80, n)
    obs = {
        "condition": np.where(truth > 0, "high", "low").tolist(),
        "score": (10 + truth).round(3).astype(str).tolist(),
        "months": np.minimum(time, end).round(3).astype(str).tolist(),
        "died": np.where(time <= end, "1", "0").tolist(),
        "donor": [f"{prefix}d{i // 2}" for i in range(n)],
    }
    return cohort.Cohort(rng.poisson(means), [f"{prefix}{i}" for i in range(n)], GENES, None, obs)


def design_of(task):
    target = {"classification": "condition", "regression": "score", "survival": "unused"}[task]
    survival = {"time": "months", "event": "died"} if task == "survival" else {"time": None, "event": None}
    return {"task": task, "target": target, "group": "donor", "batch": None, "covariates": []} | survival


@pytest.fixture(params=TASKS)
def frozen(request, tmp_path):
    """(folder of a bundle for a task, its design, the folder of a new run)."""
    task, data = request.param, make(60, 1, "t")
    design = design_of(task)
    y = outcome.read(design, lambda column: data.column(column, data.samples))
    normalizer = methods.make("cpm", GENES, gene_filter="none").fit(data.counts)
    normalizer.save(tmp_path / "n")
    expression = normalizer.transform(data.counts)
    registry.make("none").fit(expression, [""] * 60).save(tmp_path / "b")
    model = models.make(TASKS[task], inner_folds=2, task=task)
    model.fit(expression, y, log=lambda *_: None).save(tmp_path / "m")
    facts = {"classes": {}, "counts_unit": "counts", "counting": None, "landmarks": outcome.times(y)[0]}
    facts["training"] = manifest.remember(data.samples, data.obs["donor"], data.counts, "salt")
    bundle.assemble(*(tmp_path / name for name in ("bundle", "n", "b", "m")), facts)
    matrix_facts = {"unit": "counts", "counting": None, "reference": None, "rrna_sha256": None}
    (tmp_path / "matrix.json").write_text(json.dumps(matrix_facts))
    return tmp_path, design


def test_external_samples_are_scored_and_those_of_training_left_out(frozen):
    folder, design = frozen
    new, old = make(40, 2, "e"), make(60, 1, "t")
    data = cohort.Cohort(
        np.vstack([new.counts, old.counts[:1], old.counts[1:2], new.counts[:1] + 1]),
        [*new.samples, "t0", "copy", "relative"],
        GENES,
        None,
        {name: [*cells, *old.obs[name][:2], cells[0]] for name, cells in new.obs.items()},
    )
    data.obs["donor"][40:] = ["td0", "other", "td5"]
    names, left_out = predict.unknown(folder / "bundle", data, design)
    assert names == new.samples and left_out == {
        "t0": "a sample of this name was in training",
        "copy": "a sample with the same counts was in training",
        "relative": "other samples of 'td5' were in training",
    }
    status = folder / "samples.tsv"
    status.write_text("sample\tstrandedness\n" + "".join(f"{name}\t\n" for name in data.samples))
    arguments = folder / "bundle", data, names, folder / "matrix.json", status, design
    table = predict.predict(*arguments, unseen="uncorrected", aligned=names)
    assert set(table["flags"]) == {""} and set(table["batch_policy"]) == {"no correction"}
    table, scores = predict.validate(table, data, names, design, seed=1)
    main = {"classification": "balanced_accuracy", "regression": "r2", "survival": "harrell_c"}[
        design["task"]
    ]
    assert list(table["sample"]) == names and set(table["split"]) == {"external"}
    assert scores[main]["n"] == 40 and 0.6 < scores[main]["lower"] <= scores[main]["estimate"]


def test_nobody_left_gives_an_empty_report(frozen):
    folder, design = frozen
    data = make(60, 1, "t")
    names, left_out = predict.unknown(folder / "bundle", data, design)
    assert names == [] and len(left_out) == 60
