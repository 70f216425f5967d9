"""Predictions of a cohort by a bundle: of new samples, or of labelled ones for an external validation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import outcome
from rna2model.evaluation import classification, conformal, delong, predictions, recalibration, risk_groups
from rna2model.qc import gate
from rna2model.serving import bundle, flags, unknown_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from rna2model.cohort.cohort import Cohort

SPLIT = "external"


def predict(
    folder: str | Path,
    data: Cohort,
    names: Sequence[str],
    counting: str | Path,
    samples: str | Path,
    design: Mapping[str, Any],
    unseen: str,
    aligned: Iterable[str] = (),
    allow_code: bool = False,
) -> pd.DataFrame:
    """Table of Bundle.predict for `names` of a Cohort, with all flags of each sample.

    counting, samples : paths of counts/matrix.json and samples.tsv of the run that made the cohort
    aligned : names of samples that were given as BAM files; allow_code : as of bundle.Bundle
    """
    serve = bundle.Bundle(folder, allow_code)
    general = [
        serve.check_counting(json.loads(Path(counting).read_text())),
        *flags.of_versions(serve.manifest),
    ]
    strands = gate.column(samples, "strandedness")
    strand_flags = flags.of_strandedness(serve.manifest, [strands[name] for name in names])
    counts = data.counts[data.rows(names)]
    known = serve.seen(names, counts, data.genes)
    elsewhere = set(aligned) if _aligns(serve) else ()
    bams = ["aligned elsewhere: how could not be compared" if name in elsewhere else "" for name in names]
    batch = design["batch"]
    return serve.predict(
        names,
        counts,
        data.genes,
        data.column(batch, names) if batch else np.full(len(names), "", dtype=object),
        unseen=unseen,
        cells={column: data.column(column, names) for column in serve.covariates},
        notes=[
            [known.get(name, ""), strand, bam, *general]
            for name, strand, bam in zip(names, strand_flags, bams, strict=True)
        ],
    )


def _aligns(serve):
    """Whether the samples that trained a bundle were aligned by this workflow."""
    counting = serve.manifest.get("counting")
    return bool(counting) and counting["alignment"]["tool"] != "none"


def unknown(
    folder: str | Path, data: Cohort, design: Mapping[str, Any], allow_code: bool = False
) -> tuple[list[str], dict[str, str]]:
    """(labelled samples of a Cohort that were not in training, {the others: how training knew them})."""
    serve, group = bundle.Bundle(folder, allow_code), design["group"]
    is_labelled = outcome.known(design, data.obs)
    names = [name for name, labelled in zip(data.samples, is_labelled, strict=True) if labelled]
    groups = data.column(group, names).tolist() if group else None
    seen = serve.seen(names, data.counts[data.rows(names)], data.genes, groups)
    return [name for name in names if name not in seen], seen


def predicted(table: pd.DataFrame) -> pd.Series:
    """(n,) bool, which samples of a table of predictions have one."""
    return table["predicted"].notna() & (table["predicted"].astype(str) != "")


def validate(
    table: pd.DataFrame, data: Cohort, names: Sequence[str], design: Mapping[str, Any], seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """(`table` of predictions with what came true, {metric: {estimate, lower, upper, n}}) of labelled samples, all predicted.

    Intervals resample groups; that of AUROC is DeLong's. Censoring weights of survival are those of these samples themselves: the bundle does not
    hold the times of its training samples. Samples whose label the model never saw are flagged, and in no metric;
    InputProblem where no other is left.
    """
    y = outcome.read(design, lambda column: data.column(column, names))
    table = predictions.scored(table, SPLIT, y)
    if not names:
        return table, {}
    groups = groups_of(data, names, design)
    table, known = unknown_labels.set_aside(table)
    scores = classification.metrics(
        table[known], groups=groups, seed=seed, task=design["task"], training={SPLIT: y}
    )
    if design["task"] == "classification":
        scores = delong.replace(scores, classification.read(table[known], groups))
    return table, scores


def details(table: pd.DataFrame, data: Cohort, design: Mapping[str, Any]) -> dict[str, Any]:
    """{name: JSON} of further results of scored samples: recalibration, coverage of prediction sets, and
    survival of the risk groups."""
    task, groups = design["task"], groups_of(data, table["sample"].tolist(), design)
    parts = {"recalibration": recalibration.of(table, task, groups)}
    if task == "survival":
        return {**parts, "risk_groups": risk_groups.summary(table)}
    return {**parts, "conformal": conformal.coverage(table, task, groups)}


def groups_of(data: Cohort, names: Sequence[str], design: Mapping[str, Any]) -> dict[str, str] | None:
    """{sample: group (donor)} of samples of a Cohort, or None; a sample without one is a group of its own."""
    if not design["group"]:
        return None
    cells = data.column(design["group"], names)
    return {name: value or name for name, value in zip(names, cells, strict=True)}
