"""Which features the final model uses, and whether the models of the folds use the same ones."""

import json
from pathlib import Path

import numpy as np

from rna2model import importance, job, models, splitdata, stability
from rna2model.errors import InputProblem

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params


def explained(split, folder, *artefacts):
    """(feature names, classes, (C, p) effects, how) of one split's model, on its training samples."""
    data = splitdata.read(given.cohort, given.manifest, split, params.design)
    fitted = splitdata.artefacts(*artefacts)
    names = fitted[-1].names_ if fitted[-1] else fitted[0].genes_
    rows = np.sort(np.random.default_rng(params.seed).permutation(data.train)[: params.most])
    X = data.expression(list(rows), *fitted)
    model = models.load(folder)
    effects, how = importance.effects(model, X, X.mean(axis=0))
    alone = {"regression": params.design["target"], "survival": "risk"}.get(params.design["task"])
    classes = model.classes_ if len(effects) > 1 else [alone or model.classes_[-1]]
    return data, names, classes, effects, how


features = given.features or [None] * len(params.splits)
found, note = [], None
try:
    for parts in zip(
        params.splits, given.models, given.normalizers, given.batch_models, features, strict=True
    ):
        found.append(explained(*parts))
except InputProblem as problem:
    note = str(problem)

if note:
    Path(out.table).write_text("\t".join(importance.COLUMNS) + "\n")
    result = {"note": note}
else:
    data, names, classes, final, how = found.pop()  # the last split is `full`
    folds = [({name: i for i, name in enumerate(one[1])}, one[3]) for one in found]
    symbols = dict(zip(data.cohort.genes, data.cohort.symbols or data.cohort.genes, strict=True))
    importance.table(names, symbols, classes, final, folds).to_csv(
        out.table, sep="\t", index=False, float_format="%.6g"
    )
    every = sorted({name for place, _ in folds for name in place})
    picks = [dict(zip(place, importance.chosen(effect), strict=True)) for place, effect in folds]
    agreement = stability.nogueira([[pick.get(name, False) for name in every] for pick in picks])
    result = {"note": None, "effect": how, "samples_at_most": params.most, "top": importance.TOP}
    result |= {key: None if np.isnan(value) else round(value, 4) for key, value in agreement.items()}
Path(out.stability).write_text(json.dumps(result, indent=1) + "\n")
print(json.dumps(result, indent=1))
