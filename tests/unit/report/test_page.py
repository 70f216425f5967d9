"""The report: complete, self-contained, and safe whatever the sheet holds."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from rna2model.inputs import config as configuration
from rna2model.report import page as report
from rna2model.report.figures import cohort

MODELS = ["logistic_l2", "dummy"]
EVIL = "</script><script>alert(1)</script>"


@pytest.fixture
def made(tmp_path):
    """A made-up finished run of `n` samples with `classes`; returns its folder and config."""

    def make(n=12, classes=("case", "control"), reads=True, new=1, note="x"):
        rng = np.random.default_rng(0)
        names = [f"s{i:03}" for i in range(n + new)]
        labels = [classes[i % len(classes)] for i in range(n)] + [""] * new
        samples = pd.DataFrame({"sample": names, "status": "included", "reason": ""})
        if reads:
            samples = samples.assign(reads=1000, mapped_pct=99.0, assigned_pct=80.5, strandedness="reverse")
        samples = samples.assign(
            flags="",
            condition=labels,
            batch=["b1", "b2"] * (len(names) // 2) + ["b1"] * (len(names) % 2),
            note=note,
        )
        samples.loc[len(names)] = {
            "sample": "lost",
            "status": "excluded",
            "reason": f"truncated {EVIL}",
            "condition": classes[0],
        }
        for folder in ("expression", "bundle", *(f"models/{m}" for m in MODELS)):
            (tmp_path / folder).mkdir(parents=True)
        samples.fillna("").to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
        points = [
            {
                "view": v,
                "sample": s,
                "PC1": rng.normal(),
                "pc1_pct": 40.0,
                "PC2": rng.normal(),
                "pc2_pct": 20.0,
            }
            for v in ("normalized", "batch_corrected")
            for s in names
        ]
        pd.DataFrame(points).to_csv(tmp_path / "expression/pca.tsv", sep="\t", index=False)
        for model in MODELS:
            probability = rng.dirichlet(np.ones(len(classes)), n)
            table = pd.DataFrame(
                {
                    "sample": names[:n],
                    "split": [f"r1f{i // len(classes) % 2 + 1}" for i in range(n)],
                    "truth": labels[:n],
                }
            )
            table["predicted"] = np.array(classes)[probability.argmax(axis=1)]
            for k, name in enumerate(classes):
                table[f"prob_{name}"] = probability[:, k]
            table.to_csv(tmp_path / f"models/{model}/predictions.tsv", sep="\t", index=False)
            values = {"estimate": 0.5, "lower": 0.3, "upper": 0.7, "n": n}
            (tmp_path / f"models/{model}/metrics.json").write_text(
                json.dumps({"balanced_accuracy": values, "auroc": values | {"estimate": None}})
            )
        if new:
            pd.DataFrame({"sample": names[n:], "predicted": classes[0], "flags": EVIL}).to_csv(
                tmp_path / "predictions.tsv", sep="\t", index=False
            )
        manifest = {
            "rna2model": "0",
            "counting": None,
            "counts_unit": "counts",
            "normalization": "tmm",
            "batch_correction": "none",
            "libraries": {},
        }
        (tmp_path / "bundle/manifest.json").write_text(json.dumps(manifest))
        full, _ = configuration.complete({"models": MODELS, "design": {"batch": "batch"}})
        full["models"] = MODELS
        return tmp_path, full

    return make


def test_every_section_is_there_and_nothing_comes_from_the_network(made):
    page = report.render(*made(), MODELS)
    for section in ("warnings", "flow", "quality", "pca", "comparison", "curves", "new", "methods"):
        assert f'<section id="{section}">' in page
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']https?:", page)
    assert len(page) < 8e6


def test_cells_of_the_sheet_cannot_become_markup(made):
    page = report.render(*made(note=EVIL), MODELS)
    assert EVIL not in page


def test_figures_are_valid_json(made):
    page = report.render(*made(note=EVIL), MODELS)
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S)[1])
    always = {
        "pca",
        "comparison",
        "confusion",
        "quality",
        "roc",
        "precision_recall",
        "calibration",
        "decision",
    }
    assert set(figures) == always
    assert set(figures["pca"]["cloud"]["columns"]) >= {"condition", "batch"}


@pytest.mark.parametrize(
    "options", [{"n": 3, "new": 0}, {"n": 300}, {"reads": False}, {"classes": ("a", "b", "c")}]
)
def test_small_large_matrix_and_multi_class_runs_render(made, options):
    assert "</html>" in report.render(*made(**options), MODELS)


def test_a_model_no_better_than_dummy_and_excluded_samples_are_said_first(made):
    page = report.render(*made(), MODELS)
    warnings = page[page.index('id="warnings"') : page.index('id="flow"')]
    assert "not clearly better than a model without genes" in warnings and "lost was excluded" in warnings


def test_samples_are_coloured_by_the_sheet_s_columns_and_not_by_quality_numbers():
    rows = {"sample": ["a", "b"], "status": "included", "duplicate_pct": [0.1, 0.2], "trimmed": [1, 2]}
    table = pd.DataFrame(rows).assign(strandedness="reverse", condition=["x", "y"], batch="b1")
    assert cohort.colouring(table.set_index("sample")) == [
        "condition",
        "batch",
        "status",
        "strandedness",
    ]


def test_an_external_validation_is_shown_only_of_a_frozen_bundle(made):
    results, full = made()
    validation = {"bundle": {"model": "logistic_l2"}, "n": 31, "samples": [], "left_out": {"x": "known"}}
    value = {"estimate": 0.8125, "lower": 0.7, "upper": 0.9, "n": 31}
    validation["metrics"] = {
        "balanced_accuracy": value,
        "auroc": {"estimate": None, "lower": None, "upper": None, "n": 31},
    }
    (results / "external_validation.json").write_text(json.dumps(validation))
    assert "External validation" not in report.render(results, full, MODELS)
    full["training"] |= {"retrain": "never", "bundle": str(results / "bundle")}
    page = report.render(results, full, MODELS)
    assert "31 labelled samples that the bundle never saw; 1 were left out" in page
    assert re.search(r"<td>0\.812 <small>\(0\.700 to 0\.900\)</small></td><td>–</td>", page)
