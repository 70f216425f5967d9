"""Whether the cohort is large enough for what models choose from."""

import json
from pathlib import Path

from rna2model.core import job
from rna2model.evaluation import sample_size
from rna2model.expression.features import features
from rna2model.expression.normalization import methods
from rna2model.training import split_data

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data, task = split_data.read(inputs.cohort, inputs.manifest, "full", params.design), params.design["task"]
genes = len(methods.load(inputs.normalizer).genes_)
candidates = {"genes": genes}
if inputs.features:
    fitted = features.load(inputs.features)
    covariates = fitted.covariates
    what = "genes" if fitted.sets is None else "gene sets"
    candidates = {what: len(fitted.names_) - fitted.n_covariates_}
    if covariates:  # of the columns of a category one says nothing new
        own = fitted.n_covariates_ - sum(len(known) > 1 for known in covariates.categories_.values())
        candidates = {f"{what} and covariates": candidates[what] + own, "covariates alone": own}
y = data.outcome(data.train)
scores = json.loads(Path(inputs.metrics).read_text())
table = sample_size.table(y, task, candidates, data.groups(data.train), sample_size.reached(scores, y, task))
table.to_csv(snakemake.output[0], sep="\t", index=False)
print(*sample_size.sentences(table), sep="\n")
