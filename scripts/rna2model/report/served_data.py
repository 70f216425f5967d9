"""Data for the report of a run that trained nothing, but predicted the samples of its sheet with a frozen bundle."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model.cohort import outcome
from rna2model.evaluation.classification import leading
from rna2model.report import checks, methods
from rna2model.report import words as report_words
from rna2model.report.run_data import document, optional, predictions, served, table
from rna2model.report.words import words
from rna2model.serving import unknown_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def read(results: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Everything the page shows, as a dict of tables and numbers; None for what this run did not make."""
    folder, task = Path(config["training"]["bundle"]), config["design"]["task"]
    made, card = document(folder / "manifest.json"), folder / "MODEL_CARD.md"
    external, scored = document(results / "external_validation.json"), results / "external_validation.tsv"
    shown = predictions(scored, task) if external and external["n"] else pd.DataFrame()
    known = shown[~shown["sample"].isin((external or {}).get("unknown_labels", {}))] if len(shown) else shown
    run = {
        "task": task,
        "models": [made["model"]],
        "shipped": made["model"],
        "bundle": folder,
        "manifest": made,
        "samples": table(results / "samples.tsv"),
        "served": served(results / "predictions.tsv"),
        "external": external,
        "predictions": {made["model"]: known} if len(known) else {},
        "scored": shown if len(shown) else None,
        "calibration": {},
        "outliers": None,
        "card": card.read_text() if card.exists() else None,
        "versions": optional(results / "versions.tsv"),
    }
    for column in ("reads", "mapped_pct", "assigned_pct"):
        run["samples"][column] = pd.to_numeric(run["samples"].get(column), errors="coerce")
    run["shown_samples"], run["aside"] = report_words.samples(run["samples"])
    run["flow"] = flow(run)
    run["warnings"] = list(warnings(run))
    return run


def flow(run: Mapping[str, Any]) -> dict[str, Any]:
    """How many samples went where. One may be both predicted and validated."""
    samples, external = run["samples"], run["external"] or {"n": 0, "left_out": {}}
    excluded = samples[samples["status"] == "excluded"]
    return {
        "sheet": len(samples),
        "excluded": len(excluded),
        "reasons": Counter(checks.short(reason) for reason in excluded["reason"]),
        "included": int((samples["status"] == "included").sum()),
        "predicted": 0 if run["served"] is None else int((run["served"]["predicted"] != "").sum()),
        "validated": external["n"],
        "left_out": len(external["left_out"]) - len(external.get("unknown_labels", {})),
        "unknown": len(external.get("unknown_labels", {})),
    }


def warnings(run: Mapping[str, Any]) -> Iterator[str]:
    """What a reader must know before any prediction, worst first."""
    external = run["external"]
    main = leading(run["task"], (external or {}).get("metrics") or {})
    for what, predicted in (("predictions", run["served"]), ("validated samples", run["scored"])):
        if doubtful := _flagged(predicted):
            yield (
                f"{len(doubtful)} of {len(predicted)} {what} carry a flag: {checks.few(doubtful)}. Read it before you use"
                " them."
            )
    if strangers := (external or {}).get("unknown_labels"):
        yield unknown_labels.summary(strangers, list(run["manifest"].get("classes") or {}))
    if not external or not external["n"]:
        yield (
            "Nothing here shows how good these predictions are: no sample of the sheet has a label and is new to the bundle. What"
            " was found in training is in the model card below."
        )
    elif external["n"] < checks.SMALL:
        score = external["metrics"].get(main, {})
        ends = [checks.number(score.get(key)) for key in ("lower", "upper")]
        interval_text = f" ({words(main)} {ends[0]} to {ends[1]})" if ends[0] != ends[1] else ""
        yield f"{external['n']} samples validate the bundle: below about {checks.SMALL}, no score is precise{interval_text}."
    yield from checks.of_samples(run)


def _flagged(predicted: pd.DataFrame | None) -> list[str]:
    """Names of the samples of a table of predictions that have a flag."""
    return [] if predicted is None else predicted.loc[predicted["flags"] != "", "sample"].tolist()


def paragraphs(run: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """List of paragraphs in the words of a methods section."""
    made, where = run["manifest"], run["flow"]
    samples = (
        f"{where['included']} of {where['sheet']} samples passed quality control. They were predicted by a frozen model"
        f" ({made['model']}, bundle {made['manifest_sha256'][:12]}), trained on {made['training']['n']} samples to predict"
        f" {outcome.title(config['design'])}; nothing was fitted on the new samples."
    )
    if where["validated"]:
        samples += (
            f" {where['validated']} samples with a label that training had not seen validated it; {where['left_out']} were left"
            " out because training knew them. Intervals are percentiles of 1,000 bootstraps."
        )
    steps = f"{methods.reads(run)} Expression was normalised with {methods.cited(made['normalization'])}"
    steps += (
        "."
        if made["batch_correction"] == "none"
        else f", and batches were corrected by {methods.cited(made['batch_correction'])}, a batch that training never"
        f" saw by the rule `{_unseen(made, config)}`;"
        " all parameters are those that training learned."
    )
    return [samples, steps, methods.software(run)]


def _unseen(made, config):
    """What was done with a batch that training never saw; `auto` is what the bundle chose."""
    rule = config["expression"]["unseen_batch"]
    return (made.get("batch_choice") or {}).get("unseen_batch", "uncorrected") if rule == "auto" else rule
