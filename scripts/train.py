"""Train one model on the training samples of one split."""

from pathlib import Path

from rna2model import models
from rna2model.cohort import cohort
from rna2model.core import gpu, job
from rna2model.serving import pretrained
from rna2model.training import pipeline, preprocessing, split_data

job.start(snakemake)
inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = split_data.read(inputs.cohort, inputs.manifest, wildcards.split, params.design)
fitted = preprocessing.load(inputs.normalizer, inputs.batch_model, inputs.features)

options, training = {}, params.get("training", {})
if models.is_network(wildcards.model, {wildcards.model: training.get("own", {})}):
    beside = Path(snakemake.log[0])
    options = {"journal": beside.with_suffix(".jsonl"), "checkpoint": beside.with_suffix(".checkpoint")}
    if training.get("tensorboard"):
        options["tensorboard"] = beside.with_suffix(".tensorboard")
    if inputs.get("unlabelled"):
        options["unlabelled"] = split_data.unlabelled(data, cohort.read(inputs.unlabelled), fitted)
        print(f"{wildcards.model}: {len(options['unlabelled'])} samples without label in pretraining")

if inputs.get("members"):
    options["members"] = list(inputs.members)

model = pipeline.make_model(
    wildcards.model,
    training,
    fitted.names,
    pretrained.read,
    seed=params.seed,
    inner_folds=params.inner_folds,
    device=gpu.device(params.gpus),
    threads=snakemake.threads,
    task=params.design["task"],
    **options,
)
pipeline.train(model, data, fitted, params.features, params.seed, log=job.news)
model.save(snakemake.output[0])
print(f"{wildcards.model}: trained on {model.settings_['device']}")
