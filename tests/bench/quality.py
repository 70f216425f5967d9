"""Is logistic_l2 as good as what an analyst would write? Published sets, the same outer and inner folds, groups kept whole.

    python tests/bench/quality.py [--data ../shared/data/matrices] [--repeats 2] [--only SET ...]

ours     TMM (counts) or the given logarithms, filter and scale fitted per fold, logistic_l2 with its own tuning
plain    log2 CPM (counts) or the given logarithms, the 2,000 genes that vary most among the training rows, standardised, then
         scikit-learn's LogisticRegression, C tuned by log loss on the same inner folds, all of it inside the Pipeline
dummy    the commonest class

Printed is the balanced accuracy of each, and the paired difference ours - plain with its 95 % interval (the same resamples of
groups for both). Wanted: no interval entirely below 0, and a mean difference over all rows of at least -0.005.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import linear_model, model_selection, pipeline, preprocessing

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from rna2model import models
from rna2model.cohort import splits
from rna2model.evaluation import classification
from rna2model.expression.normalization import methods

ROOT = Path(__file__).resolve().parents[2]
METRIC, LEAST_MEAN = "balanced_accuracy", -0.005
GENES, CS = 2000, np.logspace(-5, 2, 8)


class Set(NamedTuple):
    """One row of the table: the folder, what is predicted, who stays together, and what its values are."""

    folder: str
    label: str = "label"
    group: str | None = None
    unit: str = "counts"
    folds: int = 5

    @property
    def name(self):
        return f"{self.folder} by {self.group}" if self.group else self.folder


SETS = [
    Set("airway", group="cell", folds=4),
    Set("pasilla", folds=3),
    Set("cervical_mirna", group="pair"),
    Set("hapmap_tsi_gender"),
    Set("bladderbatch", unit="log"),
    Set("ecoli_precise", label="Evolved Sample", unit="log"),
    Set("ecoli_precise", label="Evolved Sample", group="Study", unit="log"),
]


class MostVariable(preprocessing.FunctionTransformer):
    """The GENES columns of the largest variance among the rows that are fitted."""

    def fit(self, X, y=None):
        self.columns_ = np.sort(np.argsort(-X.var(axis=0), kind="stable")[:GENES])
        return self

    def transform(self, X):
        return X[:, self.columns_]


class Data:
    """Values (n, p), labels, groups and folds of one Set; of samples with the same values the first is kept."""

    def __init__(self, folder, options, repeats):
        sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
        table = pd.read_csv(folder / "counts.tsv.gz", sep="\t", index_col=0)[sheet["sample"]]
        first = ~table.T.duplicated().to_numpy()
        sheet, self.unit = sheet[first], options.unit
        self.values, self.genes = table.to_numpy(float).T[first], list(table.index.astype(str))
        self.samples, y = list(sheet["sample"]), sheet[options.label].to_numpy(dtype=str)
        self.y = np.where(y == "No", "No", "Yes") if options.label == "Evolved Sample" else y
        self.groups = sheet[options.group].to_numpy(dtype=str) if options.group else None
        self.manifest = splits.make(
            self.samples, self.y, groups=self.groups, folds=options.folds, repeats=repeats, seed=1
        )
        self.splits = [name for name in splits.names(options.folds, repeats) if name != splits.FULL]

    def rows(self, split):
        """(rows trained on, rows tested)."""
        place = {name: row for row, name in enumerate(self.samples)}
        return [
            np.array([place[name] for name in names])
            for names in (
                splits.training_samples(self.manifest, split, self.samples),
                splits.test_samples(self.manifest, split),
            )
        ]

    def of(self, rows):
        """(labels, groups) of rows."""
        return self.y[rows], None if self.groups is None else self.groups[rows]


def table_of(data, split, test, classes, probabilities):
    """The table of predictions of one split."""
    frame = pd.DataFrame({"sample": np.array(data.samples)[test], "split": split, "truth": data.y[test]})
    frame["predicted"] = np.array(classes)[probabilities.argmax(axis=1)]
    return frame.assign(**{f"prob_{name}": probabilities[:, k] for k, name in enumerate(classes)})


def ours(data, split, name="logistic_l2"):
    """Out-of-fold predictions as the workflow makes them."""
    train, test = data.rows(split)
    y, groups = data.of(train)
    method = "none" if data.unit == "log" else "tmm"
    normalizer = methods.make(method, data.genes, unit=data.unit).fit(data.values[train], groups=y)
    model = models.make(name).fit(
        normalizer.transform(data.values[train]), y, groups=groups, log=lambda *_: None
    )
    return table_of(
        data, split, test, model.classes_, model.predict_proba(normalizer.transform(data.values[test]))
    )


def plain(data, split):
    """The same by scikit-learn, on the same rows."""
    train, test = data.rows(split)
    y, groups = data.of(train)
    X = data.values
    if data.unit == "counts":
        X = np.log2((X + 0.5) / (X.sum(axis=1, keepdims=True) + 1) * 1e6)
    steps = pipeline.make_pipeline(
        MostVariable(),
        preprocessing.StandardScaler(),
        linear_model.LogisticRegression(C=1 / GENES, max_iter=2000),
    )
    inner = splits.inner(y, groups, 5, 1)
    if inner:
        grid = {"logisticregression__C": CS}
        steps = model_selection.GridSearchCV(steps, grid, scoring="neg_log_loss", cv=inner)
    steps.fit(X[train], y)
    return table_of(data, split, test, steps.classes_, steps.predict_proba(X[test]))


def compare(data):
    """{column: value} of one row of the table."""
    kinds = {"ours": ours, "plain": plain, "dummy": lambda *given: ours(*given, name="dummy")}
    tables = {
        kind: pd.concat([predict(data, split) for split in data.splits], ignore_index=True)
        for kind, predict in kinds.items()
    }
    groups = None if data.groups is None else dict(zip(data.samples, data.groups, strict=True))
    results = {
        kind: classification.metrics(table, groups=groups)[METRIC]["estimate"]
        for kind, table in tables.items()
    }
    difference = classification.paired_difference(tables["ours"], tables["plain"], METRIC, groups=groups)
    return {
        "n": len(data.samples),
        **results,
        **{key: difference[key] for key in ("estimate", "lower", "upper")},
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "matrices")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="names of sets")
    options = parser.parse_args()
    if not options.data.is_dir():
        return print(f"quality: left out, the published sets are not at {options.data}")
    rows = {}
    for one in SETS:
        if options.only and one.folder not in options.only:
            continue
        if not (options.data / one.folder / "counts.tsv.gz").is_file():
            print(f"quality: {one.folder} left out, it is not in {options.data}")
            continue
        rows[one.name] = compare(Data(options.data / one.folder, one, options.repeats))
        print(".", end="", flush=True)
    table = pd.DataFrame(rows).T.astype({"n": int})
    print(
        f"\n{METRIC}, {options.repeats} repeats; estimate, lower, upper: ours - plain, paired\n\n{table.round(3).to_string()}"
    )
    mean = table["estimate"].mean()
    worse = list(table.index[table["upper"] < 0])
    print(
        f"\nmean difference {mean:+.4f} (limit {LEAST_MEAN}); worse beyond chance: {', '.join(worse) or 'none'}"
    )


if __name__ == "__main__":
    main()
