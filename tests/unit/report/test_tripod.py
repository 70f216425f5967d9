"""The checklist has the run's numbers, leaves to the authors what is theirs, and the page says the same."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from rna2model.report import page as report
from rna2model.report import tripod
from rna2model.report.run_data import table
from tests.finished import Finished


def facts(run):
    """What scripts/tripod.py reads."""
    shipped = run.config["shipped_model"]

    def numbers(name):
        return pd.read_csv(run.folder / name, sep="\t")

    manifest = json.loads((run.folder / "bundle/manifest.json").read_text())
    classes = {"case": 12, "control": 12} if run.task == "classification" else {}
    manifest |= {"model": shipped, "training": {"n": run.n}, "classes": classes}
    return {
        "config": run.config,
        "models": run.models,
        "manifest": manifest,
        "metrics": json.loads((run.folder / f"models/{shipped}/metrics.json").read_text()),
        "dummy": json.loads((run.folder / "models/dummy/metrics.json").read_text()),
        "samples": table(run.folder / "samples.tsv"),
        "versions": None,
        "adequacy": numbers("models/adequacy.tsv"),
        "differences": numbers("models/differences.tsv"),
        "subgroups": numbers(f"models/{shipped}/subgroups.tsv").fillna({"note": ""}),
    }


@pytest.mark.parametrize("task", ["classification", "regression", "survival"])
def test_every_item_is_filled_in_or_left_to_the_authors(task, tmp_path):
    run = Finished(tmp_path, task).write()
    checklist = tripod.items(facts(run))
    assert (
        len(checklist) == 52
        and checklist["item"].is_unique
        and (checklist["content"].str.strip() != "").all()
    )
    items = checklist.set_index("item")["content"]
    assert items["17"] == items["18a"] == tripod.AUTHOR
    text = tripod.markdown(facts(run))
    assert text.count("\n| ") == 54 and "nan" not in text and "None:" not in text.replace("| None: both", "")


def test_the_numbers_are_those_of_the_files(tmp_path):
    run = Finished(tmp_path).write()
    run_facts = facts(run)
    items = tripod.items(run_facts).set_index("item")["content"]
    value = run_facts["metrics"]["auroc"]
    assert f"AUROC {value['estimate']:.3f} (95 % interval " in items["23a"]
    sensitivity = run_facts["metrics"]["sensitivity"]
    ends = f"{sensitivity['lower_corrected']:.3f} to {sensitivity['upper_corrected']:.3f}, corrected"
    assert f"sensitivity {sensitivity['estimate']:.3f} (95 % interval {ends}" in items["23a"]
    assert "batch b1" in items["23a"] and "Scores were computed by batch" in items["14"]
    assert "27 samples in the sheet, 26 included, 24 with a known outcome" in items["20a"]
    assert "120 candidate parameters, 24 independent samples (12 events, 0.1 per candidate)" in items["10"]
    assert re.search(r"would need [\d,]+ \(Riley", items["10"])


def test_the_page_says_which_intervals_these_are_and_what_chance_makes_of_many_comparisons(tmp_path):
    run = Finished(tmp_path).write()
    page = report.render(tmp_path, run.config, run.models)
    statistics = report.read(tmp_path, run.config, run.models)["statistics"]
    n = pd.read_csv(tmp_path / "models/differences.tsv", sep="\t")["comparisons"].iloc[0]
    assert f"There are {n} comparisons" in page and f"{0.05 / n:.2g}" in statistics["comparisons"]
    assert "without training again" in page and "Is the cohort large enough?" in page
    groups = statistics["subgroups"]
    assert groups["level"].tolist() == ["b1", "b2"] and groups["samples"].sum() == 24
    assert groups["note"].str.startswith("few").all() and "– to –" not in page
    made = report.registry.make(report.read(tmp_path, run.config, run.models), run.config)
    for name in ("calibration", "decision"):
        traces = next(iter(made[name]["choices"].values()))
        (band,) = [trace for trace in traces if trace.get("fill")]
        assert len(band["x"]) == len(band["y"]) > 20 and np.isfinite(np.array(band["y"], dtype=float)).all()
