"""Checks before any job starts: config, sheet, files, names of the splits."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.cohort import outcome, placeholders, splits, transfer
from rna2model.core import missing as cells
from rna2model.core.errors import InputProblem
from rna2model.expression.features import covariates, gene_sets
from rna2model.inputs import config as configuration
from rna2model.inputs import design_checks, frozen_bundle, matrix_head, own_models, sample_count_files, sheet
from rna2model.planning import archived_reads, disk
from rna2model.reference import by_name, index_store, precheck
from rna2model.serving import manifest, unknown_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from rna2model.inputs.sheet import Sample
    from rna2model.planning.object_storage import Store


# folders and files that a run writes right below its results
WRITTEN = {"cohort.h5ad", "predictions.tsv", "report.html", "samples.tsv", "versions.tsv"}
WRITTEN |= {"external_validation.json", "external_validation.tsv"}
WRITTEN |= {"aligned", "benchmarks", "bundle", "counts", "expression", "logs", "models", "multiqc"}
WRITTEN |= {"qc", "reads", "reference", "salmon", "splits", "versions"}
NOT_SERVED = "config: training.retrain: a frozen bundle serves where its files lie, on one machine or SLURM, not with object storage"


def check(
    user_config: dict[str, Any],
    folders: Sequence[str | Path],
    thorough: bool = False,
    written: Iterable[str | Path] = (),
    store: Store | None = None,
    tell: Callable[[str], object] = lambda text: None,
) -> tuple[dict[str, Any] | None, dict[str, Sample], list[str]]:
    """Return (config, samples, problems) of the user's config dict.

    `folders`: where relative paths are looked for, the working directory first. `thorough`: also compare the content of
    reference files with an index or a frozen bundle, which takes time once, in the process that starts the run.
    `written`: the files that `user_config` was read from. `store`: the object storage that holds all files but the
    sheet, where
    the run has one. `tell`: called with a line about what takes minutes.
    """
    made = None
    if unclear := [problem for path in written for problem in configuration.text_problems(path)]:
        return None, {}, unclear
    by_sample = sample_count_files.configured(user_config, folders)
    if store and by_sample is not user_config:
        return None, {}, [sample_count_files.NOT_STORED]
    user_config = by_sample
    if frozen_bundle.is_frozen(user_config):
        if store:
            return None, {}, [NOT_SERVED]
        user_config, made, problems = frozen_bundle.prepare(user_config, folders)
        if problems:
            return None, {}, problems
    config, problems = configuration.complete(user_config)
    if config is None:
        return None, {}, problems
    problems += index_store.prepare(config, folders, store)
    named = by_name.resolve(config, folders, thorough and not problems, tell, bool(store))
    if named:  # otherwise its files would be reported as missing, too
        return config, {}, problems + named
    missing = configuration.resolve_files(config, folders, store)
    problems += missing
    problems += own_models.resolve(config, folders, thorough)
    if not store and thorough and not config["counts"]:
        problems += index_store.repair(Path(folders[0]) / config["results"], config["reference"]["store"])
    if not store:
        problems += filter(None, [disk.unwritable(config["results"])])
    if not config["counts"] and not missing and not store:
        problems += precheck.problems(config, thorough=thorough)
    elif not config["counts"] and not missing and store and store.read:
        problems += precheck.stored_problems(config, store)
    if made is not None:
        problems += frozen_bundle.differences(made, config)
        if thorough and not problems:
            problems += frozen_bundle.reference_problems(made, config)
    for section in ("expression", "features") if not (store and missing) else ():
        problems += _gene_sets(f"{section}.gene_sets", config[section]["gene_sets"], store)
    path = Path(config["samples"])
    if not os.path.isfile(path):
        return config, {}, problems
    samples, sheet_problems = sheet.read(
        path,
        folders,
        matrix=bool(config["counts"]),
        strandedness=config["quantification"]["strandedness"],
        store=store,
        contents=thorough,
        counted=None if store else archived_reads.counted(config["results"], folders[0]),
    )
    problems += sheet_problems
    placeholders.empty(samples, config)
    problems += _results(config, _inputs(config, samples), folders, store)
    if samples and not config["counts"]:
        problems += design_checks.check_sources(path, samples, config)
    if samples and sample_count_files.are_given(config):
        problems += sample_count_files.problems(samples, config, thorough)
    elif samples and thorough and config["counts"] and not store:
        used = [name for name, sample in samples.items() if not sample.exclude]
        problems += matrix_head.problems(config["counts"], used)
    if samples and made is not None:
        frozen_bundle.add_columns(samples, config["design"])
        problems += design_checks.check_served(path, samples, config)
        if not problems:
            problems += unknown_labels.problems(path, samples, external(samples, config), config, made)
    elif samples:
        problems += design_checks.check_columns(path, samples, config)
    if (
        samples
        and not problems
        and config["training"]["pretrain_unlabelled"]
        and not pretraining(samples, config)
    ):
        problems.append(
            f"{path}: training.pretrain_unlabelled finds no sample without label that has a value in a column 'pretrain';"
            " mark some, or set training.pretrain_new to learn from the samples that are to be predicted"
        )
    return config, samples, problems


def _inputs(config, samples):
    """Every input file or folder, first those of the config, then those of the sheet."""
    named = [config["samples"], config["counts"], config["trimming"]["rrna"]]
    named += [config["reference"][key] for key in ("fasta", "gtf", "index", "store")]
    named += [config[section]["gene_sets"] for section in ("expression", "features")]
    for sample in samples.values():
        named += [*sample.fastq_1, *sample.fastq_2, sample.bam, sample.counts_file]
    return [file for file in named if file]


def _results(config, files, folders, store):
    """Problems of the results folder: no input may lie where the run would write over it."""
    results = Path(config["results"])
    place = (Path(folders[0]) / results).resolve()
    if store and not store.is_below(config["results"]):
        return [f"config: results: {results} must be a path below {store.prefix}/, such as results"]
    if not store and place.exists() and not place.is_dir():
        return [f"config: results: {results} is a file; name a folder"]
    for file in files:
        inside = store.parts(file, results) if store else _parts(Path(file).resolve(), place)
        if inside and inside[0] in WRITTEN:
            return [
                f"config: results: {results} holds {file}, which is read, where the run writes {inside[0]}: choose another"
                " folder for results"
            ]
    return []


def _parts(file, folder):
    return file.relative_to(folder).parts if file.is_relative_to(folder) else ()


def _gene_sets(key, path, store=None):
    """Problems of the GMT file of a key, if one is given."""
    try:
        if path and store and store.read:
            with store.beginning(path) as (file, whole):
                return [
                    problem.replace(str(file), path) for problem in _gene_sets(key, file if whole else None)
                ]
        if path and not store and os.path.isfile(path):
            gene_sets.read_gmt(path)
    except InputProblem as problem:
        return [f"config: {key}: {problem}"]
    return []


def find_own_tools() -> None:
    """Put the folder of this Python first on the PATH: pip installed tools there. Conda environments of rules
    still come before it."""
    own = str(Path(sys.executable).parent)
    if os.environ["PATH"].split(os.pathsep)[0] != own:
        os.environ["PATH"] = os.pathsep.join([own, os.environ["PATH"]])


def message(problems: Sequence[str]) -> str:
    """All problems as one text with one line each."""
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    return "\n".join(
        [
            f"{count} in the configuration or sample sheet; no job was started.",
            *(f"  - {p}" for p in problems),
        ]
    )


def index_prefix(config: Mapping[str, Any]) -> str | None:
    """The index argument of the aligner: the folder for STAR, folder and base name for HISAT2. None if the config
    names no index."""
    index = config["reference"]["index"]
    return precheck.hisat2_prefix(index) if index and config["alignment"]["tool"] == "hisat2" else index


def labels(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> dict[str, str]:
    """{sample: text of what is predicted} of the samples that take part in training or test."""
    return {
        name: " ".join(sample.metadata[column] for column in outcome.columns(config["design"]))
        for name, sample in samples.items()
        if not sample.exclude and outcome.is_known(sample.metadata, config["design"])
    }


def pretraining(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Names of the samples without label from which autoencoders learn, besides the training samples of a split."""
    training, trained = config["training"], labels(samples, config)
    return [
        name
        for name, sample in samples.items()
        if not sample.exclude
        and name not in trained
        and (training["pretrain_new"] or (training["pretrain_unlabelled"] and _is_marked(sample)))
    ]


def _is_marked(sample: Sample) -> bool:
    return not cells.is_missing(sample.metadata.get("pretrain"))


def to_predict(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Names of the samples in predictions.tsv: those without label that are not there for pretraining only."""
    training, trained = config["training"], labels(samples, config)
    if training["predict_labelled"]:
        trained = {}
    return [
        name
        for name, sample in samples.items()
        if not sample.exclude
        and name not in trained
        and not (training["pretrain_unlabelled"] and _is_marked(sample))
    ]


def external(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Names of the labelled samples that the frozen bundle did not see in training, by name and group."""
    group, names = config["design"]["group"], list(labels(samples, config))
    groups = [samples[name].metadata[group] for name in names] if group else None
    known = manifest.trained(manifest.read(config["training"]["bundle"]), names, groups)
    return [name for name in names if name not in known]


def design_columns(config: Mapping[str, Any]) -> set[str]:
    """The set of the sheet's columns that training and its splits read."""
    design = config["design"]
    single = [design["batch"], design["group"], config["evaluation"]["holdout"], *outcome.columns(design)]
    single += transfer.columns(config["evaluation"]["transfer"])
    return {column for column in (*single, *design["covariates"]) if column}


def covariate_kinds(config: Mapping[str, Any], samples: Mapping[str, Sample]) -> dict[str, str]:
    """{column: "number" or "category"} of design.covariates, by the cells of the labelled samples."""
    trained = labels(samples, config)
    return {
        column: covariates.kind([samples[name].metadata[column] for name in trained])
        for column in config["design"]["covariates"]
    }


def holdout(samples: Mapping[str, Sample], config: Mapping[str, Any]) -> list[str]:
    """Names of the labelled samples that are a fixed external test set."""
    column = config["evaluation"]["holdout"]
    if not column:
        return []
    return [name for name in labels(samples, config) if not cells.is_missing(samples[name].metadata[column])]


def split_names(config: Mapping[str, Any], samples: Mapping[str, Sample]) -> list[str]:
    """Names of all splits; they follow from config and sheet, so that the DAG needs no data."""
    evaluation, batches = config["evaluation"], []
    if evaluation["leave_one_batch_out"]:
        column = config["design"]["batch"]
        trained = labels(samples, config).keys() - holdout(samples, config)
        batches = sorted({samples[name].metadata[column] for name in trained})
    return splits.names(evaluation["folds"], evaluation["repeats"], batches, bool(evaluation["transfer"]))
