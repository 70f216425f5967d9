"""The model card of a bundle: what the run knows, and what only the author can say."""

AUTHOR = "**The author must complete this.**"
SHOWN = ("auroc", "auprc", "balanced_accuracy", "mcc", "brier", "calibration_slope")


def write(manifest, scores, chance):
    """Markdown text from the bundle's manifest and the metrics of the shipped model and of `dummy`."""
    classes = ", ".join(f"{name} ({count} samples)" for name, count in manifest["classes"].items())
    evaluation = manifest["evaluation"]
    return f"""# Model card: {manifest["target"]} by {manifest["model"]}

## What it predicts
{manifest["task"]} of `{manifest["target"]}`: {classes}, from bulk RNA-seq expression.

## Intended use, and who should not use it
{AUTHOR} Associations found by this model are not causal.

## Training data
{len(manifest["training_samples"])} samples passed quality control and had a label. Source, recruitment and consent: {AUTHOR}

## How a sample becomes a prediction
Unit: {manifest["counts_unit"]}. {_counting(manifest["counting"])}
Normalization `{manifest["normalization"]}`, batch correction `{manifest["batch_correction"]}`, both learned on the
training samples and frozen; then `{manifest["model"]}`. The same files in this folder did all of it in training.

## How well it does
{evaluation["repeats"]} x {evaluation["folds"]}-fold cross-validation; normalization, batch correction, scaling and tuning
({evaluation["inner_folds"]} inner folds) were fitted inside each fold, on its training samples only. The model was
chosen in the configuration, not by these scores.

| metric | estimate (95 % interval) | dummy | n |
|---|---|---|---|
{_rows(scores, chance)}
{_permutation(scores)}
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


def _rows(scores, chance):
    return "\n".join(
        f"| {name} | {_interval(scores[name])} | {_number(chance.get(name, {}).get('estimate'))} | {scores[name]['n']} |"
        for name in SHOWN
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
