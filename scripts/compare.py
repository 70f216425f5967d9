"""One table of all models and metrics, those that lead the report first."""

import csv
import json
from pathlib import Path

from rna2model.core import job
from rna2model.evaluation import classification

job.start(snakemake)

KEYS = ("estimate", "lower", "upper", "lower_corrected", "upper_corrected")


def write(path, metrics, keys):
    """One row for each model and metric of `found`, {model: {metric: {estimate, ...}}}."""
    with open(path, "w", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(["model", "metric", *keys])
        shown = classification.SHOWN[snakemake.params.task]
        for model, scores in metrics.items():
            for metric in sorted(scores, key=lambda name: shown.index(name) if name in shown else len(shown)):
                value = scores[metric]
                if "estimate" in value and value["estimate"] is not None:
                    table.writerow([model, metric, *(value.get(key) for key in keys)])


read = [json.loads(Path(path).read_text()) for path in snakemake.input]
metrics = dict(zip(snakemake.params.models, read, strict=True))
write(snakemake.output[0], metrics, KEYS)
if snakemake.output.get("transfer"):
    apart = {model: scores.get("transfer", {}) for model, scores in metrics.items()}
    write(snakemake.output.transfer, apart, ("estimate", "lower", "upper", "n"))
