"""The report in a browser: every figure is drawn, nothing leaves the page, tables sort, and legends work by keyboard."""

import json

import numpy as np
import pytest

from rna2model.cohort import duplicates
from rna2model.explore import outliers
from rna2model.report import page as report
from tests.browser import DRAWN, opened_page
from tests.finished import Finished

HEARD = {  # figures of every task, and those of one
    "quality", "pca", "variance", "comparison", "differences", "permutation", "learning", "calibration",
    "features", "heatmap", "volcano",
}  # fmt: skip
OWN = {
    "classification": {"confusion", "roc", "precision_recall", "decision"},
    "regression": {"predicted", "residuals"},
    "survival": {"kaplan_meier"},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Function that renders a made-up run once; returns the page's path and the run."""
    made = {}

    def make(task="classification", **options):
        key = json.dumps([task, options], sort_keys=True)
        if key not in made:
            run = Finished(tmp_path_factory.mktemp("run"), task, **options).write()
            page = run.folder / "report.html"
            page.write_text(report.render(run.folder, run.config, run.models), encoding="utf-8")
            made[key] = page, run
        return made[key]

    return make


@pytest.fixture(scope="module")
def page(pages, browser):
    """The page of a classification, opened once for the tests that use different parts of it."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield opened_page(context, pages()[0])
    context.close()


@pytest.mark.parametrize("task", list(OWN))
def test_every_figure_of_a_task_is_drawn_and_nothing_leaves_the_page(task, pages, opened):
    page = opened(pages(task)[0])
    drawn = page.evaluate(DRAWN)
    assert set(drawn) == HEARD | OWN[task]
    assert all(drawn.values()), drawn
    assert page.heard == []


@pytest.mark.parametrize("options", [{"n": 3, "new": 0}, {"n": 1000}, {"classes": ["a", "b", "c"], "n": 30}])
def test_three_samples_a_thousand_and_three_classes_have_a_page(options, pages, opened):
    path, run = pages(**options)
    page = opened(path)
    assert all(page.evaluate(DRAWN).values()) and page.heard == []
    assert page.locator("#flow table tbody tr").count() == len(run.names) + 1
    assert path.stat().st_size < 8e6
    figures = json.loads(page.locator("#figures").text_content())
    assert len(figures["heatmap"]["data"][0]["x"]) == min(run.n, 200)
    assert len(figures["pca"]["cloud"]["views"][0]["x"]) == len(run.names)


def test_a_page_of_a_thousand_samples_is_made_in_seconds(pages):
    import time

    _, run = pages(n=1000)
    start = time.monotonic()
    report.render(run.folder, run.config, run.models)
    assert time.monotonic() - start < 10


def test_tables_sort_by_numbers_and_by_names(page):
    button = page.locator("#genes table th button", has_text="effect").first
    column = "() => [...document.querySelectorAll('#genes tbody tr')].map((row) => Number(row.cells[3].textContent))"
    button.click()
    up = page.evaluate(column)
    assert up == sorted(up) and page.locator("#genes th[aria-sort=ascending]").count() == 1
    button.press("Enter")
    assert page.evaluate(column) == up[::-1]


def test_the_legend_hides_a_model_and_works_by_keyboard(page):
    visible = "() => document.getElementById('figure-roc').data.find((trace) => trace.name === 'mlp').visible"
    button = page.locator("#legend-roc button", has_text="mlp")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate(visible) is False and button.get_attribute("aria-pressed") == "false"
    assert page.evaluate("() => document.activeElement.dataset.trace") == "mlp"
    page.keyboard.press("Space")
    assert page.evaluate(visible) is not False


def test_samples_are_coloured_by_any_column_also_by_numbers(page):
    chosen = page.locator("#choose-pca option").all_text_contents()
    assert chosen[:3] == ["condition", "batch", "weight"] and "status" in chosen
    page.select_option("#choose-pca", "batch")
    assert page.locator("#legend-pca button").all_text_contents() == ["b1", "b2"]
    page.select_option("#choose-pca", "weight")
    scale = page.evaluate(
        "() => document.getElementById('figure-pca').data.filter((t) => Array.isArray(t.marker.color)).map((t) => t.x.length)"
    )
    assert scale == [26, 26]
    assert page.heard == []


def test_a_figure_gives_its_data_as_a_table(page):
    page.locator("[data-table=comparison] summary").click()
    cells = page.locator("[data-table=comparison] tbody tr").all_text_contents()
    assert len(cells) == 4 and any("dummy" in cell for cell in cells)


def test_dark_pages_are_dark_and_paper_is_white(pages, opened):
    page = opened(pages()[0], color_scheme="dark")
    shade = "() => getComputedStyle(document.body).backgroundColor"
    ink = "() => document.querySelector('#figure-roc text').style.fill"
    assert page.evaluate(shade) == "rgb(20, 25, 31)" and page.evaluate(ink) == "rgb(228, 233, 239)"
    page.emulate_media(media="print")
    page.wait_for_function(
        "() => document.querySelector('#figure-roc text').style.fill === 'rgb(29, 39, 51)'"
    )
    assert page.evaluate(shade) == "rgb(255, 255, 255)"
    assert page.pdf(format="A4")[:4] == b"%PDF"


def test_a_narrow_window_cuts_nothing_off(pages, opened):
    page = opened(pages()[0], width=800)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 800
    beyond = page.evaluate(
        "() => [...document.querySelectorAll('main :is(h2, h3, p, li, .plot, .plot svg, figcaption)')]"
        ".filter((it) => it.getBoundingClientRect().right > 801).map((it) => it.textContent.slice(0, 40))"
    )
    assert beyond == []


def test_what_a_reader_must_know_comes_first(pages):
    page = pages()[0].read_text()
    first = page[page.index('id="warnings"') : page.index('id="flow"')]
    assert (
        "lost was excluded: too few reads" in first and "unlike the other samples (low correlation)" in first
    )
    assert "0 samples on both sides of 2 splits" in first and "mean AUROC 0.5" in first
    assert "STAR" in page[page.index('id="methods"') :]


def test_a_sample_on_both_sides_of_a_split_is_said_first(tmp_path):
    run = Finished(tmp_path).write()
    manifest = tmp_path / "splits/manifest.tsv"
    manifest.write_text(manifest.read_text() + f"{run.names[0]}\t1\t1\ttest\n{run.names[0]}\t1\t1\ttrain\n")
    page = report.render(tmp_path, run.config, run.models)
    assert "Training and test samples are apart: 1 samples on both sides of 2 splits" in page
    assert 'class="failed"' in page


def test_pairs_that_may_be_one_library_and_too_few_samples_for_outliers_are_said(tmp_path):
    run = Finished(tmp_path).write()
    rows = "s0001\ts0002\t0.02\t0.05\t0.3\ns0003\ts0004\t0.02\t0.05\t0.3\n"
    (tmp_path / "splits/one_library.tsv").write_text("\t".join(duplicates.COLUMNS) + "\n" + rows)
    samples = [name for name in run.names if name != "lost"]
    values = np.random.default_rng(1).normal(size=(len(samples), 50))
    outliers.find(values[:6], samples[:6], ["a"] * 6)[0].to_csv(
        tmp_path / "expression/outliers.tsv", sep="\t", index=False
    )
    page = report.render(tmp_path, run.config, run.models)
    assert "Samples s0001 and s0002 may be lanes or halves of one library" in page
    assert "at most 5.0%, an ordinary pair by 30%" in page and "1 more pairs" in page
    assert "Too few samples to look for outliers: 8 are needed." in page
    assert "unlike the other samples" not in page


def test_a_run_that_lost_nobody_and_one_that_has_only_the_least_have_a_page(tmp_path):
    run = Finished(tmp_path, new=0).write()
    samples = tmp_path / "samples.tsv"
    samples.write_text("".join(line for line in samples.open() if not line.startswith("lost")))
    for name in (
        "expression/diagnostics.json",
        "expression/outliers.tsv",
        "expression/differential.tsv",
        "versions.tsv",
    ):
        (tmp_path / name).unlink()
    for name in ("features.tsv", "stability.json", "permutation.json", "learning_curve.tsv"):
        (tmp_path / "models/logistic_l2" / name).unlink()
    for name in ("models/differences.tsv", "models/mlp/calibration.tsv", "splits/manifest.tsv"):
        (tmp_path / name).unlink()
    page = report.render(tmp_path, run.config, run.models)
    assert "<b>0</b> excluded" in page and "splits/manifest.tsv is not there" in page
    assert 'id="figure-calibration"' in page and 'id="genes"' not in page


def test_a_frozen_bundle_s_sheet_without_a_training_sample_has_a_page(tmp_path):
    run = Finished(tmp_path).write()
    run.config["training"] |= {"retrain": "never", "bundle": str(tmp_path / "bundle")}
    for name in ("samples.tsv", "expression/pca.tsv"):
        lines = (tmp_path / name).read_text().splitlines(keepends=True)
        kept = [line for line in lines[1:] if "s0024" in line or "s0025" in line]
        (tmp_path / name).write_text("".join([lines[0], *kept]))
    page = report.render(tmp_path, run.config, run.models)
    assert "<b>2</b> included" in page and "<b>2</b> new, predicted only" in page
    assert 'id="figure-roc"' in page and "unlike the other samples" not in page


@pytest.mark.parametrize("task", ["classification", "regression", "survival"])
def test_the_coverage_of_prediction_sets_is_told_where_there_are_some(task, pages):
    path, run = pages(task)
    metrics = json.loads((run.folder / f"models/{run.config['shipped_model']}/metrics.json").read_text())
    text = path.read_text()
    if task == "survival":
        assert "conformal" not in metrics and "How sure is it" not in text
        return
    share = 100 * metrics["conformal"]["out_of_fold"]["coverage"]
    assert (
        f"Out of fold they hold the truth of {share:.0f} % (" in text
        and "are exchangeable with these" in text
    )


def test_survival_has_bands_and_numbers_at_risk(pages):
    """In the figure's data: at time 0 all samples of a risk group, and a band around its curve."""
    from rna2model.report import run_data
    from rna2model.report.figures import outcomes

    _, run = pages("survival")
    table = run_data.predictions(run.folder / "models/cox_ridge/predictions.tsv", "survival")
    traces = outcomes.kaplan_meier({"predictions": {"cox_ridge": table}, "shipped": "cox_ridge"})["data"]
    numbers = [trace for trace in traces if trace["mode"] == "text"]
    assert [int(trace["text"][0]) for trace in numbers] == table["risk_group"].value_counts()[
        ["low", "high"]
    ].tolist()
    lower, upper, curve = traces[:3]
    inside = [a <= s <= b for a, s, b in zip(lower["y"], curve["y"], upper["y"], strict=False)]
    assert all(inside[:-1]) and len(inside) > 3
