"""Whether the sheet can carry the design: columns, classes, batches, and the kinds of reads the tools take."""

import numpy as np
from jsonschema import Draft202012Validator

from rna2model import batch, splits
from rna2model.config import schema
from rna2model.errors import InputProblem
from rna2model.sheet import is_missing


def check_sources(path, samples, config):
    """Problems of samples whose kind of reads the chosen tools cannot take."""
    counter, aligner = config["quantification"]["tool"], config["alignment"]["tool"]
    problems = []
    for sample in samples.values():
        if sample.bam and counter in ("star", "salmon"):
            problems.append(
                f"{path} row {sample.row}, column bam: quantification.tool {counter} counts from reads, not from BAM"
                " files; use featurecounts or htseq"
            )
        elif not sample.bam and aligner == "none" and counter != "salmon":
            problems.append(
                f"{path} row {sample.row}, column bam: is empty; with alignment.tool none every sample needs a BAM file"
            )
    return problems


def check_columns(path, samples, config):
    """Problems of the target, batch and group columns (a list of str)."""
    design, problems = config["design"], []
    columns = next(iter(samples.values())).metadata if samples else {}
    named = [(role, design[role]) for role in ("target", "batch", "group")]
    for role, column in [*named, *(("covariates", column) for column in design["covariates"])]:
        if column and column not in columns:
            problems.append(
                f"{path}: design.{role} names column {column!r}, which the sheet does not have"
                f" (metadata columns: {', '.join(columns) or 'none'})"
            )
    if problems:
        return problems
    used = [sample for sample in samples.values() if not sample.exclude]
    labelled = [sample for sample in used if not is_missing(sample.metadata[design["target"]])]
    classes = sorted({sample.metadata[design["target"]] for sample in labelled})
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "no value"
        problems.append(
            f"{path}, column {design['target']}: classification needs at least two classes, found {found}"
        )
    for role, among in (("batch", used), ("group", labelled)):
        column = design[role]
        problems += [
            f"{path} row {sample.row}, column {column}: is empty; every "
            + ("sample needs its batch" if role == "batch" else "labelled sample needs its group")
            for sample in among
            if column and is_missing(sample.metadata[column])
        ]
    wanted = config["expression"]["reference_batch"]
    batches = sorted({sample.metadata[design["batch"]] for sample in labelled}) if design["batch"] else []
    if wanted is not None and wanted not in batches:
        problems.append(
            f"{path}, column {design['batch']}: no labelled sample is of expression.reference_batch {wanted!r}"
            f" (there are: {', '.join(batches)})"
        )
    problems += _covariates(path, labelled, design)
    if not problems:
        problems += _confounded(path, labelled, config)
    if config["evaluation"]["leave_one_batch_out"] and not problems:
        problems += _batch_names(path, labelled, design["batch"])
    return problems


def _covariates(path, labelled, design):
    """Covariates that would give the answer away, or that say nothing."""
    problems = []
    for column in design["covariates"]:
        if column in (design["target"], design["group"]):
            role = "target" if column == design["target"] else "group"
            problems.append(f"config: design.covariates names {column!r}, which is the {role}; leave it out")
        elif len({s.metadata[column] for s in labelled if not is_missing(s.metadata[column])}) < 2:
            problems.append(
                f"{path}, column {column}: a covariate needs at least two different values among the labelled samples"
            )
    return problems


def _confounded(path, labelled, config):
    """Correcting a batch that is the target: the sheet alone rules it out."""
    design = config["design"]
    if config["expression"]["batch_correction"] in ("none", "auto") or not design["batch"]:
        return []  # the second is a problem of the config, reported there
    try:
        batch.check_confounding(
            *([s.metadata[design[role]] for s in labelled] for role in ("batch", "target"))
        )
    except InputProblem as problem:
        return [f"{path}, column {design['batch']}: {problem}"]
    return []


def too_few_to_train(samples, config):
    """Why the labelled samples cannot be split into the folds, or an empty text. Counting needs no folds, so
    this is a warning at the start; the rule that assigns the folds refuses, after quality control."""
    design = config["design"]
    labelled = [s for s in samples.values() if not s.exclude and not is_missing(s.metadata[design["target"]])]
    groups = [s.metadata[design["group"]] if design["group"] else s.name for s in labelled]
    try:
        labels = np.array([s.metadata[design["target"]] for s in labelled])
        splits.check_enough(labels, np.array(groups), config["evaluation"]["folds"])
    except InputProblem as problem:
        return f"no model can be trained on this sheet: {problem}"
    return ""


def _batch_names(path, labelled, column):
    names = sorted({sample.metadata[column] for sample in labelled})
    pattern = schema("samples")["properties"]["sample"]["pattern"]
    bad = [n for n in names if list(Draft202012Validator({"pattern": pattern}).iter_errors(n))]
    problems = [
        f"{path}, column {column}: batch {name!r} becomes a file name for leave_one_batch_out;"
        " use letters, digits, '.', '_' or '-'"
        for name in bad
    ]
    if len(names) < 2:
        problems.append(f"{path}, column {column}: leave_one_batch_out needs at least two batches")
    return problems
