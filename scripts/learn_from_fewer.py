"""Train the whole pipeline on fewer of a split's training samples and predict those it holds out."""

from rna2model.core import gpu, job
from rna2model.evaluation import learning_curve
from rna2model.serving import pretrained
from rna2model.training import split_data

job.start(snakemake)
inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = split_data.read(inputs.cohort, inputs.manifest, wildcards.split, params.design)
device = gpu.device(params.gpus)
fit = learning_curve.fitter(
    wildcards.model, params.training, params, inputs.gene_sets, device, snakemake.threads, pretrained.read
)
table = learning_curve.predict(
    data,
    wildcards.split,
    params.fractions,
    fit,
    params.unseen_batch,
    learning_curve.times(data, params.landmarks),
    params.seed,
    subsets=params.subsets,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
