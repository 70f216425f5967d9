"""Numbers and survival: neither the genes nor the outcome of a held-out sample reaches what is fitted for its split."""

import numpy as np
import pandas as pd
import pytest

from rna2model import models
from rna2model.cohort import cohort, outcome, splits
from rna2model.evaluation import predictions
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.training import preprocessing, split_data

DESIGNS = {
    "regression": {"task": "regression", "target": "age", "batch": "run", "group": None},
    "survival": {"task": "survival", "time": "months", "event": "died", "target": "", "batch": "run", "group": None},
}  # fmt: skip
OUTSIDE = {"s22", "s23"}  # a fixed hold-out


def write_cohort(folder, counts, months, died):
    """training.h5ad and manifest.tsv of 24 samples in two runs, folds by name so that no outcome moves a sample."""
    names = [f"s{i:02}" for i in range(24)]
    metadata = {
        name: {"run": "xy"[i // 2 % 2], "age": str(m), "months": str(m), "died": d}
        for i, (name, m, d) in enumerate(zip(names, months, died, strict=True))
    }
    genes = pd.DataFrame(index=pd.Index([f"g{i}" for i in range(counts.shape[1])], name="gene_id"))
    cohort.build(counts.astype(np.int64), names, genes, metadata).write_h5ad(folder / "training.h5ad")
    trained = [name for name in names if name not in OUTSIDE]
    manifest = splits.make(trained, ["all"] * 22, folds=3, needed=(), holdout=sorted(OUTSIDE))
    manifest.to_csv(folder / "manifest.tsv", sep="\t", index=False)


def run_split(folder, design, name, split):
    """Fit one split's artefacts and one model; returns ({file: bytes}, held-out samples with their predictions)."""
    data = split_data.read(folder / "training.h5ad", folder / "manifest.tsv", split, design)
    normalizer = methods.make("tmm", data.cohort.genes)
    normalizer.fit(data.counts(data.train), data.labels(data.train)).save(folder / "normalizer")
    expression = normalizer.transform(data.counts(data.train))
    registry.make("combat").fit(expression, data.batches(data.train)).save(folder / "batch_model")
    fitted = preprocessing.load(folder / "normalizer", folder / "batch_model")
    model = models.make(name, inner_folds=3, task=design["task"])
    model.fit(data.expression(data.train, fitted), data.outcome(data.train), log=lambda *_: None)
    model.save(folder / "model")
    files = [folder / "normalizer", folder / "batch_model", *sorted((folder / "model").iterdir())]
    shown, _ = outcome.times(data.outcome(data.full))
    table = predictions.table(data.test, model, data.expression(data.test, fitted), shown)
    return {path.name: path.read_bytes() for path in files}, table


@pytest.fixture
def noise():
    rng = np.random.default_rng(11)
    counts = rng.poisson(rng.lognormal(4, 1, 150), (24, 150))
    return counts, rng.exponential(20, 24).round(2) + 0.1, np.where(rng.random(24) < 0.7, "1", "0")


CASES = [
    ("regression", "ridge"),
    ("regression", "elastic_net"),
    ("survival", "cox_ridge"),
]


@pytest.mark.parametrize(("task", "name"), CASES)
@pytest.mark.parametrize("split", ["r1f1", "full"])
def test_held_out_genes_and_outcomes_leave_every_artefact_byte_identical(noise, tmp_path, task, name, split):
    counts, months, died = noise
    write_cohort(tmp_path, counts, months, died)
    before, table = run_split(tmp_path, DESIGNS[task], name, split)
    rows = [int(sample[1:]) for sample in table["sample"]]
    assert rows and (split != "full" or set(table["sample"]) == OUTSIDE)
    counts, months, died = counts.copy(), months.copy(), died.copy()
    counts[rows] *= 7
    months[rows], died[rows] = 500.0 + np.arange(len(rows)), "1"
    write_cohort(tmp_path, counts, months, died)
    after, _ = run_split(tmp_path, DESIGNS[task], name, split)
    assert before == after
