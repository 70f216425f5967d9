"""Normalise and batch-correct all included samples together, for exploration only."""

import json
from pathlib import Path

from rna2model.cohort import cohort, outcome
from rna2model.core import job
from rna2model.explore import batch_diagnostics, pca
from rna2model.explore import views as exploration
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.training import batch_choice

job.start(snakemake)
out, params = snakemake.output, snakemake.params

data = cohort.read(snakemake.input[0])
column, labels = params.design["batch"], outcome.labels(params.design, data.obs)
batches, known = data.column(column, data.samples) if column else None, labels != ""

# The class sizes are used, as in training: without them genes that one class alone expresses would not be shown.
normalizer = methods.make(
    params.expression["normalization"],
    gene_ids=data.genes,
    gene_lengths=data.lengths,
    gene_filter=params.expression["filter"],
    unit=params.unit,
    missing=params.expression["missing"],
).fit(data.counts, groups=labels[known] if known.any() else None)
normalized = normalizer.transform(data.counts)
exploration.write(normalized, data.samples, normalizer.genes_, out.normalized)

corrected = normalized
if params.expression["batch_correction"] != "none":
    method, settings = params.expression["batch_correction"], batch_choice.settings(params.expression)
    if method == "auto":
        groups = data.column(params.design["group"], data.samples)[known] if params.design["group"] else None
        method = batch_choice.fit(
            method, normalized[known], batches[known], labels[known], groups=groups, **settings
        )[0].method
    made = registry.make(
        method, settings["reference"], settings["mean_only"]
    )  # protects no label: some have none
    corrected = made.fit(normalized, batches).transform(normalized, batches)
exploration.write(corrected, data.samples, normalizer.genes_, out.corrected)
views = {"normalized": normalized, "batch_corrected": corrected}
pca.table(views, data.samples).to_csv(out.components, sep="\t", index=False)

diagnostics = batch_diagnostics.compare(views, batches, labels)
Path(out.diagnostics).write_text(json.dumps(diagnostics, indent=1) + "\n")
