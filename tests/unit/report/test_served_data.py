"""The page of a frozen bundle's run: of use without the files of the run that trained it."""

import json
import shutil

import pytest

from rna2model.evaluation import classification, delong, recalibration
from rna2model.inputs import frozen_bundle
from rna2model.report import page as report
from tests.browser import DRAWN
from tests.finished import Finished

TRAINED = ("models", "splits", "expression", "bundle")  # what a run has that trains


@pytest.fixture
def serve(tmp_path):
    """Function that makes the results of a run that only served `n` labelled samples and `new` others; its page and folder."""

    def make(task="classification", n=24, new=2, flags="", external=True, **options):
        run = Finished(tmp_path / "results", task, n=n, new=new, **options).write()
        shipped, bundle = run.config["shipped_model"], tmp_path / "bundle"
        table = report.run_data.predictions(run.folder / f"models/{shipped}/predictions.tsv", task)
        metrics = json.loads((run.folder / f"models/{shipped}/metrics.json").read_text())
        shutil.move(run.folder / "bundle", bundle)
        made = json.loads((bundle / "manifest.json").read_text())
        made |= {"model": shipped, "training": {"n": 99}, "manifest_sha256": "0123456789abcdef"}
        (bundle / "manifest.json").write_text(json.dumps(made))
        (bundle / "MODEL_CARD.md").write_text("# Model card: <what it is>\n")
        for name in TRAINED:
            shutil.rmtree(run.folder / name, ignore_errors=True)
        if external:
            run.save(table.assign(split="external", flags=flags), "external_validation.tsv")
            table, scores = (
                table.assign(split="external"),
                {k: v for k, v in metrics.items() if "estimate" in v},
            )
            if task == "classification":
                scores = delong.replace(scores, classification.read(table))
            validation = {
                "recalibration": recalibration.of(table, task),
                "bundle": {"model": shipped},
                "n": n,
                "samples": run.names[:n],
                "left_out": {"known": "why"},
            }
            run.dump(
                {**validation, "metrics": scores},
                "external_validation.json",
            )
        run.config["training"] |= {"retrain": "never", "bundle": str(bundle)}
        page = run.folder / "report.html"
        page.write_text(report.render(run.folder, run.config, run.models), encoding="utf-8")
        return page, run

    return make  # fmt: skip


@pytest.mark.parametrize(
    ("task", "figures"),
    [
        ("classification", {"quality", "confusion", "roc", "precision_recall", "calibration", "decision"}),
        ("regression", {"quality", "predicted", "residuals", "calibration"}),
        ("survival", {"quality", "kaplan_meier", "calibration"}),
    ],
)
def test_labelled_samples_show_what_a_frozen_bundle_is_worth(task, figures, serve, opened):
    path, _ = serve(task)
    page = opened(path)
    drawn = page.evaluate(DRAWN)
    assert set(drawn) == figures and all(drawn.values()) and page.heard == []
    sections = page.evaluate("() => [...document.querySelectorAll('main > section')].map((it) => it.id)")
    assert sections == ["warnings", "flow", "quality", "new", "external", "curves", "card", "methods"]
    assert page.locator("#new tbody tr").count() == 2 and page.locator("#flow tbody tr").count() == 27
    assert page.locator("#flow li").all_inner_texts()[-1].split() == [
        "24",
        "with",
        "a",
        "label,",
        "new",
        "to",
        "the",
        "bundle",
        "1",
        "more",
        "were",
        "known",
        "to",
        "it",
    ]
    assert "24 samples validate the bundle" in page.locator("#warnings").inner_text()
    assert "trained on 99 samples" in page.locator("#methods").inner_text()
    assert "# Model card: <what it is>" in page.locator("#card pre").text_content()  # fmt: skip


def test_the_scores_of_the_page_are_those_of_the_validation(serve, opened):
    path, run = serve()
    auroc = json.loads((run.folder / "external_validation.json").read_text())["metrics"]["auroc"]
    cell = opened(path).locator("#external tbody td").nth(1).inner_text()
    assert cell.split("\n")[0].strip() == f"{auroc['estimate']:.3f}"
    assert f"({auroc['lower']:.3f} to {auroc['upper']:.3f})" in cell


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_what_recalibration_would_give_is_a_table(task, serve, opened):
    path, run = serve(task)
    moved = json.loads((run.folder / "external_validation.json").read_text())["recalibration"]
    page = opened(path)
    rows = page.locator("#external [aria-label=recalibration] tbody tr")
    score = "brier" if task == "classification" else "rmse"
    cells = [row.split("\t") for row in rows.all_inner_texts()]
    assert [cells[k][4] for k in (0, 1)] == [f"{moved[name][score]:.3f}" for name in ("before", "intercept")]
    assert ("DeLong's" in page.locator("#external").inner_text()) == (task == "classification")
    assert page.heard == []


def test_few_labelled_samples_have_a_table_and_no_curves(serve, opened):
    path, _ = serve(n=4, new=1)
    page = opened(path)
    assert set(page.evaluate(DRAWN)) == {"quality", "confusion"}
    assert "too few (below 10)" in page.locator("#curves").inner_text()
    assert page.heard == []


def test_a_label_that_the_model_never_saw_is_in_no_figure_and_named_first(serve, opened):
    path, run = serve()
    validation = json.loads((run.folder / "external_validation.json").read_text())
    table = report.run_data.table(run.folder / "external_validation.tsv")
    name, table.loc[0, "truth"] = table.loc[0, "sample"], "contrl"
    table.to_csv(run.folder / "external_validation.tsv", sep="\t", index=False)
    validation |= {"unknown_labels": {name: "contrl"}, "n": 23}
    validation["left_out"][name] = "label 'contrl' is none of the model's classes"
    (run.folder / "external_validation.json").write_text(json.dumps(validation))
    path.write_text(report.render(run.folder, run.config, run.models), encoding="utf-8")
    page = opened(path)
    assert page.heard == [] and "contrl" not in page.locator("#figure-confusion").inner_text()
    first = page.locator("#warnings").inner_text()
    assert (
        "1 labelled sample has a label that the model never saw and takes no part in any score: 1 'contrl'"
        in first
    )
    assert "1 more with a label that it never saw" in page.locator("#flow").inner_text()
    assert "contrl" in page.locator("#external tbody").last.inner_text()


def test_nobody_labelled_is_said_and_flags_come_first(serve):
    page = serve(external=False)[0].read_text()
    first = page[page.index('id="warnings"') : page.index('id="flow"')]
    assert first.index("2 of 2 predictions carry a flag") < first.index("how good these predictions are")
    assert "lost was excluded: too few reads" in first and '<section id="external">' not in page


def test_the_scores_of_another_run_in_the_same_results_are_not_those_of_the_bundle(tmp_path):
    run = Finished(tmp_path / "results").write()
    run.config["training"] |= {"retrain": "never", "bundle": str(run.folder / "bundle")}
    assert frozen_bundle.training_is_there(run.folder, run.config)
    run.config["training"]["bundle"] = str(tmp_path / "elsewhere")
    assert not frozen_bundle.training_is_there(run.folder, run.config)
    run.config["training"]["bundle"] = str(run.folder / "bundle")
    (run.folder / "models/mlp/metrics.json").unlink()
    assert not frozen_bundle.training_is_there(run.folder, run.config)
