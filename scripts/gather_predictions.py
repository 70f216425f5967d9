"""Join the predictions of several splits into one table for the user."""

from rna2model.core import job
from rna2model.evaluation import predictions

job.start(snakemake)

predictions.write(predictions.read(snakemake.input), snakemake.output[0])
