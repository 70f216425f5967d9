"""Which features the final model uses, whether the models of the folds use the same ones, and what chance would do."""

import json
from pathlib import Path

from rna2model import (
    explanation,
    genesets,
    importance,
    importance_sets,
    job,
    models,
    selection,
    shuffled,
    splitdata,
)
from rna2model.errors import InputProblem

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params


def explain_all():
    """(Cohort, [Explained of each fold], Explained of the final model)."""
    splits = [splitdata.read(given.cohort, given.manifest, split, params.design) for split in params.splits]
    paths = given.normalizers, given.batch_models, given.features or [None] * len(splits)
    explainer = explanation.Explainer(
        params.design,
        params.seed,
        params.shuffles,
        lambda features, sees: selection.make(params.features, features, params.seed, sees),
    )
    explainer.shuffle(splits[-1], [data.train for data in splits], models.load(given.models[-1]))
    found = [
        explainer.explain(
            data, models.load(folder), splitdata.artefacts(*artefacts), final=data is splits[-1]
        )
        for data, folder, *artefacts in zip(splits, given.models, *paths, strict=True)
    ]
    return splits[-1].cohort, found[:-1], found[-1]


def write_sets(cohort, final):
    """Enrichment of gene sets in the final model; returns why there is none, if so."""
    sets, symbols = (
        genesets.read_gmt(given.gene_sets),
        [cohort.symbol_of.get(name, "") for name in final.names],
    )
    try:
        members = genesets.members(sets, final.names, symbols)
    except InputProblem as problem:
        Path(out.gene_sets).write_text("\t".join(importance_sets.COLUMNS) + "\n")
        return str(problem)
    table = importance_sets.table(
        final.names, cohort.symbol_of, sets, final.classes, final.effects, members, final.residuals
    )
    table.to_csv(out.gene_sets, sep="\t", index=False, float_format="%.6g")
    return None


try:
    cohort, folds, final = explain_all()
except InputProblem as problem:
    told = {"note": str(problem)}
    Path(out.table).write_text("\t".join(importance.COLUMNS + importance.CONTROL_COLUMNS) + "\n")
    if out.gene_sets:
        Path(out.gene_sets).write_text("\t".join(importance_sets.COLUMNS) + "\n")
else:
    limit = None if final.control is None else shuffled.limit(final.control, final.effects)
    places = [({name: i for i, name in enumerate(one.names)}, one.effects) for one in folds]
    table = importance.table(final.names, cohort.symbol_of, final.classes, final.effects, places, limit)
    table.to_csv(out.table, sep="\t", index=False, float_format="%.6g")
    told = explanation.stability(folds, final)
    if out.gene_sets:
        told["gene_sets_note"] = write_sets(cohort, final)
Path(out.stability).write_text(json.dumps(told, indent=1) + "\n")
print(json.dumps(told, indent=1))
