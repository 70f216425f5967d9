"""The TRIPOD+AI checklist with the numbers of this run."""

import json
from pathlib import Path

import pandas as pd

from rna2model.core import job
from rna2model.report import tripod
from rna2model.report.run_data import table

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params


def numbers(path, **options):
    return pd.read_csv(path, sep="\t", **options) if path else None


facts = {
    "config": params.config,
    "models": params.models,
    "manifest": json.loads(Path(inputs.manifest).read_text()),
    "metrics": json.loads(Path(inputs.metrics).read_text()),
    "dummy": json.loads(Path(inputs.chance).read_text()),
    "samples": table(inputs.samples),
    "versions": table(inputs.versions),
    "adequacy": numbers(inputs.adequacy),
    "differences": numbers(inputs.differences),
    "subgroups": numbers(inputs.subgroups, dtype={"level": str}, keep_default_na=False, na_values=[""]),
}
if facts["subgroups"] is not None:
    facts["subgroups"]["note"] = facts["subgroups"]["note"].fillna("")
Path(snakemake.output[0]).write_text(tripod.markdown(facts), encoding="utf-8")
