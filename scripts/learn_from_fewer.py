"""Train the whole pipeline on fewer of a split's training samples and predict those it holds out."""

from rna2model import gpu, job, learningcurve, splitdata
from rna2model.models import pretrained

job.start(snakemake)
given, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards

data = splitdata.read(given.cohort, given.manifest, wildcards.split, params.design)
device = gpu.device(params.gpus)
fit = learningcurve.fitter(
    wildcards.model, params.training, params, given.gene_sets, device, snakemake.threads, pretrained.read
)
table = learningcurve.predict(
    data,
    wildcards.split,
    params.fractions,
    fit,
    params.unseen_batch,
    learningcurve.times(data, params.landmarks),
    params.seed,
    subsets=params.subsets,
)
table.to_csv(snakemake.output[0], sep="\t", index=False)
