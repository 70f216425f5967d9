"""Predict new samples with the bundle."""

from pathlib import Path

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.serving import predict

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

data = cohort.read(inputs.cohort)
new = [name for name in data.samples if name in set(params.new)]
folder = Path(inputs.manifest).parent
table = predict.predict(
    folder,
    data,
    new,
    inputs.counting,
    inputs.samples,
    params.design,
    params.unseen_batch,
    params.aligned,
    params.allow_code,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
print(table.to_string(index=False))
