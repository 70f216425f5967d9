"""The TRIPOD+AI checklist with the numbers of this run."""

import json
from pathlib import Path

import pandas as pd

from rna2model.core import job
from rna2model.report import tripod
from rna2model.report.run_data import table

job.start(snakemake)
given, params = snakemake.input, snakemake.params


def numbers(path, **options):
    return pd.read_csv(path, sep="\t", **options) if path else None


facts = {
    "config": params.config,
    "models": params.models,
    "manifest": json.loads(Path(given.manifest).read_text()),
    "metrics": json.loads(Path(given.metrics).read_text()),
    "dummy": json.loads(Path(given.chance).read_text()),
    "samples": table(given.samples),
    "versions": table(given.versions),
    "adequacy": numbers(given.adequacy),
    "differences": numbers(given.differences),
    "subgroups": numbers(given.subgroups, dtype={"level": str}, keep_default_na=False, na_values=[""]),
}
if facts["subgroups"] is not None:
    facts["subgroups"]["note"] = facts["subgroups"]["note"].fillna("")
Path(snakemake.output[0]).write_text(tripod.markdown(facts), encoding="utf-8")
