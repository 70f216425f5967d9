"""Write versions.tsv from the versions that each environment reported."""

from rna2model.core import job
from rna2model.planning import versions

job.start(snakemake)
params = snakemake.params

answers = dict(zip(params.environments, snakemake.input, strict=True))
versions.write(versions.gather(answers, params.workflow), snakemake.output[0])
