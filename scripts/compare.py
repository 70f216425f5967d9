"""One table of all models and metrics, those that lead the report first."""

import csv
import json
from pathlib import Path

from rna2model.core import job
from rna2model.evaluation import classification

job.start(snakemake)

with open(snakemake.output[0], "w", newline="") as file:
    table = csv.writer(file, delimiter="\t", lineterminator="\n")
    table.writerow(["model", "metric", "estimate", "lower", "upper", "lower_corrected", "upper_corrected"])
    for model, path in zip(snakemake.params.models, snakemake.input, strict=True):
        scores = json.loads(Path(path).read_text())
        shown = classification.SHOWN[snakemake.params.task]
        for metric in sorted(scores, key=lambda name: shown.index(name) if name in shown else len(shown)):
            value = scores[metric]
            if "estimate" in value and value["estimate"] is not None:
                keys = ("estimate", "lower", "upper", "lower_corrected", "upper_corrected")
                table.writerow([model, metric, *(value.get(key) for key in keys)])
