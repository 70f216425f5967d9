"""Predict new samples with the bundle."""

from pathlib import Path

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.serving import predict

job.start(snakemake)
given, params = snakemake.input, snakemake.params

data = cohort.read(given.cohort)
new = [name for name in data.samples if name in set(params.new)]
folder = Path(given.manifest).parent
table = predict.predict(
    folder, data, new, given.counting, given.samples, params.design, params.unseen_batch, params.aligned
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
print(table.to_string(index=False))
