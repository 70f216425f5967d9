"""Join the predictions of several splits into one table for people."""

from rna2model import job, predictions

job.start(snakemake)

predictions.write(predictions.read(snakemake.input), snakemake.output[0])
