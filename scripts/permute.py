"""Permutation test of one model over the cross-validation folds."""

import json
import math
from pathlib import Path

from rna2model import models
from rna2model.core import gpu, job
from rna2model.core.errors import InputProblem
from rna2model.evaluation.permutation import any_model, draws, logistic, ridge
from rna2model.expression.features import selection
from rna2model.serving import pretrained
from rna2model.training import pipeline, preprocessing, split_data

job.start(snakemake)
inputs, params, name = snakemake.input, snakemake.params, snakemake.wildcards.model
task = params.design["task"]
device = gpu.device(params.gpus)  # imported here, since a missing GPU is an error only if the test is run
training = {**params.training, "threshold": "default"}  # classes are ranked, whatever is predicted
kind = models.class_of(name, task, training.get("own"))

folds, seen = [], []
for split, fitted in zip(params.folds, preprocessing.load_splits(inputs, kind), strict=True):
    data = split_data.read(inputs.cohort, inputs.manifest, split, params.design)
    seen.append(fitted.names)
    folds.append(
        draws.PermutationFold(
            split,
            data.train,
            data.test,
            data.expression(data.train, fitted),
            data.expression(data.test, fitted, unseen=params.unseen_batch),
            selection.make(params.features, features=fitted.features, seed=params.seed, sees=kind.SEES),
        )
    )

outcomes = dict(zip(data.cohort.samples, data.outcome(data.cohort.samples), strict=True))
if training.get("calibration") == "sigmoid" and len(set(outcomes.values())) == 2:
    training["calibration"] = (
        "none"  # a sigmoid keeps the order of samples, and costs a fit for each inner fold
    )
options = {
    "groups": split_data.group_of(data.cohort, params.design),
    "batches": split_data.batch_of(data.cohort, params.design),
    "n": params.permutations,
    "seed": params.seed,
    "log": job.news,
}
fast = {"logistic_l2": logistic, "ridge": ridge}.get(name)


def make(fold):
    """The model as rule train makes it, for the permutations of one fold."""
    return pipeline.make_model(
        name,
        training,
        seen[fold],
        pretrained.read,
        seed=params.seed,
        inner_folds=params.inner_folds,
        device=device,
        threads=snakemake.threads,
        task=task,
    )


shared = fast is not None and training.get("imbalance", "auto") in ("auto", "none")
try:
    if shared:
        result = fast.permutation_test(folds, outcomes, inner_folds=params.inner_folds, **options)
    else:
        result = any_model.permutation_test(folds, outcomes, make, task, **options)
    own = math.prod(map(len, make(0).search.values()))
    result |= {"candidates": fast.CANDIDATES if shared else own, "candidates_in_training": own}
except InputProblem as problem:  # the scores do not need it
    result = {"note": f"no permutation test (evaluation.permutations) is possible: {problem}"}
    print("WARNING:", result["note"])
Path(snakemake.output[0]).write_text(json.dumps(result, indent=1) + "\n")
