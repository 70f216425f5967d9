"""Whether the cohort is large enough for what models choose from."""

import json
from pathlib import Path

from rna2model import adequacy, features, job, normalization, splitdata

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data, task = splitdata.read(given.cohort, given.manifest, "full", params.design), params.design["task"]
genes = len(normalization.load(given.normalizer).genes_)
candidates = {"genes": genes}
if given.features:
    fitted = features.load(given.features)
    covariates = fitted.covariates
    what = "genes" if fitted.sets is None else "gene sets"
    candidates = {what: len(fitted.names_) - fitted.n_covariates_}
    if covariates:  # of the columns of a category one says nothing new
        own = fitted.n_covariates_ - sum(len(known) > 1 for known in covariates.categories_.values())
        candidates = {f"{what} and covariates": candidates[what] + own, "covariates alone": own}
y = data.outcome(data.train)
scores = json.loads(Path(given.metrics).read_text())
found = adequacy.table(y, task, candidates, data.groups(data.train), adequacy.reached(scores, y, task))
found.to_csv(snakemake.output[0], sep="\t", index=False)
print(*adequacy.sentences(found), sep="\n")
