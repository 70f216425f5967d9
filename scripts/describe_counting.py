"""Say how the counts of this run were made, beside its count matrix: what a bundle compares new samples by."""

import json
from pathlib import Path

from rna2model.core import job
from rna2model.reference import fingerprint

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

facts = {"unit": params.unit, "counting": params.counting, "reference": None, "rrna_sha256": None}
if params.counting:
    facts["reference"] = json.loads(Path(inputs.reference).read_text())
    facts["rrna_sha256"] = fingerprint.genome(inputs.rrna)[0] if inputs.rrna else None
elif inputs.beside:
    facts |= fingerprint.read_beside(params.matrix, inputs.beside) or {}
Path(snakemake.output[0]).write_text(json.dumps(facts, indent=1) + "\n")
