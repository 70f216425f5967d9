"""Train one model on the training samples of one split."""

from rna2model import job, models, selection, splitdata

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, params.design)
fitted = splitdata.artefacts(given.normalizer, given.batch_model, given.features)
expression = data.expression(data.train, *fitted)

model = models.make(
    wildcards.model,
    seed=params.seed,
    inner_folds=params.inner_folds,
    device="cuda" if params.gpus else "cpu",
    threads=snakemake.threads,
    task=params.design["task"],
)
select = selection.make(params.features, features=fitted[-1], seed=params.seed, sees=model.SEES)
model.fit(expression, data.outcome(data.train), groups=data.groups(data.train), select=select)
model.save(snakemake.output[0])
print(f"{wildcards.model}: trained on {model.settings_['device']}")
