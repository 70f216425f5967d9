"""Train one model on the training samples of one split."""

from pathlib import Path

from rna2model import cohort, job, models, selection, splitdata

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, params.design)
fitted = splitdata.artefacts(given.normalizer, given.batch_model, given.features)
expression = data.expression(data.train, *fitted)

options, training = {}, params.get("training", {})
if wildcards.model in models.TORCH:
    beside = Path(snakemake.log[0])
    options = {"journal": beside.with_suffix(".jsonl"), "checkpoint": beside.with_suffix(".checkpoint")}
    options["seeds"] = training.get("seeds", 1)
    if training.get("tensorboard"):
        options["tensorboard"] = beside.with_suffix(".tensorboard")
    if training.get("pretrained"):
        from rna2model.models import pretrained

        seen = fitted[-1].names_ if fitted[-1] else fitted[0].genes_
        options["pretrained"] = pretrained.read(training["pretrained"], wildcards.model, seen)
    if given.get("unlabelled"):
        options["unlabelled"] = splitdata.unlabelled(data, cohort.read(given.unlabelled), *fitted)
        print(f"{wildcards.model}: {len(options['unlabelled'])} samples without label in pretraining")

model = models.make(
    wildcards.model,
    seed=params.seed,
    inner_folds=params.inner_folds,
    device="cuda" if params.gpus else "cpu",
    threads=snakemake.threads,
    task=params.design["task"],
    search=training.get("search", {}).get(wildcards.model),
    **options,
)
select = selection.make(params.features, features=fitted[-1], seed=params.seed, sees=model.SEES)
model.fit(expression, data.outcome(data.train), groups=data.groups(data.train), select=select)
model.save(snakemake.output[0])
print(f"{wildcards.model}: trained on {model.settings_['device']}")
