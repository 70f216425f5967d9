"""Assign every labelled sample to the folds it is tested in."""

from rna2model import cohort, job, splits

job.start(snakemake)
params = snakemake.params

data = cohort.read(snakemake.input[0])
groups = data.column(params.group, data.samples) if params.group else None
cohort.check_duplicates(data, groups)
manifest = splits.make(
    data.samples,
    data.column(params.target, data.samples),
    groups=groups,
    folds=params.folds,
    repeats=params.repeats,
    seed=params.seed,
)
manifest.to_csv(snakemake.output[0], sep="\t", index=False)
print(manifest.groupby(["repeat", "fold", "role"]).size())
