"""Feature importance of the final model, its stability across the folds' models, and importance expected by chance."""

import json
from pathlib import Path

from rna2model import models
from rna2model.cohort import cohort
from rna2model.core import job
from rna2model.core.errors import InputProblem
from rna2model.explain import explainer as explanation
from rna2model.explain import gene_set_importance, importance, null_models
from rna2model.expression.features import gene_sets, selection
from rna2model.training import preprocessing, split_data

job.start(snakemake)
inputs, out, params = snakemake.input, snakemake.output, snakemake.params
everyone, manifest = cohort.read(inputs.cohort), split_data.read_manifest(inputs.manifest)
symbols = everyone.symbol_of


def explain_all():
    """([Explained of each fold], Explained of the final model, why there are no shuffled labels)."""
    splits = [split_data.of(everyone, manifest, split, params.design) for split in params.splits]
    explainer = explanation.Explainer(
        params.design,
        params.seed,
        params.shuffles,
        lambda features, sees: selection.make(params.features, features, params.seed, sees),
    )
    explainer.shuffle(
        splits[-1], [data.train for data in splits], models.load(inputs.models[-1], allow_code=True)
    )
    explained = [
        explainer.explain(data, models.load(folder, allow_code=True), fitted, final=data is splits[-1])
        for data, folder, fitted in zip(splits, inputs.models, preprocessing.load_splits(inputs), strict=True)
    ]
    return explained[:-1], explained[-1], explainer.note


def write_sets(final):
    """Enrichment of gene sets in the final model; returns why there is none, or no p, if so."""
    sets, named = gene_sets.read_gmt(inputs.gene_sets), [symbols.get(name, "") for name in final.names]
    try:
        members = gene_sets.members(sets, final.names, named)
    except InputProblem as problem:
        write_header(out.gene_sets, gene_set_importance.COLUMNS)
        return str(problem)
    described = final.names, symbols, sets, final.classes, final.effects, members, final.residuals
    table = gene_set_importance.table(*described, control=final.control)
    table.to_csv(out.gene_sets, sep="\t", index=False, float_format="%.6g")
    return gene_set_importance.why_no_p(final.control)


def write_header(path, columns):
    Path(path).write_text("\t".join(columns) + "\n")


try:
    folds, final, no_shuffles = explain_all()
except InputProblem as problem:
    summary = {"note": str(problem)}
    write_header(out.table, importance.COLUMNS + importance.CONTROL_COLUMNS)
    if out.gene_sets:
        write_header(out.gene_sets, gene_set_importance.COLUMNS)
else:
    limit = None if final.control is None else null_models.limit(final.control, final.effects)
    places = [({name: i for i, name in enumerate(one.names)}, one.effects) for one in folds]
    table = importance.table(final.names, symbols, final.classes, final.effects, places, limit)
    table.to_csv(out.table, sep="\t", index=False, float_format="%.6g")
    summary = explanation.stability(folds, final)
    summary["shuffled_labels"] = {"note": no_shuffles} if no_shuffles else summary["shuffled_labels"]
    if out.gene_sets:
        summary["gene_sets_note"] = write_sets(final)
Path(out.stability).write_text(json.dumps(summary, indent=1) + "\n")
print(json.dumps(summary, indent=1))
