"""Put the artefacts of the split `full` into the bundle and write its model card."""

import json
from pathlib import Path

from rna2model import batch, bundle, job, modelcard, outcome, splitdata

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

data = splitdata.read(given.cohort, given.manifest, "full", params.design)
y, labels = data.outcome(data.train), list(data.labels(data.train))
task = params.design["task"]
facts = {
    "model": params.shipped,
    "task": task,
    "target": outcome.title(params.design),
    "classes": {name: labels.count(name) for name in sorted(set(labels))} if task != "regression" else {},
    "range": [float(y.min()), float(y.max())] if task == "regression" else None,
    "landmarks": outcome.times(y, params.evaluation["landmarks"])[0],
    "batch_column": params.design["batch"],
    "normalization": params.expression["normalization"],
    "batch_correction": batch.load(given.batch_model).method,
    "features": {key: value for key, value in params.features.items() if key != "gene_sets"},
    "covariates": params.design["covariates"],
    "counts_unit": params.unit,
    "counting": params.counting,
    "reference": json.loads(Path(given.reference).read_text()) if given.reference else None,
    "training_samples": data.train,
    "evaluation": params.evaluation,
}
manifest = bundle.assemble(
    Path(out.manifest).parent, given.normalizer, given.batch_model, given.model, facts, given.features
)

scores = json.loads(Path(given.metrics).read_text())
chance = json.loads(Path(given.chance).read_text())
Path(out.card).write_text(modelcard.write(manifest, scores, chance))
