"""Check the configuration against its schema and complete it with the defaults.

Every problem is collected; nothing stops at the first.
"""

import copy
import difflib
import math
import os
import re
from functools import cache
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from rna2model import models
from rna2model.errors import InputProblem

SCHEMAS = Path(__file__).resolve().parents[2] / "config" / "schemas"
NO_COMBAT_SEQ = (
    "combat_seq has no form that serves new samples, so no model can be trained on it: use combat, limma, center or auto."
    " To look at its counts, set expression.combat_seq to true"
)
UNITS_NORMALIZED = {"log": ["none", "rank", "quantile"], "tpm": ["none", "tpm", "clr", "rank", "quantile"]}
BRACES = re.compile(r"[{}]")  # Snakemake takes what is between them for a wildcard


def _is_number(_, value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


# JSON's numbers: NaN is one that no limit holds back, 5.0 is an integer that counts nothing
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


@cache
def schema(name):
    """The schema `name` (config or samples) as a dict."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())


def complete(config):
    """Return (config with defaults, problems: list of str). `config` is what the user wrote."""
    given = {
        key: value for key, value in copy.deepcopy(config).items() if value is not None
    }  # `qc:` with nothing under it
    problems = [_explain(error) for error in Validator(schema("config")).iter_errors(given)]
    if problems:
        return None, sorted(problems)
    full = _with_defaults(given, schema("config"))
    if "normalization" not in (config.get("expression") or {}) and full["counts_unit"] in UNITS_NORMALIZED:
        full["expression"]["normalization"] = "none"
    task = full["design"]["task"]
    if "models" not in given:
        full["models"] = models.DEFAULT[task]
    full["shipped_model"] = full["models"][0]
    full["models"] = list(dict.fromkeys([*full["models"], *models.ALWAYS[task]]))
    return full, _contradictions(full)


def _with_defaults(value, node):
    """`value` completed, its keys in the schema's order: what rules compare must not depend on the user's order."""
    full = {}
    for key, child in node["properties"].items():
        given = value.get(key, copy.deepcopy(child.get("default")))
        if "properties" in child and "anyOf" not in child:
            given = _with_defaults(given, child)
        full[key] = dict(sorted(given.items())) if "anyOf" in child and isinstance(given, dict) else given
    return full


def _explain(error):
    """One schema violation in a user's words."""
    where = ".".join(str(part) for part in error.absolute_path)
    place = f"config: {where}" if where else "config"
    if "errorMessage" in error.schema:
        return f"{place}: {error.instance!r} {error.schema['errorMessage']}"
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = [key for key in error.instance if key not in known]
        return "; ".join(f"{place}: unknown key {key!r}{_suggest(key, known)}" for key in unknown)
    if (
        where == "expression.batch_correction"
        and re.sub("[^a-z]", "", str(error.instance).lower()) == "combatseq"
    ):
        return f"{place}: {NO_COMBAT_SEQ}"
    if error.validator == "enum":
        return f"{place}: {error.instance!r} is not one of {_listed(error.validator_value)}" + _suggest(
            error.instance, error.validator_value
        )
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{place}: must be {wanted}, not {error.instance!r}"
    if error.validator in ("minimum", "maximum"):
        word = "least" if error.validator == "minimum" else "most"
        return f"{place}: must be at {word} {error.validator_value}, not {error.instance!r}"
    return f"{place}: {error.message}"


def _listed(values):
    return ", ".join(str(value) for value in values)


def _suggest(word, known):
    close = difflib.get_close_matches(str(word), [str(item) for item in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {_listed(known)})"


def _contradictions(config):
    """Problems between keys that each are fine alone."""
    return [
        *_reads_contradictions(config),
        *_task_contradictions(config),
        *_training_contradictions(config),
        *_serving_contradictions(config),
        *_model_contradictions(config),
    ]


def _reads_contradictions(config):
    """Options of trimming, alignment and counting that one of the chosen tools cannot keep."""
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
    """Columns and models that do not belong to the task."""
    design, task = config["design"], config["design"]["task"]
    predicted = [design["time"], design["event"]] if task == "survival" else [design["target"]]
    others = {"design.batch": design["batch"], "design.group": design["group"]}
    others["evaluation.holdout"] = config["evaluation"]["holdout"]
    same = [
        f"config: {key} names {column!r}, which is what is predicted; name another column"
        for key, column in others.items()
        if column is not None and column in predicted
    ]
    able = models.for_task(task)
    problems = [
        f"config: models: {name} cannot do {task}; these can: {_listed(able)}"
        for name in config["models"]
        if name not in able
    ]
    for key in ("time", "event"):
        if task == "survival" and not design[key]:
            problems.append(
                f"config: design.{key} is missing; survival needs the sheet's column of the {key}"
            )
        if task != "survival" and design[key]:
            problems.append(f"config: design.{key} is for design.task survival, not for {task}")
    if task != "survival" and config["evaluation"]["landmarks"]:
        problems.append(f"config: evaluation.landmarks is for design.task survival, not for {task}")
    return same + problems + _search_problems(config["training"]["search"], task)


def _search_problems(search, task):
    """Hyperparameters that a model does not have, and models that cannot do the task."""
    problems = []
    for name, values in search.items():
        try:
            models.make(name, task=task, search=values)  # knows what it searches; trains nothing
        except InputProblem as problem:
            problems.append(f"config: training.search.{name}: {problem}")
    return problems


def _training_contradictions(config):
    """What classes alone can have, and permutations of models that are not trained."""
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
    frozen = config["training"]["retrain"] == "never"  # then the bundle has them
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
        for key, given in wrong.items()
        if given
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
    """Keys of a frozen bundle and of pretraining that do nothing beside each other."""
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


def locate(path, folders):
    """`path` itself if absolute, else its first existing place in `folders`, else in the first of them."""
    path = Path(os.path.expanduser(path))  # a user that does not exist is left as it is
    if path.is_absolute():
        return path
    places = [Path(folder) / path for folder in folders]
    return next((place for place in places if os.path.exists(place)), places[0])


def unreadable(path, folder=False):
    """Why `path` cannot be read as a file (or folder), or an empty text."""
    if os.path.isfile(path) or os.path.isdir(path):
        if os.path.isdir(path) != folder:
            return "is a file, not a folder" if folder else "is a folder"
        if BRACES.search(str(path)):
            return "a path with { or } cannot be used, rename or link it"
        return "" if os.access(path, os.R_OK) else "you may not read it"
    return "is a link to a file that is not there" if os.path.islink(path) else "no such file"


def resolve_files(config, folders):
    """Make the paths of `config` findable from `folders`; return the problems (files that are not there)."""
    problems = []
    reads = not config["counts"]
    wanted = [((), "samples", True), ((), "counts", False)]
    wanted += [(("reference",), key, reads and key != "index") for key in ("fasta", "gtf", "index")]
    wanted += [(("trimming",), "rrna", False), (("training",), "pretrained", False)]
    wanted += [(("training",), "bundle", False)]
    wanted += [((section,), "gene_sets", False) for section in ("expression", "features")]
    for parents, key, required in wanted:
        node = config
        for parent in parents:
            node = node[parent]
        name = ".".join([*parents, key])
        if node[key] is None:
            if required:
                problems.append(f"config: {name} is missing; reads need a reference genome and annotation")
            continue
        path = locate(node[key], folders)
        why = unreadable(path, folder=key in ("index", "pretrained"))
        if why:
            problems.append(f"config: {name}: {why}: {path}")
        elif key == "rrna" and "," in str(path):
            problems.append(
                f"config: {name}: bowtie2 takes a path with a comma for two; rename or link it: {path}"
            )
        node[key] = str(path)
    return problems
