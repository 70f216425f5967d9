"""The methods paragraph with the run's own numbers and versions, and its provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.report import permutation
from rna2model.report import words as report_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOOLS = {
    "star": "STAR",
    "hisat2": "HISAT2",
    "featurecounts": "featureCounts (subread)",
    "htseq": "HTSeq",
    "salmon": "Salmon",
}
TOOLS |= {"cutadapt": "Cutadapt", "trim_galore": "Trim Galore", "pydeseq2": "PyDESeq2"}
STRATA = {"classification": "class", "regression": "quantiles of the target", "survival": "event"}
NAMES = {
    "logistic_l2": "L2-penalised logistic regression",
    "linear_svm": "a linear support vector machine",
    "clinical": "the covariates alone",
    "genes_only": "the genes alone",
    "elastic_net": "an elastic net",
    "lasso": "a lasso",
    "knn": "nearest neighbours",
    "ktsp": "top scoring pairs of genes",
    "panel": "a panel of few genes as ratios to reference genes",
    "decision_tree": "a decision tree",
    "random_forest": "a random forest",
    "gradient_boosting": "gradient boosting",
    "mlp": "a multilayer perceptron",
    "autoencoder": "an autoencoder",
    "vae": "a variational autoencoder",
    "attention": "an attention network",
    "cnn": "a convolutional network",
    "ridge": "ridge regression",
    "cox_ridge": "L2-penalised Cox regression",
    "dummy": "a model without genes",
    "stack": "a stack of the other models (logistic or ridge regression on their inner out-of-fold predictions)",
    "average": "the mean of the other models' predictions",
}
CITED = {  # what a paper that uses a method must name
    "tmm": "TMM (Robinson & Oshlack 2010)",
    "deseq2": "DESeq2's median of ratios (Love et al. 2014)",
    "vst": "DESeq2's variance stabilising transformation (Anders & Huber 2010)",
    "upper_quartile": "upper quartiles (Bullard et al. 2010)",
    "combat": "ComBat (Johnson et al. 2007)",
    "limma": "limma's removeBatchEffect (Ritchie et al. 2015)",
    "center": "centring each batch without labels",
    "rank": "ranks within each sample",
    "within_sample": "nothing but the sample itself: genes are compared within it",
}


def paragraphs(run: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """List of paragraphs in the words of a methods section."""
    return [
        _samples(run, config),
        _expression(run, config),
        _models(run, config),
        _scores(run, config),
        *_differential(run),
        software(run),
    ]


def _samples(run: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    flow, design = run["flow"], config["design"]
    classes = ", ".join(f"{name} {count}" for name, count in flow["classes"].items())
    sentence = f"{flow['included']} of {flow['sheet']} samples passed quality control, {flow['labelled']} of them with a label"
    sentence += f" ({classes}). " if classes else ". "
    if design["group"]:
        known = {run["group_of"].get(name) for name in run["predictions"][run["shipped"]]["sample"]}
        sentence += f"They come from {len(known)} groups (column {design['group']}). "
    return f"{sentence}{reads(run)}"


def reads(run: Mapping[str, Any]) -> str:
    """How reads became counts."""
    counting = run["manifest"].get("counting")
    if not counting:
        return f"Counts were given as a matrix ({run['manifest']['counts_unit']})."
    tool = {key: counting[key]["tool"] for key in ("trimming", "alignment", "quantification")}
    steps = [f"trimmed with {_with_version(run, tool['trimming'])}"] if tool["trimming"] != "none" else []
    if tool["alignment"] != "none" and tool["quantification"] != "salmon":
        steps.append(f"aligned with {_with_version(run, tool['alignment'])}")
    steps.append(f"counted per gene with {_with_version(run, tool['quantification'])}")
    reference = run["manifest"].get("reference") or {}
    genes = f" against an annotation of {reference['genes']} genes" if reference.get("genes") else ""
    return f"Reads were {_and(steps)}{genes}; strandedness was determined per sample."


def _differential(run: Mapping[str, Any]) -> Iterator[str]:
    """The test of differential expression (PyDESeq2) with its number of genes; nothing if it was not run."""
    if run["differential"] is None or not run["differential"]["p"].notna().any():
        return
    called = run["differential"]["padj"] < 0.05
    yield (
        f"Differential expression was tested with {_with_version(run, 'pydeseq2')} (Muzellec et al. 2023; Love et al. 2014) on the"
        f" labelled samples: {called.sum()} of {run['differential']['p'].notna().sum()} tests have a false discovery rate below 0.05."
    )


def cited(method: str) -> str:
    """The name of a method with its citation."""
    return CITED.get(method, method)


def _expression(run: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    expression, inner = config["expression"], config["evaluation"]["inner_folds"]
    method = cited(run["manifest"]["normalization"])
    corrected = run["manifest"]["batch_correction"]
    batches = (
        "No batch correction was applied."
        if corrected == "none"
        else f"Batches were corrected by {cited(corrected)}."
    )
    chosen = (
        " What is done about batches was chosen on training samples by leaving batches out and treating them as new ones."
        if expression["batch_correction"] == "auto"
        else ""
    )
    selection = config["features"]["selection"]
    selected = (
        ""
        if selection == "none"
        else f" {config['features']['count']} features were selected by {selection.replace('_', ' ')}."
    )
    return (
        f"Expression was normalised with {method}. {batches}{chosen}{selected} Gene filter, normalisation, correction,"
        f" selection, scaling and hyperparameters ({inner} inner folds) were fitted on the training samples of each split only."
    )


def _models(run: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    evaluation, design = config["evaluation"], config["design"]
    rivals = [model_name(model) for model in run["models"]]
    grouped = f" that never divides a {design['group']}" if design["group"] else ""
    text = (
        f"{_and(rivals)[0].upper()}{_and(rivals)[1:]} were compared by {evaluation['repeats']} x {evaluation['folds']}-fold"
        f" cross-validation stratified by {STRATA[design['task']]}{grouped} (seed {evaluation['seed']})."
    )
    if design["covariates"]:
        text += f" Models also saw {_and(design['covariates'])}."
    training = config["training"]
    settings = [
        f"{key} {training[key]}" for key in ("imbalance", "calibration", "threshold") if key in training
    ]
    if design["task"] != "classification":
        return text
    rule = report_words.rule(run["manifest"])
    text += f" Settings: {', '.join(settings)}; probabilities are those of the classes' shares in training."
    return f"{text} In the final model {rule}." if rule else text


def _scores(run: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    from rna2model.evaluation.classification import leading
    from rna2model.report.checks import number
    from rna2model.report.words import words

    main = leading(run["task"], run["metrics"][run["shipped"]])
    value, text = run["metrics"][run["shipped"]].get(main, {}), ""
    unit = config["design"]["group"] or "sample"
    if value.get("estimate") is not None:
        floor = run["metrics"]["dummy"].get(main, {}).get("estimate")
        text = (
            f"The shipped model, {model_name(run['shipped'])}, was named before any score was known. It reached"
            f" {words(main)} {number(value['estimate'])} (95 % interval {number(value['lower'])} to"
            f" {number(value['upper'])}, n = {value['n']}; a model without genes {number(floor)}). "
        )
    text += f"Intervals are percentiles of 1,000 bootstraps of {unit}s within folds."
    if value.get("lower_corrected") is not None:
        text += (
            f" Corrected for the choice of training samples (Nadeau & Bengio 2003) the interval is {number(value['lower_corrected'])}"
            f" to {number(value['upper_corrected'])}."
        )
    test = run["metrics"][run["shipped"]].get("permutation")
    if test:
        text += f" Permutation test: {permutation.quoted(test)}."
        text += f" {permutation.explained(test, run['manifest'])}"
    return text


def software(run: Mapping[str, Any]) -> str:
    """rna2model and the libraries that the bundle was made with."""
    libraries = {name: version for name, version in run["manifest"]["libraries"].items() if version}
    listed = ", ".join(f"{name} {version}" for name, version in libraries.items())
    return f"Analyses used rna2model {run['manifest']['rna2model']}{' with ' + listed if listed else ''}."


def model_name(model: str) -> str:
    """The name of a model as papers write it."""
    return NAMES.get(model, model.replace("_", " "))


def _with_version(run: Mapping[str, Any], tool: str) -> str:
    """A tool's name, with its version if the run recorded it."""
    called = TOOLS.get(tool, tool)
    if run["versions"] is None:
        return called
    names = {"featurecounts": "subread", "htseq": "htseq-count"}
    for row in run["versions"].itertuples():
        if row.software.lower() in (tool, names.get(tool)):
            return f"{called} {row.version}"
    return called


def _and(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def provenance(run: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Versions, checksums and config that reproduce the run."""
    keys = ("rna2model", "libraries", "reference", "genes", "code", "files")
    files = {name: own["file"] for name, own in config.get("own_models", {}).items()}  # without their texts
    shown = {**config, "own_models": files} if files else config
    return {key: run["manifest"][key] for key in keys if key in run["manifest"]} | {"config": shown}
