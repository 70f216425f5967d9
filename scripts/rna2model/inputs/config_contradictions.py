"""Contradictions between config keys that are each valid alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model import models
from rna2model.cohort import transfer
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_COMBAT_SEQ = (
    "combat_seq has no form that serves new samples, so no model can be trained on it: use combat, limma, center or auto."
    " To look at its counts, set expression.combat_seq to true"
)
UNITS_NORMALIZED = {"log": ["none", "rank", "quantile"], "tpm": ["none", "tpm", "clr", "rank", "quantile"]}


def problems(config: Mapping[str, Any]) -> list[str]:
    """Problems (list of str) of keys that contradict each other."""
    return [
        *_reads_contradictions(config),
        *_task_contradictions(config),
        *_training_contradictions(config),
        *_serving_contradictions(config),
        *_model_contradictions(config),
    ]


def _reads_contradictions(config):
    """Options of trimming, alignment and counting that a chosen tool does not support."""
    trimming, alignment, counter = config["trimming"], config["alignment"], config["quantification"]["tool"]
    counts_alignments = counter in ("featurecounts", "htseq")
    wrong = {
        "alignment.two_pass needs alignment.tool star": alignment["two_pass"] and alignment["tool"] != "star",
        "quantification.tool star counts while STAR aligns: set alignment.tool star": counter == "star"
        and alignment["tool"] != "star",
        f"alignment.min_mapq, alignment.multimappers primary and trimming.umi need alignments that are counted afterwards;"
        f" quantification.tool {counter} does not count those: use featurecounts or htseq": not counts_alignments
        and (alignment["min_mapq"] > 0 or alignment["multimappers"] == "primary" or trimming["umi"]),
        "trimming.poly_a is a run of its own in Trim Galore: use fastp or cutadapt": trimming["poly_a"]
        and trimming["tool"] == "trim_galore",
        "trimming.adapters and trimming.poly_a need a trimming.tool": trimming["tool"] == "none"
        and (trimming["adapters"] != "auto" or trimming["poly_a"]),
    }
    return [f"config: {text}" for text, is_wrong in wrong.items() if is_wrong]


def _task_contradictions(config):
    """Columns and models that do not fit the task."""
    design, task = config["design"], config["design"]["task"]
    predicted = [design["time"], design["event"]] if task == "survival" else [design["target"]]
    others = {"design.batch": design["batch"], "design.group": design["group"]}
    others["evaluation.holdout"] = config["evaluation"]["holdout"]
    for side, (column, _) in transfer.named(config["evaluation"]["transfer"]).items():
        others[f"evaluation.transfer.{side}"] = column
    same = [
        f"config: {key} names {column!r}, which is what is predicted; name another column"
        for key, column in others.items()
        if column is not None and column in predicted
    ]
    able = models.named(task)
    problems = [
        f"config: models: {name} cannot do {task}; these can: {_listed(able)}"
        for name in config["models"]
        if name not in able and name not in config["own_models"]
    ]
    for key in ("time", "event"):
        if task == "survival" and not design[key]:
            problems.append(
                f"config: design.{key} is missing; survival needs the sheet's column of the {key}"
            )
        if task != "survival" and design[key]:
            problems.append(f"config: design.{key} is for design.task survival, not for {task}")
    if task != "classification" and design["positive"] is not None:
        problems.append(
            f"config: design.positive is for design.task classification, not for {task}; leave it out"
        )
    if task != "survival" and config["evaluation"]["landmarks"]:
        problems.append(f"config: evaluation.landmarks is for design.task survival, not for {task}")
    search = {
        name: values
        for name, values in config["training"]["search"].items()
        if name not in config["own_models"]
    }
    return same + problems + _search_problems(search, task)


def _search_problems(search, task):
    """Hyperparameters that a model does not have, and models that cannot do the task."""
    problems = []
    for name, values in search.items():
        try:
            models.make(name, task=task, search=values)  # knows its hyperparameters; trains nothing
        except InputProblem as problem:
            problems.append(f"config: training.search.{name}: {problem}")
    return problems


def _training_contradictions(config):
    """Options that only classification has, and permutations of models that are not trained."""
    task, training, evaluation = config["design"]["task"], config["training"], config["evaluation"]
    reasons = {
        "imbalance": ("auto", "has no classes to balance"),
        "calibration": ("auto", "predicts no class probabilities"),
        "threshold": ("default", "predicts no class"),
    }
    problems = [
        f"config: training.{key} {training[key]!r} is for design.task classification: {task} {reason}; leave it out"
        for key, (default, reason) in reasons.items()
        if task != "classification" and training[key] != default
    ]
    ensembles = models.ENSEMBLES[task]
    made_of = models.members(task, config["models"], config["own_models"])
    if len(made_of) < 2 and ensembles.keys() & set(config["models"]):
        problems.append(
            f"config: models: stack and average need two other models, there is {_listed(made_of) or 'none'}; add one"
        )
    if evaluation["learning_curve"] and config["shipped_model"] in ensembles:
        problems.append(
            f"config: evaluation.learning_curve trains the shipped model on fewer samples, which {config['shipped_model']}, made of"
            " others, cannot: leave it out, or name another model first"
        )
    problems += [
        f"config: evaluation.permuted_models: {name} is not among models ({_listed(config['models'])}); add it there"
        for name in evaluation["permuted_models"]
        if name not in config["models"]
    ]
    if evaluation["permuted_models"] and not evaluation["permutations"]:
        problems.append("config: evaluation.permuted_models needs evaluation.permutations above 0")
    return problems


def _model_contradictions(config):
    problems = []
    design, expression = config["design"], config["expression"]
    needs_batch = {
        "expression.batch_correction": expression["batch_correction"] != "none",
        "expression.combat_seq": expression["combat_seq"],
        "evaluation.leave_one_batch_out": config["evaluation"]["leave_one_batch_out"],
    }
    problems += [
        f"config: {key} needs design.batch, the sheet's column that names the batch"
        for key, needed in needs_batch.items()
        if needed and not design["batch"]
    ]
    allowed = UNITS_NORMALIZED.get(config["counts_unit"])
    if allowed and expression["normalization"] not in allowed:
        problems.append(
            f"config: expression.normalization {expression['normalization']!r} needs counts, but counts_unit"
            f" is {config['counts_unit']!r}; use {_listed(allowed)}"
        )
    lengths_needed = (
        config["counts"] and expression["normalization"] in ("tpm", "fpkm") and config["counts_unit"] != "tpm"
    )
    frozen = config["training"]["retrain"] == "never"  # then the bundle contains them
    if lengths_needed and not config["reference"]["gtf"] and not frozen:
        problems.append(
            f"config: expression.normalization {expression['normalization']!r} needs gene lengths: give reference.gtf"
        )
    problems += [
        f"config: models: {name} needs design.covariates"
        for name in sorted(models.NEED_COVARIATES.intersection(config["models"]))
        if not design["covariates"]
    ]
    if expression["combat_seq"] and config["counts_unit"] in UNITS_NORMALIZED:
        problems.append(
            f"config: expression.combat_seq needs counts, but counts_unit is {config['counts_unit']!r}"
        )
    method = expression["batch_correction"]
    wrong = {
        "expression.reference_batch": expression["reference_batch"] is not None and method != "combat",
        "expression.mean_only": expression["mean_only"] and method != "combat",
        "expression.protect_target": expression["protect_target"] and method not in ("combat", "limma"),
    }
    problems += [
        f"config: {key} does nothing with batch_correction {method!r}"
        for key, is_set in wrong.items()
        if is_set
    ]
    if expression["reference_batch"] is not None and config["evaluation"]["leave_one_batch_out"]:
        problems.append(
            "config: expression.reference_batch cannot be kept with evaluation.leave_one_batch_out, which holds that batch out"
        )
    if expression["missing"] != "refuse" and config["counts_unit"] != "log":
        problems.append(
            f"config: expression.missing {expression['missing']!r} is for counts_unit log: a missing"
            f" value among {config['counts_unit']} is an error"
        )
    if not config["counts"] and config["counts_unit"] != "counts":
        problems.append("config: counts_unit is for a matrix given as `counts`; with reads leave it out")
    return problems


def _serving_contradictions(config):
    """Keys of a frozen bundle and of pretraining that exclude each other."""
    training = config["training"]
    frozen = training["retrain"] == "never"
    pretraining = training["pretrain_unlabelled"] or training["pretrain_new"]
    wrong = {
        "training.bundle and training.predict_labelled are for training.retrain never; to start training from a bundle's"
        " weights, use training.pretrained": not frozen
        and (training["bundle"] or training["predict_labelled"]),
        "training.pretrain_unlabelled and training.pretrain_new do nothing with training.retrain never": frozen
        and pretraining,
        f"training.pretrain_unlabelled and training.pretrain_new need one of the models {_listed(sorted(models.PRETRAINED))}"
        " without training.pretrained, whose weights would be the start instead": not frozen
        and pretraining
        and (training["pretrained"] or not models.PRETRAINED.intersection(config["models"])),
    }
    return [f"config: {text}" for text, is_wrong in wrong.items() if is_wrong]


def _listed(values):
    return ", ".join(str(value) for value in values)
