"""The TRIPOD+AI checklist (Collins et al., BMJ 2024;385:e078378) of a run: items in our own words, filled in where the run knows.

Items that only the authors can answer are marked as theirs. The numbers are those of the run's files, which `where` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rna2model import REPOSITORY
from rna2model.cohort import outcome
from rna2model.core.missing import is_missing
from rna2model.evaluation import operating_point, sample_size
from rna2model.evaluation.classification import SHOWN
from rna2model.qc.gate import column_name
from rna2model.report import methods
from rna2model.report.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHOR = "**For the authors.**"
ITEMS = REPOSITORY / "resources" / "tripod_ai.tsv"
COLUMNS = ["item", "asks for", "where", "content"]


def items(facts: Mapping[str, Any]) -> pd.DataFrame:
    """DataFrame of COLUMNS. facts: config, manifest, metrics, dummy, samples, models, and, or None, adequacy, subgroups,
    differences (DataFrames) and versions."""
    parts = (_front, _methods, _analysis, _results, _discussion)
    content = {item: text for part in parts for item, text in part(facts).items()} | _open()
    rows = pd.read_csv(ITEMS, sep="\t", dtype=str)
    return rows.assign(content=[content.get(item, AUTHOR) for item in rows["item"]])


def markdown(facts: Mapping[str, Any]) -> str:
    """Text of the checklist."""
    rows = items(facts)
    left = int(rows["content"].str.startswith(AUTHOR).sum())
    cells = rows.map(lambda cell: str(cell).replace("|", "\\|").replace("\n", " "))
    lines = ["| " + " | ".join(row) + " |" for row in (COLUMNS, ["---"] * 4, *cells.to_numpy().tolist())]
    return (
        f"# TRIPOD+AI checklist: {outcome.title(facts['config']['design'])} by {facts['manifest']['model']}\n\n"
        "Items in the words of rna2model; the published wording is in BMJ 2024;385:e078378. Paths are below the results folder."
        f" {left} of {len(rows)} rows are for the authors to fill in; they should also check the others, which the run filled in.\n\n"
        + "\n".join(lines)
        + "\n"
    )


def _front(facts):
    design = facts["config"]["design"]
    target = outcome.title(design)
    return {
        "1": (
            f"Development and internal validation ({design['task']} of {target} from RNA-seq). {AUTHOR} Population."
        ),
        "2": f"{AUTHOR} Numbers to quote: {_headline(facts)}.",
        "4": f"Predict {target}; evaluated by cross-validation{_elsewhere(facts)}.",
    }


def _methods(facts):
    config, manifest = facts["config"], facts["manifest"]
    design, samples = config["design"], facts["samples"]
    covariates = ", ".join(design["covariates"]) or "none"
    adequacy = " ".join(sample_size.sentences(facts["adequacy"])) if facts["adequacy"] is not None else AUTHOR
    return {
        "6a": f"{AUTHOR} {_levels(samples, design['batch'])}",
        "6b": (
            f"{AUTHOR} Afterwards quality control excluded {(samples['status'] == 'excluded').sum()} of {len(samples)} samples;"
            " each has its reason in samples.tsv."
        ),
        "7": (
            f"{methods.reads(facts)} Normalisation {methods.cited(manifest['normalization'])}, batch correction"
            f" {methods.cited(manifest['batch_correction'])}, both learned on training samples of each split."
        ),
        "8a": f"{AUTHOR} Here: column {', '.join(c for c in outcome.columns(design) if c)} of the sheet.",
        "9a": (
            f"All genes that pass the filter of the training samples (expression.filter); covariates: {covariates}."
        ),
        "9b": (
            f"Expression per gene ({manifest['counts_unit']}). {AUTHOR} When samples were taken, and each covariate."
        ),
        "10": (adequacy),
        "11": (
            f"Samples without outcome trained nothing. Missing covariates: {config['features']['impute']} of the training samples of"
            f" each split. Missing expression values: {config['expression']['missing']}."
        ),
    }


def _analysis(facts):
    config, manifest = facts["config"], facts["manifest"]
    evaluation, design = config["evaluation"], config["design"]
    grouped = f", never dividing a {design['group']}" if design["group"] else ""
    training = config["training"]
    return {
        "12a": (
            f"{evaluation['repeats']} x {evaluation['folds']}-fold cross-validation{grouped}, seed {evaluation['seed']};"
            f" {evaluation['inner_folds']} inner folds for tuning{_elsewhere(facts)}."
        ),
        "12b": (
            "log2 expression scaled by the training samples of each split; numeric covariates linear, categories as indicators."
        ),
        "12c": (
            f"Shipped: {methods.model_name(manifest['model'])}, named before any score; compared with"
            f" {', '.join(methods.model_name(m) for m in facts['models'] if m != manifest['model'])}. Feature selection:"
            f" {config['features']['selection']}. All fitting, selection and tuning inside each training set."
        ),
        "12d": (_batches(facts) or "The design names no batch."),
        "12e": (
            f"{', '.join(words(name) for name in SHOWN[design['task']])}; intervals by bootstrap of {design['group'] or 'sample'}s, and"
            " corrected for the choice of training samples (Nadeau & Bengio 2003); paired differences; calibration curves"
            f"{'; net benefit' if design['task'] == 'classification' else ''}."
        ),
        "12f": "None in this run.",
        "12g": "`make predict` with the folder bundle/, which holds every fitted step.",
        "13": (
            f"imbalance: {training['imbalance']}; calibration: {training['calibration']}; {_balance(facts)}"
            if design["task"] == "classification"
            else "No classes."
        ),
        "14": (
            f"Scores were computed by {', '.join(evaluation['subgroups'])} (item 23a). {AUTHOR} Why these."
            if evaluation["subgroups"]
            else f"{AUTHOR} No subgroup was looked at (evaluation.subgroups)."
        ),
        "15": (
            f"Probabilities of {_classes(manifest)}; class by `training.threshold: {training['threshold']}`."
            if design["task"] == "classification"
            else f"{'A number' if design['task'] == 'regression' else 'A risk, and survival probabilities'}; no threshold."
        ),
        "16": f"None: both are the same cohort, in different folds{_elsewhere(facts)}.",
    }


def _open():
    return {
        "18c": f"{AUTHOR} The settings of the run: methods section of report.html.",
        "18f": (
            f"rna2model is open source; versions are in versions.tsv. {AUTHOR} Where config, sheet and bundle are."
        ),
    }


def _results(facts):
    samples, manifest = facts["samples"], facts["manifest"]
    included = (samples["status"] == "included").sum()
    return {
        "20a": (
            f"{len(samples)} samples in the sheet, {included} included, {manifest['training']['n']} with a known outcome trained the"
            f" final model{_counts(manifest)}."
        ),
        "20b": f"{_missing(facts)} {AUTHOR} The table of characteristics.",
        "20c": "The same cohort; see item 16.",
        "21": (
            f"{_tested(facts)} samples tested out of fold, {manifest['training']['n']} in the final model{_counts(manifest)}."
        ),
        "22": (
            f"bundle/ (checksums in bundle/manifest.json); effects in models/{manifest['model']}/features.tsv."
        ),
        "23a": (f"{_headline(facts)}. {_other(facts)} {_groups(facts)} {_increment(facts)}".strip()),
        "23b": (_batches(facts) or "The design names no batch."),
        "24": "The model was not updated.",
    }


def _discussion(facts):
    small = " Fewer than 75 samples were tested: no score is precise." if _tested(facts) < 75 else ""
    return {
        "26": f"{AUTHOR} The run's own warnings are at the top of report.html.{small}",
        "27a": (
            "Missing genes get their training mean, and a flag reports how much of the prediction depends on them; above 20 % no"
            " prediction is made. Samples unlike those of training are flagged."
        ),
        "27c": (
            f"{AUTHOR} Labelled samples of another place validate the frozen bundle (training.retrain: never)."
        ),
    }


def _score(value):
    """A score with its corrected interval, or the bootstrap's if there is none; None if the score is undefined."""
    if not value or value.get("estimate") is None:
        return None
    for kind, label in (("_corrected", ", corrected"), ("", "")):
        if value.get(f"lower{kind}") is not None:
            ends = f"{value[f'lower{kind}']:.3f} to {value[f'upper{kind}']:.3f}"
            return f"{value['estimate']:.3f} (95 % interval {ends}{label})"
    return f"{value['estimate']:.3f} (no interval)"


def _scores(metrics, names):
    scores = {name: _score(metrics.get(name)) for name in names}
    return "; ".join(f"{words(name)} {score}" for name, score in scores.items() if score)


def _headline(facts):
    shown = SHOWN[facts["config"]["design"]["task"]]
    return f"{_scores(facts['metrics'], shown)}; n = {_tested(facts)}; without genes: {_scores(facts['dummy'], shown[:2])}"


def _other(facts):
    names = ("log_loss", "calibration_intercept", "calibration_in_the_large", "ici", *operating_point.NAMES)
    scores = _scores(
        facts["metrics"], [n for n in names if n not in SHOWN[facts["config"]["design"]["task"]]]
    )
    return f"{scores}." if scores else ""


def _groups(facts):
    table = facts["subgroups"]
    if table is None or table.empty:
        return ""
    metric = SHOWN[facts["config"]["design"]["task"]][0]
    rows = table[table["metric"] == metric]
    scores = [f"{r.column} {r.level} {_cell(r)}{f' ({r.note})' if r.note else ''}" for r in rows.itertuples()]
    return f"By group, {words(metric)}: {'; '.join(scores)}."


def _cell(row):
    return "no value" if pd.isna(row.estimate) else f"{row.estimate:.3f}, n = {row.n}"


def _increment(facts):
    table = facts["differences"]
    if table is None:
        return ""
    rows = table[(table["against"] == "clinical") & (table["model"] == facts["manifest"]["model"])]
    gains = [f"{words(r.metric)} {_score({'estimate': r.difference, **_ends(r)})}" for r in rows.itertuples()]
    return f"Over the covariates alone: {'; '.join(gains)}." if gains else ""


def _ends(row):
    names = ("lower", "upper", "lower_corrected", "upper_corrected")
    return {name: None if pd.isna(getattr(row, name)) else getattr(row, name) for name in names}


def _tested(facts):
    return max(
        (v["n"] for v in facts["metrics"].values() if isinstance(v, dict) and "estimate" in v), default=0
    )


def _elsewhere(facts):
    evaluation = facts["config"]["evaluation"]
    schemes = "; each batch predicted by the others" if evaluation["leave_one_batch_out"] else ""
    if transfer := evaluation.get("transfer"):
        schemes += f"; trained on {transfer['train']}, tested once on {transfer['test']}"
    return schemes + (f"; a fixed hold-out (column {evaluation['holdout']})" if evaluation["holdout"] else "")


def _levels(samples, column):
    if not column or column_name(column) not in samples:
        return ""
    counts = samples.loc[samples["status"] == "included", column_name(column)].value_counts()
    return f"{len(counts)} levels of {column}: {', '.join(f'{k} {v}' for k, v in counts.head(20).items())}."


def _batches(facts):
    column, held = facts["config"]["design"]["batch"], facts["metrics"].get("leave_one_batch_out")
    if not column:
        return ""
    shown = SHOWN[facts["config"]["design"]["task"]][:2]
    elsewhere = (
        f" In batches never seen: {_scores(held, shown)}." if held else " Batches were not left out in turn."
    )
    return f"{_levels(facts['samples'], column)}{elsewhere}"


def _balance(facts):
    return f"classes: {_classes(facts['manifest'])}."


def _classes(manifest):
    return ", ".join(f"{name} ({count})" for name, count in manifest["classes"].items())


def _counts(manifest):
    return f": {_classes(manifest)}" if manifest["classes"] else ""


def _missing(facts):
    samples, counts = facts["samples"], []
    used = samples[samples["status"] == "included"]
    for column in facts["config"]["design"]["covariates"]:
        if column_name(column) in used:
            empty = sum(is_missing(cell) for cell in used[column_name(column)])
            counts.append(f"{column}: {empty} of {len(used)} missing")
    return f"{'; '.join(counts)}." if counts else "No covariates."
