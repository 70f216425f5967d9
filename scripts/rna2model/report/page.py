"""One self-contained HTML page about a run, from its input to its predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model import REPOSITORY
from rna2model.cohort import outcome
from rna2model.evaluation.classification import COMPARED, SHOWN, leading
from rna2model.inputs import frozen_bundle
from rna2model.models import penalty
from rna2model.qc import gate
from rna2model.report import (
    batch_choice,
    checks,
    learning_curve,
    permutation,
    run_data,
    served_data,
    statistics,
    words,
)
from rna2model.report import methods as report_methods
from rna2model.report.figures import frontier, registry
from rna2model.report.figures.style import positives

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST_FEATURES = 100  # of the table
TEMPLATES = REPOSITORY / "resources" / "report"


def render(results: str | Path, config: Mapping[str, Any], models: Iterable[str]) -> str:
    """HTML text of the report of the run in `results` (a Path), with everything it shows inside.

    A frozen bundle's run without the files of the run that trained it has a page of its own.
    """
    results = Path(results)
    if config["training"]["retrain"] == "never" and not frozen_bundle.training_is_there(results, config):
        run = served_data.read(results, config)
        figures, methods = registry.served(run, config), served_data.paragraphs(run, config)
        return page("served", run, config, figures, methods)
    run = read(results, config, models)
    return page("run", run, config, registry.make(run, config), report_methods.paragraphs(run, config))


def page(
    name: str,
    run: Mapping[str, Any],
    config: Mapping[str, Any],
    figures: Mapping[str, Any],
    methods: Sequence[str],
) -> str:
    """HTML text of the template `name`."""
    import jinja2
    from plotly.offline import get_plotlyjs

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": checks.number, "words": words.words}
    environment.filters["penalty"] = penalty.sentence
    environment.filters["more_samples"] = learning_curve.sentence
    environment.filters["panel_size"] = frontier.sentence
    environment.filters["permutation"] = permutation.sentence
    shown = SHOWN[config["design"]["task"]]
    return environment.get_template(f"{name}.html.j2").render(
        run=run,
        config=config,
        shown=shown,
        leading=leading,
        compared=COMPARED[config["design"]["task"]],
        meanings=words.glossary(shown, words.METRICS),
        predicted=outcome.title(config["design"]),
        figures={name: embedded(figure) for name, figure in figures.items()},
        choices={name: list(figure["choices"]) for name, figure in figures.items() if "choices" in figure},
        methods=methods,
        provenance=json.dumps(report_methods.provenance(run, config), indent=1),
        plotly=get_plotlyjs(),
        style=(TEMPLATES / "report.css").read_text(),
        script=(TEMPLATES / "report.js").read_text(),
    )


def read(results: Path, config: Mapping[str, Any], models: Iterable[str]) -> dict[str, Any]:
    """Everything the page shows of a run: what run_data.gather reads, and what is computed from it."""
    run = run_data.gather(results, config, models)
    group = gate.column_name(config["design"]["group"]) if config["design"]["group"] else None
    samples = run["samples"]
    run["group_of"] = dict(zip(samples["sample"], samples[group], strict=True)) if group in samples else {}
    design = config["design"]
    run["first"] = [gate.column_name(c) for c in (*outcome.columns(design), design["batch"]) if c]
    run["flow"] = checks.flow(run, config)
    run["shown_samples"], run["aside"] = words.samples(samples)
    run["rule"] = words.rule(run["manifest"])
    run["curve_class"] = positives(run)[0] if len(positives(run)) == 1 else None
    if run["features"] is not None:
        shown = run["features"].head(MOST_FEATURES).dropna(axis=1, how="all")
        shown = shown.replace({"above_control": {"True": "yes", "False": "no"}})
        run["shown_features"] = shown.rename(columns=words.titles(shown))
        run["feature_words"] = words.glossary(shown.columns, words.FEATURES)
    run["confounding"] = checks.confounding(run, config)
    run["batches_chosen"] = batch_choice.gather(run["manifest"], run["batch_choice"])
    run["checks"] = checks.checks(run)
    run |= statistics.gather(results, run, config)
    run["warnings"] = list(checks.warnings(run, config["design"]["task"]))
    return run


def embedded(value: object) -> str:
    """JSON escaped so that it cannot close the script element around it."""
    return (
        json.dumps(value, allow_nan=False, separators=(",", ":"))
        .replace("<", "\\u003c")
        .replace("\u2028", "")
        .replace("\u2029", "")
    )
