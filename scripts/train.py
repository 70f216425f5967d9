"""Train one model on the training samples of one split."""

from rna2model import job, models, splitdata

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, params.design)
expression = data.expression(data.train, *splitdata.artefacts(given.normalizer, given.batch_model))

model = models.make(
    wildcards.model,
    seed=params.seed,
    inner_folds=params.inner_folds,
    device="cuda" if params.gpus else "cpu",
    threads=snakemake.threads,
    task=params.design["task"],
)
model.fit(expression, data.outcome(data.train), groups=data.groups(data.train))
model.save(snakemake.output[0])
print(f"{wildcards.model}: trained on {model.settings_['device']}")
