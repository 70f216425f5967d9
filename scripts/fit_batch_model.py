"""Fit the batch model of one split on its training samples."""

from rna2model.core import job
from rna2model.training import batch_choice, preprocessing, split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data = split_data.read(inputs.cohort, inputs.manifest, snakemake.wildcards.split, params.design)
fitted = preprocessing.load(inputs.normalizer).fit_batch_model(data, params.expression)
fitted.save(batch_model=snakemake.output[0])
model = fitted.batch_model
print(f"{model.method}: {len(data.train)} training samples, batches {', '.join(model.batches_)}")
if chosen := model.choice_:
    print(f"{chosen['metric']} on batches held out of the training samples:", fitted.scores_)
    print(batch_choice.table(chosen).to_string(index=False))
