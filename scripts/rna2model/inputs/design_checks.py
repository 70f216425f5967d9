"""Check that the sheet has what the design needs: columns, classes, batches, and reads that the chosen tools accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import outcome, placeholders, splits, transfer
from rna2model.core.errors import InputProblem
from rna2model.core.missing import is_missing
from rna2model.expression.batch import registry
from rna2model.expression.features import covariates
from rna2model.inputs import left_out_batches, sheet_values, subgroup_columns, transfer_checks
from rna2model.serving import unknown_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rna2model.inputs.sheet import Sample

MOST_TRIED, REPEATS_TRIED = 300, 20  # samples and repeats whose folds are assigned to see whether they can be


def check_sources(path: str | Path, samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Problems of samples whose reads the chosen tools do not accept."""
    counter, aligner = config["quantification"]["tool"], config["alignment"]["tool"]
    umi = config["trimming"]["umi"]
    umi_in_r2 = isinstance(umi, list) and "N" not in umi[0]
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
        elif not sample.bam and sample.layout == "single" and umi_in_r2 and not sample.exclude:
            problems.append(
                f"{path} row {sample.row}: sample {sample.name} is single-end, but trimming.umi {umi} has no N for R1"
            )
    return problems


def check_columns(path: str | Path, samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Problems of the columns that hold what is predicted, batch, group and hold-out (a list of str)."""
    design, problems = config["design"], []
    columns = next(iter(samples.values())).metadata if samples else {}
    named = [(f"design.{role}", design[role]) for role in ("target", "time", "event", "batch", "group")]
    named += [("design.covariates", column) for column in design["covariates"]]
    named += [("evaluation.subgroups", column) for column in config["evaluation"]["subgroups"]]
    moved = transfer.named(config["evaluation"]["transfer"])
    named += [(f"evaluation.transfer.{side}", column) for side, (column, _) in moved.items()]
    for key, column in [*named, ("evaluation.holdout", config["evaluation"]["holdout"])]:
        if column and column not in columns and not (key == "design.target" and design["task"] == "survival"):
            problems.append(
                f"{path}: {key} names column {column!r}, which the sheet does not have"
                f" (metadata columns: {', '.join(columns) or 'none'})"
            )
    if problems or None in outcome.columns(design):  # the second is a problem of the config, reported there
        return problems
    used = [sample for sample in samples.values() if not sample.exclude]
    labelled = [sample for sample in used if outcome.is_known(sample.metadata, design)]
    trained = [sample for sample in labelled if not _held_out(sample, config)]
    problems += _marks(path, samples, config)
    if samples and not used:
        return [
            *problems,
            f"{path}, column exclude: every sample is excluded; empty the cells of those that take part",
        ]
    if labelled and not trained:
        return [
            *problems,
            f"{path}, column {config['evaluation']['holdout']}: every labelled sample is held out",
        ]
    unclear = placeholders.suspect_cells(used, design)
    problems += placeholders.problems(path, used, design)
    labelled, trained = (placeholders.without(among, unclear, design) for among in (labelled, trained))
    problems += outcome.problems(path, trained, design) + sheet_values.problems(path, used, design)
    for role, among in (("batch", used), ("group", labelled)):
        column = design[role]
        problems += [
            f"{path} row {sample.row}, column {column}: is empty; every "
            + ("sample needs its batch" if role == "batch" else "labelled sample needs its group")
            for sample in among
            if column and is_missing(sample.metadata[column])
        ]
    wanted = config["expression"]["reference_batch"]
    batches = sorted({sample.metadata[design["batch"]] for sample in trained}) if design["batch"] else []
    if wanted is not None and wanted not in batches:
        problems.append(
            f"{path}, column {design['batch']}: no labelled sample is of expression.reference_batch {wanted!r}"
            f" (there are: {', '.join(batches)})"
        )
    problems += _covariates(path, labelled, design) + subgroup_columns.problems(path, labelled, config)
    problems += _adjusted(path, labelled, trained, config)
    problems += _hold_out(path, labelled, trained, config)
    problems += transfer_checks.problems(path, trained, config)
    if not problems:
        problems += _confounded(path, trained, config)
    if config["evaluation"]["leave_one_batch_out"] and not problems:
        problems += left_out_batches.problems(path, trained, design)
    return problems


def check_served(path: str | Path, samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Problems of a sheet whose samples a frozen bundle serves: it needs the covariates, and labels that can be read."""
    design, columns = config["design"], next(iter(samples.values())).metadata
    problems = [
        f"{path}: column {column!r} is missing; the bundle needs this clinical covariate of every sample"
        for column in design["covariates"]
        if column not in columns
    ]
    problems += _marks(path, samples, config)
    used = [sample for sample in samples.values() if not sample.exclude]
    problems += placeholders.problems(path, used, design)
    labelled = [sample for sample in used if outcome.is_known(sample.metadata, design)]
    labelled = placeholders.without(labelled, placeholders.suspect_cells(used, design), design)
    if design["task"] != "classification":
        problems += outcome.cell_problems(path, labelled, design)
    return problems


def _held_out(sample, config):
    column = config["evaluation"]["holdout"]
    return bool(column) and not is_missing(sample.metadata[column])


def _marks(path, samples, config):
    """Problems of the columns in which any text counts as yes."""
    columns = {"exclude": "exclude the sample"}
    if config["evaluation"]["holdout"]:
        columns[config["evaluation"]["holdout"]] = "hold the sample out"
    if config["training"]["pretrain_unlabelled"]:
        columns["pretrain"] = "mark the sample for pretraining"
    return sheet_values.marks(path, samples.values(), columns)


def _hold_out(path, labelled, trained, config):
    """Problems of the fixed test set: it must be there, be labelled, and share no group with what trains."""
    column, group = config["evaluation"]["holdout"], config["design"]["group"]
    held = [sample for sample in labelled if _held_out(sample, config)]
    if not column:
        return []
    if not held:
        return [
            f"{path}, column {column}: no labelled sample has a value, so evaluation.holdout holds out nothing"
        ]
    problems = unknown_labels.held_out_problems(path, held, trained, config)
    if (
        config["design"]["task"] != "classification"
    ):  # its cells must meet the same rules as those of `trained`
        problems += outcome.cell_problems(path, held, config["design"])
    shared = {s.metadata[group] for s in trained} & {s.metadata[group] for s in held} if group else set()
    problems += [
        f"{path}, column {group}: {name!r} has samples in the hold-out (column {column}) and outside it; a group belongs"
        " to one of them as a whole"
        for name in sorted(shared)
        if not is_missing(name)
    ]
    return problems


def _covariates(path, labelled, design):
    """Problems of covariates: the target or group among them, fewer than two values, or ambiguous cells."""
    problems = []
    for column in design["covariates"]:
        if column in (design["target"], design["group"]):
            role = "target" if column == design["target"] else "group"
            problems.append(f"config: design.covariates names {column!r}, which is the {role}; leave it out")
        elif len({s.metadata[column] for s in labelled if not is_missing(s.metadata[column])}) < 2:
            problems.append(
                f"{path}, column {column}: a covariate needs at least two different values among the labelled samples"
            )
        else:
            problems += sheet_values.covariate_problems(path, labelled, column)
    return problems


def _adjusted(path, labelled, trained, config):
    """Problems of SMOTE and threshold tuning with these classes and covariates."""
    design, training, problems = config["design"], config["training"], []
    if design["task"] != "classification":
        return []
    classes = sorted({sample.metadata[design["target"]] for sample in trained})
    if training["threshold"] == "tuned" and len(classes) > 2:
        problems.append(
            f"{path}, column {design['target']}: training.threshold tuned is for two classes, here are {len(classes)}"
            f" ({', '.join(classes)}); leave it out: the most probable class is predicted"
        )
    if training["imbalance"] == "smote":
        problems += [
            f"{path}, column {column}: training.imbalance smote makes samples between others, and this covariate has"
            " categories, which have nothing in between; use class_weights, or leave the covariate out"
            for column in design["covariates"]
            if covariates.kind([s.metadata[column] for s in labelled]) == "category"
        ]
    return problems


def _confounded(path, labelled, config):
    """Problem of a batch correction where the batch is the target, as the sheet alone shows."""
    design = config["design"]
    if config["expression"]["batch_correction"] in ("none", "auto") or not design["batch"]:
        return []  # the second is a problem of the config, reported there
    try:
        classes = outcome.classes(design["task"], _outcome(labelled, design))
        registry.check_confounding([s.metadata[design["batch"]] for s in labelled], classes)
    except InputProblem as problem:
        return [f"{path}, column {design['batch']}: {problem}"]
    return []


def too_few_to_train(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> str:
    """Why the labelled samples cannot be split into the folds, or an empty text.

    With reads this is only a warning, since counting needs no folds; the rule that assigns the folds stops the run
    after quality control. With a count matrix the Snakefile stops at once.
    """
    design, evaluation = config["design"], config["evaluation"]
    folds = evaluation["folds"]
    labelled = [s for s in samples.values() if not s.exclude and outcome.is_known(s.metadata, design)]
    labelled = [s for s in labelled if not _held_out(s, config)]
    names = [s.name for s in labelled]
    groups = np.array([s.metadata[design["group"]] for s in labelled] if design["group"] else names)
    try:
        labels, needed = outcome.strata(design["task"], _outcome(labelled, design), groups, folds)
        splits.check_enough(labels, groups, folds, needed)
        if (
            design["group"] and len(names) <= MOST_TRIED
        ):  # groups of several classes may leave a fold without one
            repeats = min(evaluation["repeats"], REPEATS_TRIED)
            list(splits.assigned(names, labels, groups, folds, repeats, evaluation["seed"], needed))
    except InputProblem as problem:
        return f"no model can be trained on this sheet: {problem}"
    return ""


def _outcome(labelled, design):
    return outcome.read(design, lambda column: [sample.metadata[column] for sample in labelled])
