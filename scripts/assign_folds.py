"""Assign every labelled sample to the folds it is tested in."""

from rna2model.cohort import cohort, duplicates, outcome, splits, transfer
from rna2model.core import job, missing

job.start(snakemake)
params = snakemake.params

data = cohort.read(snakemake.input[0])
design, folds = params.design, params.folds
groups = data.column(design["group"], data.samples) if design["group"] else None
doubtful = duplicates.check(data, groups, params.unit)
duplicates.table(doubtful).to_csv(snakemake.output.doubtful, sep="\t", index=False)
for pair in doubtful:
    print("WARNING:", duplicates.doubt(*pair))

column = data.obs[params.holdout] if params.holdout else [""] * len(data.samples)
holdout = [name for name, cell in zip(data.samples, column, strict=True) if not missing.is_missing(cell)]
trained = [name for name in data.samples if name not in set(holdout)]
groups = data.column(design["group"], trained) if design["group"] else None
y = outcome.read(design, lambda column: data.column(column, trained))
strata, needed = outcome.strata(design["task"], y, groups, folds)
cells = {
    column: dict(zip(data.samples, data.obs[column], strict=True))
    for column in transfer.columns(params.transfer)
}
sides = transfer.sides(params.transfer, trained, lambda name, column: cells[column][name].strip())
if sides:
    classes = dict(zip(trained, outcome.classes(design["task"], y), strict=True))
    transfer.check(sides, classes, all_classes=design["task"] != "regression")
manifest = splits.make(
    trained,
    strata,
    groups=groups,
    folds=folds,
    repeats=params.repeats,
    seed=params.seed,
    needed=needed,
    holdout=holdout,
    transfer=sides,
)
manifest.to_csv(snakemake.output.manifest, sep="\t", index=False)
print(manifest.groupby(["repeat", "fold", "role"]).size())
if design["task"] == "survival":
    has_event = dict(zip(trained, y["event"], strict=True))
    tested = manifest[(manifest["role"] == "test") & (manifest["fold"] > 0)]
    events = tested["sample"].map(has_event).astype(int).groupby([tested["repeat"], tested["fold"]]).sum()
    print("events tested in each fold:", events, sep="\n")
    if events.min() < 5:
        print("WARNING: a fold tests fewer than 5 events; its concordance says little. Use fewer folds.")
