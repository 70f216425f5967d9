"""The model card of a bundle: what the run knows, and what only the author can say."""

from rna2model.evaluation import SHOWN

AUTHOR = "**The author must complete this.**"


def write(manifest, scores, chance):
    """Markdown text from the bundle's manifest and the metrics of the shipped model and of `dummy`."""
    evaluation = manifest["evaluation"]
    return f"""# Model card: {manifest["target"]} by {manifest["model"]}

## What it predicts
{manifest["task"]} of `{manifest["target"]}`: {_predicted(manifest)}, from bulk RNA-seq expression.

## Intended use, and who should not use it
{AUTHOR} Associations found by this model are not causal.

## Training data
{manifest["training"]["n"]} samples passed quality control and had a label. Source, recruitment and consent: {AUTHOR}

## How a sample becomes a prediction
Unit: {manifest["counts_unit"]}. {_counting(manifest["counting"])}
Normalization `{manifest["normalization"]}`, batch correction `{manifest["batch_correction"]}`, both learned on the
training samples and frozen; then `{manifest["model"]}`. The same files in this folder did all of it in training.
`make predict BUNDLE=this_folder SAMPLES=sheet` does it for new samples. It refuses samples that were made otherwise, flags those
unlike all training samples (`ood_score` above 1), and says what it did about a batch that training never saw.

## How well it does
{evaluation["repeats"]} x {evaluation["folds"]}-fold cross-validation; normalization, batch correction, scaling and tuning
({evaluation["inner_folds"]} inner folds) were fitted inside each fold, on its training samples only. The model was
chosen in the configuration, not by these scores.

| metric | estimate (95 % interval) | dummy | n |
|---|---|---|---|
{_rows(scores, chance, SHOWN[manifest["task"]])}
{_permutation(scores)}{_holdout(scores, SHOWN[manifest["task"]])}
The intervals cover the choice of samples from this cohort, not a new hospital, protocol or sequencing centre.
External validation: {AUTHOR}
{_small(scores)}
## Reproducing it
rna2model {manifest["rna2model"]}; libraries {_versions(manifest["libraries"])}. Checksums are in `manifest.json`.
"""


def _counting(counting):
    if not counting:
        return "The counts were given as a matrix; a new sample must be counted the same way."
    tools = (counting["trimming"]["tool"], counting["alignment"]["tool"], counting["quantification"]["tool"])
    return "Reads were trimmed, aligned and counted with {}, {} and {}.".format(*tools)


def _predicted(manifest):
    """What comes out, with what was in the training samples."""
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


def _holdout(scores, shown):
    """Scores on samples that trained nothing, where the design holds some out."""
    held = scores.get("holdout", {})
    told = [f"{name} {_interval(held[name])}, n = {held[name]['n']}" for name in shown if name in held]
    return f"\nOn the fixed hold-out, scored once: {'; '.join(told)}.\n" if told else ""


def _rows(scores, chance, shown):
    return "\n".join(
        f"| {name} | {_interval(scores[name])} | {_number(chance.get(name, {}).get('estimate'))} | {scores[name]['n']} |"
        for name in shown
        if name in scores
    )


def _interval(value):
    if value["estimate"] is None:
        return f"not defined: {value.get('note', '')}"
    return f"{_number(value['estimate'])} ({_number(value['lower'])} to {_number(value['upper'])})"


def _number(value):
    return "not defined" if value is None else f"{value:.3f}"


def _permutation(scores):
    test = scores.get("permutation")
    if not test:
        return ""
    return f"\nShuffled labels reached this {test.get('metric', 'score')} with p = {test['p']:.3g} ({test['n']} permutations).\n"


def _small(scores):
    n = max((value["n"] for value in scores.values() if "estimate" in value), default=0)
    return f"\n**Warning: {n} test samples; below about 75, no such score is precise.**\n" if n < 75 else ""


def _versions(libraries):
    return ", ".join(f"{name} {version}" for name, version in libraries.items() if version)
