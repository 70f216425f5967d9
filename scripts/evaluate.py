"""Gather the out-of-fold predictions of one model and compute its metrics and its calibration."""

import json
from pathlib import Path

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import (
    calibration_bins,
    classification,
    conformal,
    decision_curve,
    delong,
    operating_point,
    predictions,
    risk_groups,
    smooth_calibration,
)
from rna2model.evaluation.permutation import draws
from rna2model.report import run_data
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, design = cohort.read(inputs.cohort), params.design
manifest = split_data.read_manifest(inputs.manifest)
groups, positive = split_data.group_of(data, design), design.get("positive")


def metrics(table):
    """Scores of a table of predictions; survival takes its censoring weights from the training samples of each split."""
    training = split_data.training_outcomes(data, manifest, set(table["split"]), design)
    scores = classification.metrics(
        table, groups=groups, seed=params.seed, task=design["task"], training=training
    )
    if design["task"] == "classification":
        scores |= operating_point.metrics(table, groups, params.seed, positive=positive)
    return scores


table = predictions.read(inputs.folds)
predictions.write(table, snakemake.output.predictions)
calibration_bins.table(table, design["task"]).to_csv(snakemake.output.calibration, sep="\t", index=False)
scores = metrics(table)
smooth, curve = smooth_calibration.measure(table, design["task"], groups, params.seed, positive=positive)
scores |= smooth
curve.to_csv(snakemake.output.curve, sep="\t", index=False)
if snakemake.output.get("decision"):
    decisions = decision_curve.table(table, groups, params.seed, positive=positive)
    decisions.to_csv(snakemake.output.decision, sep="\t", index=False)
apart = {"leave_one_batch_out": inputs.batches, "holdout": inputs.holdout, "transfer": inputs.transfer}
for key, files in apart.items():
    held_out = predictions.read(files) if files else []
    if len(held_out):
        scores[key] = metrics(held_out)
        if key != "leave_one_batch_out" and design["task"] == "classification":
            scores[key] = delong.replace(scores[key], classification.read(held_out, groups))
    elif files:
        print(f"{key}: none of its samples passed quality control; it is not scored")
if inputs.batches:
    names = sorted({name for name in predictions.read(inputs.batches)["split"]})
    scores["held_out_batches"] = split_data.held_out_batches(data, manifest, names, design)
if inputs.permutation:
    test = json.loads(Path(inputs.permutation[0]).read_text())
    if "p" in test:  # otherwise its note gives the reason
        scores["permutation"] = draws.without_values(test)
if sets := conformal.fit(table, design["task"], groups):
    scores["conformal"] = sets
if design["task"] == "survival":
    scores["risk_groups"] = risk_groups.summary(run_data.first_repeat(table))
Path(snakemake.output.metrics).write_text(json.dumps(scores, indent=1) + "\n")
