"""The model card of a bundle, after TRIPOD+AI (Collins et al. 2024) and DOME (Walsh et al. 2021): filled in by the run,
with open items for the author."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model import models
from rna2model.cohort import duplicates
from rna2model.evaluation.classification import SHOWN
from rna2model.report import permutation, words
from rna2model.report.checks import number
from rna2model.report.methods import model_name

if TYPE_CHECKING:
    from collections.abc import Mapping

AUTHOR = "**The author must complete this.**"
SMALL = 75  # test samples, below which no score is precise
WORDS = {"min": "at least", "max": "at most"}
BALANCED = {
    "none": "classes weighed as they come",
    "balanced": "classes weighed equally",
    "smote": "SMOTE within training samples",
}
CALIBRATED = {
    "auto": "as the model's training leaves them",
    "none": "as the model gives them",
    "sigmoid": "Platt's sigmoid on inner out-of-fold predictions",
    "isotonic": "isotonic regression on inner out-of-fold predictions",
}


def write(manifest: Mapping[str, Any], scores: Mapping[str, Any], chance: Mapping[str, Any]) -> str:
    """Markdown text from the bundle's manifest and the metrics of the shipped model and of `dummy`."""
    evaluation, shown = manifest["evaluation"], SHOWN[manifest["task"]]
    return f"""# Model card: {manifest["target"]} by {manifest["model"]}

Items follow TRIPOD+AI (BMJ 2024;385:e078378) and DOME (Nat Methods 2021;18:1122). Items that the run cannot know are marked.

## What it predicts
{manifest["task"]} of `{manifest["target"]}`: {_predicted(manifest)}, from bulk RNA-seq expression.

## Intended use, and who should not use it
* Intended users and setting, decision that it supports: {AUTHOR}
* Out of scope: {AUTHOR} Associations found by this model are not causal.
* Fairness: performance in groups of sex, age, ancestry and centre: {AUTHOR}

## Data
* {manifest["training"]["n"]} samples passed quality control and had a label. {_classes(manifest)}
* Source, dates, recruitment, inclusion and exclusion, consent and ethics approval: {AUTHOR}
* How the outcome was determined, and whether blind to expression: {AUTHOR}
* Sample size: {_size(manifest, scores)}
* Quality control: {_limits(manifest)}Samples left out, with the reason, are in the run's `samples.tsv`.
* Missing data: {_missing(manifest)}
* Redundancy: {_redundancy(manifest)}
* Batch: {_batch(manifest)}

## How a sample becomes a prediction
Unit: {manifest["counts_unit"]}. {_counting(manifest["counting"])}{_reference(manifest)}
{_seen(manifest)}; then {model_name(manifest["model"])} (`{manifest["model"]}`){_features(manifest)}. The same files in this folder did all of it in training.{_code(manifest)}
`make predict BUNDLE=this_folder SAMPLES=sheet` does it for new samples. It refuses samples that were made otherwise, flags those
unlike all training samples (`ood_score` above 1), and says what it did about a batch that training never saw.

## How it was trained
{_settings(manifest)}
* Hyperparameters were tuned in {evaluation["inner_folds"]} inner folds of the training samples. What was chosen: `model/model.json`.
* The model was named in the configuration, not chosen by the scores below.
* Which genes it uses, how stable that is over folds, and what shuffled labels give: the run's `models/{manifest["model"]}/features.tsv`
  and `stability.json`. What they mean biologically: {AUTHOR}

## How it was tested
{evaluation["repeats"]} x {evaluation["folds"]}-fold cross-validation, seed {evaluation["seed"]}{_grouped(manifest)}; normalization, batch correction, scaling and tuning
were fitted inside each fold, on its training samples only. Who was tested where: the run's `splits/manifest.tsv`.

| metric | estimate (95 % interval) | dummy | n |
|---|---|---|---|
{_rows(scores, chance, shown)}

{_meanings(scores, shown)}
{_permutation(scores, manifest)}{_elsewhere(manifest, scores, shown)}
The intervals cover the choice of test samples from this cohort, corrected ones also that of training samples (Nadeau & Bengio 2003), not a new hospital, protocol or sequencing centre.
External validation: {AUTHOR}
{_small(scores)}
## Limits
* Calibration in another population, at other prevalence or with another protocol is not known; check it before use: {AUTHOR}
* Updating and monitoring after deployment: {AUTHOR}
* Patient and public involvement: {AUTHOR}
* Funding, conflicts of interest, registration, protocol, availability of data and code: {AUTHOR}

## Reproducing it
rna2model {manifest["rna2model"]}; libraries {_versions(manifest["libraries"])}. Checksums are in `manifest.json`.
"""


def _counting(counting):
    if not counting:
        return "The counts were given as a matrix; a new sample must be counted the same way."
    tools = (counting["trimming"]["tool"], counting["alignment"]["tool"], counting["quantification"]["tool"])
    return "Reads were trimmed, aligned and counted with {}, {} and {}.".format(*tools)


def _reference(manifest):
    known = manifest.get("reference") or {}
    return f" Reference: {known['genes']} genes; checksums in `manifest.json`." if known.get("genes") else ""


def _predicted(manifest):
    """What the model predicts, with the classes, events or numbers of its training samples."""
    seen = ", ".join(f"{name} ({count} samples)" for name, count in manifest["classes"].items())
    if manifest["task"] == "regression":
        return "a number; {:g} to {:g} in the training samples".format(*manifest["range"])
    if manifest["task"] == "survival":
        times = ", ".join(f"{time:g}" for time in manifest["landmarks"].values())
        return (
            f"a risk (log hazard ratio to the mean training sample, higher for earlier events), a risk group by the median"
            f" training sample, and the probability to be without event at {times}; {seen}"
        )
    return seen


def _classes(manifest):
    counts = ", ".join(f"{name} {count}" for name, count in manifest["classes"].items())
    positive = (manifest.get("predicts") or {}).get("class")
    of_two = f" The positive class is {positive}." if positive else ""
    return f"By class or event: {counts}.{of_two}" if counts else ""


def _size(manifest, scores):
    n, genes = manifest["training"]["n"], (manifest.get("genes") or {}).get("n")
    of = f"{n} samples for {genes} annotated genes" if genes else f"{n} samples"
    tested = max((value["n"] for value in scores.values() if "estimate" in value), default=0)
    return f"{of}; {tested} were tested. No sample size was calculated beforehand unless the author says so: {AUTHOR}"


def _limits(manifest):
    limits = {k: v for k, v in (manifest.get("qc") or {}).items() if k.startswith(("min_", "max_"))}
    bounds = ", ".join(
        f"{WORDS[key[:3]]} {value:g}{' %' * key.endswith('_pct')} {key[4:].removesuffix('_pct').replace('_', ' ')}"
        for key, value in limits.items()
        if not (key.startswith("max_") and value >= 100)  # no limit
    )
    return f"{bounds}. " if bounds and manifest["counting"] else ""


def _missing(manifest):
    rule = (manifest.get("expression") or {}).get("missing", "refuse")
    cells = {
        "refuse": "a matrix with missing values is refused",
        "mean": "missing values get the gene's training mean",
    }
    rules = cells.get(rule, "missing values come from the nearest training samples")
    if manifest.get("covariates"):
        rules += f"; missing covariates are imputed by {manifest['features']['impute']}"
    kept = "panel.safetensors" in manifest.get("files", {})
    drawn = "; the prediction of a sample that lacks genes or covariates has an interval, drawn from training samples kept in the bundle"
    return f"{rules}{drawn * kept}; samples without a label trained nothing."


def _redundancy(manifest):
    checked = f"no two samples of different groups have the same counts, or correlate by more than {duplicates.SAME}"
    if manifest["counts_unit"] in duplicates.COUNTED:
        checked += ", or surely differ by counting noise alone"
    return f"{checked}; the run stops at such a pair."


def _batch(manifest):
    if not manifest.get("batch_column"):
        return "the design names no batch."
    return (
        f"column `{manifest['batch_column']}`; its association with the target is in the run's `report.html`."
    )


def _features(manifest):
    selection = (manifest.get("features") or {}).get("selection", "none")
    text = (
        f" on {manifest['features']['count']} columns chosen by `{selection}`" if selection != "none" else ""
    )
    covariates = manifest.get("covariates") or []
    return text + (f", with covariates {', '.join(f'`{name}`' for name in covariates)}" if covariates else "")


def _settings(manifest):
    """Imbalance, calibration and threshold, where there are classes and the manifest knows them."""
    training = manifest.get("settings") or {}
    if manifest["task"] != "classification" or not training:
        return "* Settings that are not named here were left at their defaults; see `manifest.json`."
    threshold = words.rule(manifest) or "see `model/model.json`"
    return "\n".join(
        [
            f"* Class imbalance: `{training['imbalance']}`, {BALANCED[_class_weight(manifest)]}.",
            f"* Probabilities: `{training['calibration']}`, {CALIBRATED[training['calibration']]}; classes as common as in training.",
            f"* Threshold: `{training['threshold']}`, {threshold}.",
        ]
    )


def _class_weight(manifest):
    """Class weights that `imbalance` gave this model; some models have their own default."""
    imbalance = manifest["settings"]["imbalance"]
    if manifest.get("code"):
        return {"auto": "none", "class_weights": "balanced"}.get(imbalance, imbalance)
    return models.make(manifest["model"], task=manifest["task"], imbalance=imbalance).class_weight


def _code(manifest):
    """A line on the file of a model that a user brought."""
    return "".join(
        f"\nNot of rna2model: `model/{code['file']}` (sha256 {code['sha256']}) makes the model and is imported to predict, which"
        f" `--allow-code` has to allow. Types that skops reads for it: {', '.join(code['types']) or 'its own'}."
        for code in manifest.get("code") or ()
    )


def _grouped(manifest):
    group = (manifest.get("design") or {}).get("group")
    return f", never dividing a `{group}`" if group else ""


def _seen(manifest):
    if manifest["normalization"] == "within_sample":
        return "Genes are compared within each sample: neither normalization nor batch correction"
    return (
        f"Normalization `{manifest['normalization']}`, batch correction `{manifest['batch_correction']}`, both learned on the\n"
        "training samples and frozen"
    )


def _sides(manifest, side):
    return f"`{((manifest.get('evaluation') or {}).get('transfer') or {}).get(side)}`"


def _elsewhere(manifest, scores, shown):
    """Scores on the fixed hold-out, after the transfer, and on batches left out of training."""
    text = _scores_there(scores.get("holdout"), shown, "On the fixed hold-out, scored once")
    text += _scores_there(
        scores.get("transfer"),
        shown,
        f"Trained on {_sides(manifest, 'train')}, tested once on {_sides(manifest, 'test')}",
    )
    return text + _scores_there(
        scores.get("leave_one_batch_out"), shown, "On batches that training never saw"
    )


def _scores_there(held, shown, where):
    values = [
        f"{name} {_interval(held[name])}, n = {held[name]['n']}" for name in shown if name in (held or {})
    ]
    return f"\n{where}: {'; '.join(values)}.\n" if values else ""


def _rows(scores, chance, shown):
    return "\n".join(
        f"| {name} | {_interval(scores[name])} | {_number(chance.get(name, {}).get('estimate'))} | {scores[name]['n']} |"
        for name in shown
        if name in scores
    )


def _meanings(scores, shown):
    """The definition of each metric in the table."""
    meanings = [f"`{name}`: {words.METRICS[name][1]}" for name in shown if name in scores]
    return f"{'. '.join(meanings)}."


def _interval(value):
    if value["estimate"] is None:
        return f"not defined: {value.get('note', '')}"
    if value["lower"] is not None and value["lower"] == value["upper"]:
        return f"{_number(value['estimate'])} (no interval: every resample gives this)"
    ends = f"{_number(value['lower'])} to {_number(value['upper'])}"
    if value.get("lower_corrected") is not None:
        ends += f"; corrected {_number(value['lower_corrected'])} to {_number(value['upper_corrected'])}"
    if value.get("chance") is not None:
        ends += f"; chance {_number(value['chance'])}"
    return f"{_number(value['estimate'])} ({ends})"


def _number(value):
    return "not defined" if value is None else number(value)


def _permutation(scores, manifest):
    test = scores.get("permutation")
    if not test:
        return "\nThe scores were not compared with those of shuffled labels.\n"
    lead = test["within_batches"] if permutation.leads_within(test) else test
    where = " within batches" if lead is not test else ""
    sentence = f"Labels shuffled{where} reached this {test.get('metric', 'score')} with p = {lead['p']:.3g} ({lead['n']} permutations)."
    if lead is not test:
        sentence += f" Over the cohort p = {test['p']:.3g} ({test['n']} permutations), in which the batch has its part."
    return f"\n{sentence} {permutation.explained(test, manifest)}\n"


def _small(scores):
    n = max((value["n"] for value in scores.values() if "estimate" in value), default=0)
    return (
        f"\n**Warning: {n} test samples; below about {SMALL}, no such score is precise.**\n"
        if n < SMALL
        else ""
    )


def _versions(libraries):
    return ", ".join(f"{name} {version}" for name, version in libraries.items() if version)
