"""What a reader who knows nothing of this project has to be told in the page."""

import json
import re

import pandas as pd
import pytest

from rna2model.evaluation.classification import SHOWN
from rna2model.report import page as report
from rna2model.report import permutation, words
from tests.finished import Finished


@pytest.fixture
def run(tmp_path):
    return Finished(tmp_path).write()


def page_of(run):
    return report.render(run.folder, run.config, run.models)


def figures(page):
    return json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S)[1])


def section(page, name):
    return re.search(f'<section id="{name}">.*?</section>', page, re.S)[0]


def test_every_metric_that_is_shown_has_a_name_and_a_meaning():
    assert {metric for shown in SHOWN.values() for metric in shown} == set(words.METRICS)
    assert all(meaning for _, meaning in words.METRICS.values())


def test_metrics_have_their_names_and_the_floor_comes_last(run):
    page = page_of(run)
    assert "<b>AUROC</b>: how often a sample of the class ranks above one that is not" in section(
        page, "comparison"
    )
    assert "the curves below speak of <b>control</b>" in section(page, "comparison")
    drawn = figures(page)["comparison"]["choices"]
    assert (
        list(drawn)[:3] == ["AUROC", "log loss", "balanced accuracy"]
        and drawn["AUROC"][0]["y"][-1] == "dummy"
    )


def test_the_excluded_come_first_and_the_sheet_before_what_tools_measured():
    rows = {
        "sample": ["a", "b", "c"],
        "status": ["included", "included", "excluded"],
        "reason": ["", "", "truncated"],
    }
    table = pd.DataFrame(rows).assign(flags=["", "mixed", ""], mapped_pct=9.0, rrna_pct=1.0, condition="case")
    shown, aside = words.samples(table)
    assert shown["sample"].tolist() == ["c", "b", "a"]
    assert list(shown) == ["sample", "status", "condition", "reason", "flags", "mapped %", "rrna %"]
    assert aside == ["rrna %"]


def test_what_the_configuration_asks_is_drawn_beside_the_reads(run):
    limits = {shape["yref"]: shape["y0"] for shape in figures(page_of(run))["quality"]["layout"]["shapes"]}
    qc = run.config["qc"]
    assert limits == {"y": qc["min_reads"], "y2": qc["min_mapped_pct"], "y3": qc["min_assigned_pct"]}


def test_a_heat_map_of_fewer_genes_says_why(run):
    assert "have no row here" not in section(page_of(run), "genes")
    path = run.folder / "models/logistic_l2/features.tsv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:11], lines[11].replace("G0", "age")]))
    html = section(page_of(run), "genes")
    assert "The model uses 11 features. Of its 11 strongest features 1 have no row here: covariates" in html
    path.write_text(lines[0] + re.sub("^G", "set_", lines[1]))
    html = section(page_of(run), "genes")
    assert "There is no heat map. The model uses 1 features." in html and 'id="figure-heatmap"' not in html


def test_where_nothing_was_corrected_there_is_one_view(run):
    assert len(figures(page_of(run))["pca"]["cloud"]["views"]) == 2
    run.config["expression"]["batch_correction"] = "none"
    page = page_of(run)
    assert [view["name"] for view in figures(page)["pca"]["cloud"]["views"]] == ["before correction"]
    assert "batches were\nnot corrected" in section(page, "pca") and "after correction" not in section(
        page, "pca"
    )


def test_a_perfect_score_is_a_warning_with_what_it_can_still_hide(run):
    """0 of 24 wrong: the exact (Clopper & Pearson 1934) one-sided 95 % limit is 1 - 0.05 ** (1 / 24) = 11.7 %."""
    assert "Every out-of-fold prediction is right" not in page_of(run)
    path = run.folder / "models/logistic_l2/predictions.tsv"
    table = pd.read_csv(path, sep="\t")
    table.assign(predicted=table["truth"]).to_csv(path, sep="\t", index=False)
    scores = run.folder / "models/logistic_l2/metrics.json"
    metrics = json.loads(scores.read_text())
    metrics["balanced_accuracy"] |= {"estimate": 1.0, "lower": 1.0, "upper": 1.0}
    scores.write_text(json.dumps(metrics))
    page = page_of(run)
    assert "With 24 of 24 groups right, an error rate of up to 12% cannot be ruled out" in section(
        page, "warnings"
    )
    assert "1.000 <small>(no interval)</small>" in section(page, "comparison")


def test_a_p_value_that_more_permutations_could_lower_says_so():
    assert (
        permutation.p_value({"p": 1 / 21, "n": 20}) == "0.0476 (the smallest p that 20 permutations can give)"
    )
    assert permutation.p_value({"p": 2 / 21, "n": 20}) == "0.0952"


def test_scores_in_batches_never_seen_stand_beside_those_of_random_folds(run):
    for model in run.models:
        path = run.folder / f"models/{model}/metrics.json"
        metrics = json.loads(path.read_text())
        metrics["leave_one_batch_out"] = {
            "balanced_accuracy": {"estimate": 0.321, "lower": 0.1, "upper": 0.5, "n": 24}
        }
        path.write_text(json.dumps(metrics))
    page = page_of(run)
    assert section(page, "comparison").count("<td>0.321 <small>(0.100 to 0.500)</small></td>") == len(
        run.models
    )
    assert (
        '<li class="look"><span class="verdict">look</span> <span><b>The score holds in batches never seen.'
        in page
    )


def test_heads_of_tables_are_text_on_paper_where_buttons_are_not_repeated(run, opened):
    """Chromium leaves buttons out of the heads that it repeats on each page."""
    (run.folder / "report.html").write_text(page_of(run))
    page = opened(run.folder / "report.html")
    shown = """() => [...document.querySelectorAll('#genes th')].every((head) =>
        [['button', %s], ['.paper', %s]].every(([what, there]) =>
            (getComputedStyle(head.querySelector(what)).display !== 'none') === there))"""
    assert page.evaluate(shown % ("true", "false"))
    page.emulate_media(media="print")
    assert page.evaluate(shown % ("false", "true"))
    assert page.locator("#genes th .paper").first.inner_text() == "feature"
