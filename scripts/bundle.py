"""Put the artefacts of the split `full` into the bundle and write its model card."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np

from rna2model import models
from rna2model.cohort import outcome, units
from rna2model.core import files, job
from rna2model.qc import gate
from rna2model.reference import fingerprint
from rna2model.report import model_card
from rna2model.serving import bundle, manifest, reference_panel, signature
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params

data = split_data.read(inputs.cohort, inputs.manifest, "full", params.design)
y, labels, groups = data.outcome(data.train), list(data.labels(data.train)), data.groups(data.train)
task = params.design["task"]
model = models.load(inputs.model, allow_code=True)  # trained by this run
genes = preprocessing.load(inputs.normalizer, inputs.batch_model)  # the panel stores expression, not features
genes = genes.shown_to(model)

scores = json.loads(Path(inputs.metrics).read_text())
counted = json.loads(Path(inputs.counting).read_text())
strands = gate.column(inputs.samples, "strandedness") if inputs.samples else {}
facts = {
    "model": params.shipped,
    "task": task,
    "target": outcome.title(params.design),
    "classes": {name: labels.count(name) for name in sorted(set(labels))} if task != "regression" else {},
    "range": [float(y.min()), float(y.max())] if task == "regression" else None,
    "landmarks": outcome.times(y, params.evaluation["landmarks"])[0],
    "batch_column": params.design["batch"],
    "normalization": "within_sample" if genes.within_sample else params.expression["normalization"],
    "batch_correction": genes.batch_model.method,
    "batch_choice": genes.batch_model.choice_,
    "features": {key: value for key, value in params.features.items() if key != "gene_sets"},
    "covariates": [] if genes.within_sample else params.design["covariates"],
    "counts_unit": counted["unit"],
    "library_size": float(np.median(data.counts(data.train).sum(axis=1)))
    if counted["unit"] in units.COUNT_UNITS
    else None,
    "counting": counted["counting"],
    "rrna_sha256": counted["rrna_sha256"],
    "reference": counted["reference"],
    "index": params.index and os.path.abspath(params.index),
    "genes": fingerprint.genes(genes.normalizer.gene_ids),
    "gene_lengths_sha256": None
    if genes.normalizer.lengths is None
    else fingerprint.text_sha256(repr(genes.normalizer.lengths.tolist())),
    "strandedness": dict(sorted(Counter(strands[name] for name in data.train).items())) if strands else None,
    "design": params.design,
    "expression": params.expression,
    "qc": params.qc,
    "settings": params.settings,
    "predicts": model.rule if task == "classification" else None,
    "training": manifest.remember(
        data.train,
        None if groups is None else groups.tolist(),
        data.counts(data.train),
        salt=files.checksum(inputs.normalizer)[:16],
    ),
    "evaluation": params.evaluation,
    "conformal": scores.get("conformal"),
}
if hasattr(model, "carried"):  # a model that a user brought, with its file
    facts["code"] = model.carried
kept = reference_panel.Panel().fit(
    data.expression(data.train, genes),
    {} if genes.within_sample else data.covariates(data.train),
    params.panel,
    params.evaluation["seed"],
)
made = bundle.assemble(
    Path(out.manifest).parent,
    inputs.normalizer,
    inputs.batch_model,
    inputs.model,
    facts,
    inputs.features,
    inputs.ood,
    kept,
    signature.make(model, genes, data.cohort.symbol_of, facts) if task == "classification" else None,
)

chance = json.loads(Path(inputs.chance).read_text())
Path(out.card).write_text(model_card.write(made, scores, chance))
