"""The frontier of a panel: scores of each size, what the inner folds said, and the sentence of the report."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rna2model.evaluation import frontier
from rna2model.report.figures import frontier as figure


def predictions(right, n=40):
    """Out-of-fold predictions of two folds, of which the share `right` is right."""
    y = np.arange(n) % 2
    good = np.arange(n) // 2 % 10 < 10 * right
    p = np.where(good, y, 1 - y) * 0.6 + 0.2
    table = pd.DataFrame(
        {"sample": [f"s{i:02}" for i in range(n)], "split": np.where(np.arange(n) < n // 2, "r1f1", "r1f2")}
    )
    table["truth"], table["predicted"] = np.array(["a", "b"])[y], np.array(["a", "b"])[(p > 0.5).astype(int)]
    return table.assign(prob_a=1 - p, prob_b=p)


def model(size):
    text = [
        {"size": 5, "balanced_accuracy": 0.78, "se": 0.05},
        {"size": 20, "balanced_accuracy": 0.8, "se": 0.15},
    ]
    panels = {number: SimpleNamespace(genes=np.arange(number)) for number in (5, 20)}
    return SimpleNamespace(size_=size, settings_={"frontier": text}, panels_=panels)


def test_the_frontier_has_the_score_of_each_size_and_says_which_is_used():
    parts = {5: predictions(0.8), 20: predictions(0.9)}
    table = frontier.table(parts, model(5), [model(5), model(20)], ["balanced_accuracy", "auroc"], seed=1)
    assert list(table.columns) == frontier.COLUMNS
    own = table[table["metric"] == "balanced_accuracy"].set_index("size")
    assert own["estimate"].tolist() == pytest.approx([0.8, 0.9])
    assert (own["lower"] < own["estimate"]).all() and (own["upper"] > own["estimate"]).all()
    assert own.loc[20, ["inner", "inner_lower", "inner_upper"]].tolist() == pytest.approx(
        [0.8, 0.506, 1.0], abs=1e-3
    )
    assert own["folds_chosen"].tolist() == [0.5, 0.5] and own["shipped"].tolist() == [True, False]
    assert own["genes"].tolist() == [5, 20]
    assert table[table["metric"] == "auroc"]["inner"].isna().all()
    text = figure.sentence(table)
    assert (
        text.startswith("The panel of at most 5 genes is used: balanced accuracy 0.800")
        and "with 20 it is 0.900" in text
    )
    drawn = figure.frontier({"frontier": table})
    assert [list(traces[0]["x"]) for traces in drawn["choices"].values()] == [[5, 20], [5, 20]]
    assert figure.frontier({"frontier": None}) is None and figure.sentence(None) == ""
