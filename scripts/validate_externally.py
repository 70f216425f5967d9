"""Predict labelled samples that a frozen bundle never saw, and score the predictions."""

import json
from pathlib import Path

from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.evaluation import predictions
from rna2model.serving import manifest, predict, unknown_labels

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params

data, folder = cohort.read(inputs.cohort), Path(inputs.manifest).parent
names, left_out = predict.unknown(folder, data, params.design, params.allow_code)
table = predict.predict(
    folder,
    data,
    names,
    inputs.counting,
    inputs.samples,
    params.design,
    params.unseen_batch,
    params.aligned,
    params.allow_code,
)
has_one = predict.predicted(table)
left_out |= {
    name: "not predicted: it lacks too much of what the model uses" for name in table["sample"][~has_one]
}
table, names = table[has_one].reset_index(drop=True), table["sample"][has_one].tolist()
table, scores = predict.validate(table, data, names, params.design, params.seed)
strangers = unknown_labels.of(table)
left_out |= {
    name: unknown_labels.reason(label, unknown_labels.classes(table)) for name, label in strangers.items()
}
names = [name for name in names if name not in strangers]
predictions.write(table, out.table)
made = manifest.read(folder)
result = {
    "bundle": {"model": made["model"], "target": made["target"], "manifest_sha256": made["manifest_sha256"]},
    "n": len(names),
    "samples": names,
    "left_out": left_out,
    "unknown_labels": strangers,
    "metrics": scores,
    **predict.details(table[table["sample"].isin(names)], data, params.design),
}
Path(out.metrics).write_text(json.dumps(result, indent=1) + "\n")
print(json.dumps(result, indent=1))
