"""The shipped model as two files that a bench can use: signature.tsv, its genes; signature.json, the formula and the cut-off.

Only models of few genes that compare these within one sample (ktsp, panel) have them, and linear models, whose formula is of
expression as the bundle normalises it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from rna2model.training.preprocessing import Preprocessing

TABLE, FORMULA = "signature.tsv", "signature.json"
COLUMNS = ["role", "class", "gene", "symbol", "against", "against_symbol", "weight"]
VALUE = {"log": "the logarithms as given", "tpm": "log2(TPM + 0.5)"}  # of any other unit: counts
MEASURED = {
    "pairs": (
        "Measure the {n} genes of the table in one sample, all by the same assay. For each row: +1 if `gene` is higher than `against`,"
        " -1 if it is lower, 0 if they are equal. The vote for a class is the sum of weight times this over the rows of the class."
    ),
    "ratios": (
        "Measure the {n} genes of the table in one sample, all by the same assay, and take {value}. From each `gene` take away the mean"
        " of the genes whose role is `reference`. The sum for a class is that of weight times this difference over its rows of role `gene`."
    ),
    "linear": (
        "Take log2 expression as the bundle makes it (normalization {normalization}, batch correction {batch_correction}; `make predict`)."
        " The sum for a class is that of weight times expression over its rows."
    ),
}
LOGIT = {
    True: "logit = slope x sum + offset, for {last}; its probability is 1 / (1 + exp(-logit)).",
    False: "Each class has logit = slope x sum + offset; its probability is exp(logit) over the sum of exp(logit) of all classes.",
}
AFTERWARDS = " Then multiply the probabilities by `prevalence` and divide by their sum."
CALIBRATED = {
    "sigmoid": (
        " Then logit = calibrator slope x log(p / (1 - p)) + calibrator offset (of more classes: slope x log(p) + offset of each), again"
        " to probabilities as before."
    ),
    "isotonic": (
        " Then read each probability off its line of `calibrator` (two lists, from and to, straight between their points; of two classes"
        " the last has the only line); of more classes divide by the sum."
    ),
}


def make(
    model: Any, preprocessing: Preprocessing, symbols: Mapping[str, str], facts: Mapping[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """(table of COLUMNS, what signature.json says) of a fitted model; None of a model that has no such formula, or that sees gene
    sets or covariates beside genes.

    symbols : {gene id: symbol}; facts : of the manifest: model, target, counts_unit, normalization, batch_correction, predicts
    """
    import pandas as pd

    names, terms = preprocessing.names, model.signature()
    if terms is None or len(names) != model.n_genes_:
        return None
    calibrator = None if model.calibrator_ is None else model.calibrator_.described()
    rows = []
    for role, target, gene, against, weight in terms["terms"]:
        one, other = names[gene], "" if against is None else names[against]
        rows.append((role, target, one, symbols.get(one, ""), other, symbols.get(other, ""), weight))
    genes = sorted({name for row in rows for name in (row[2], row[4]) if name})
    steps = {key: facts.get(key, "none") for key in ("normalization", "batch_correction")}
    value = VALUE.get(facts["counts_unit"], "log2(count + 0.5)")
    formula = MEASURED[terms["kind"]].format(n=len(genes), value=value, **steps)
    two = len(model.classes_) == 2
    formula += " " + LOGIT[two].format(last=model.classes_[-1])
    formula += AFTERWARDS if model.prevalence_ is not None else ""
    formula += CALIBRATED[calibrator["kind"]] if calibrator else ""
    rule = model.rule
    cut = (
        f"{model.classes_[-1]} where its probability is above {rule['threshold']:.6g}, else {model.classes_[0]}"
        if two
        else "the class with the highest probability"
    )
    described = {
        "format": 1,
        "model": facts["model"],
        "kind": terms["kind"],
        "target": facts.get("target"),
        "classes": list(model.classes_),
        "unit": facts["counts_unit"],
        "genes": genes,
        "references": [names[gene] for role, _, gene, _, _ in terms["terms"] if role == "reference"],
        "formula": formula,
        "slope": terms["slope"],
        "offsets": terms["offsets"],
        "prevalence": None if model.prevalence_ is None else model.prevalence_.factors.tolist(),
        "calibrator": calibrator,
        "predict": cut,
        "threshold": rule["threshold"],
        "measure": {
            "what": "RNA of these genes in one specimen; no other sample and no normalization is needed"
            if terms["kind"] != "linear"
            else "all genes of the normalizer: this table alone is not enough for a bench",
            "n_genes": len(genes),
        },
        "note": "Another assay than that of training (qPCR, NanoString) has other efficiencies per gene: validate the cut-off on it first.",
    }
    return pd.DataFrame(rows, columns=COLUMNS), described


def write(folder: str | Path, made: tuple[pd.DataFrame, dict[str, Any]] | None) -> None:
    """Write both files to `folder`, or remove those of an earlier model where this one has none."""
    folder = Path(folder)
    for name in (TABLE, FORMULA):
        (folder / name).unlink(missing_ok=True)
    if made:
        table, described = made
        table.to_csv(
            folder / TABLE, sep="\t", index=False
        )  # all digits, so that a prediction by hand is the bundle's
        (folder / FORMULA).write_text(json.dumps(described, indent=1) + "\n")
