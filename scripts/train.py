"""Train one model on the training samples of one split."""

from pathlib import Path

from rna2model import job, models, splitdata

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, params.design)
normalizer, batch_model = splitdata.artefacts(given.normalizer, given.batch_model)
expression = data.expression(data.train, normalizer, batch_model)

options, training = {}, params.get("training", {})
if wildcards.model in models.TORCH:
    beside = Path(snakemake.log[0])
    options = {"journal": beside.with_suffix(".jsonl"), "checkpoint": beside.with_suffix(".checkpoint")}
    options["seeds"] = training.get("seeds", 1)
    if training.get("tensorboard"):
        options["tensorboard"] = beside.with_suffix(".tensorboard")
    if training.get("pretrained"):
        from rna2model.models import pretrained

        options["pretrained"] = pretrained.read(training["pretrained"], wildcards.model, normalizer.genes_)

model = models.make(
    wildcards.model,
    seed=params.seed,
    inner_folds=params.inner_folds,
    device="cuda" if params.gpus else "cpu",
    threads=snakemake.threads,
    search=training.get("search", {}).get(wildcards.model),
    **options,
)
model.fit(expression, data.labels(data.train), groups=data.groups(data.train))
model.save(snakemake.output[0])
print(f"{wildcards.model}: trained on {model.settings_['device']}")
