"""Assign every labelled sample to the folds it is tested in."""

from rna2model import cohort, job, sheet, splits

job.start(snakemake)
params = snakemake.params

data = cohort.read(snakemake.input[0])
labelled = [name for name, label in zip(data.samples, data.obs[params.target], strict=True) if not sheet.is_missing(label)]
manifest = splits.make(
    labelled,
    data.column(params.target, labelled),
    groups=data.column(params.group, labelled) if params.group else None,
    folds=params.folds,
    repeats=params.repeats,
    seed=params.seed,
)
manifest.to_csv(snakemake.output[0], sep="\t", index=False)
print(manifest.groupby(["repeat", "fold", "role"]).size())
