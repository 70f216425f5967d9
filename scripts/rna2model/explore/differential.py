"""Differential expression between the classes of the target, for people to look at (DESeq2, by pydeseq2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import outcome
from rna2model.cohort.units import COUNT_UNITS
from rna2model.core.errors import InputProblem
from rna2model.core.missing import is_missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.cohort.cohort import Cohort

COLUMNS = [
    "contrast",
    "gene_id",
    "symbol",
    "base_mean",
    "log2_fold_change",
    "lfc_se",
    "stat",
    "p",
    "padj",
]
TEXT = COLUMNS[:3]
FEWEST = 2  # samples of a class, without which its spread is unknown
LARGE = 500_000  # counts, below which starting further processes takes longer than they save
ALPHA = 0.1  # false discovery rate for which independent filtering is tuned, as in DESeq2::results


def of_cohort(
    data: Cohort,
    symbols: Mapping[str, str] | None,
    design: Mapping[str, Any],
    unit: str,
    gene_filter: Any,
    cpus: int = 1,
) -> tuple[pd.DataFrame, str | None, dict[str, Any]]:
    """(table of COLUMNS, note or None, details) of a Cohort: the labelled samples, batch and covariates in the design,
    and the group (donor) where every group has samples of several classes: a paired design.

    design : the config's section; unit : of the counts; gene_filter : where `auto` is on, the genes that edgeR's
    filterByExpr keeps are tested.
    A design without a valid test gives a table without rows and a note with the reason.
    """
    import pandas as pd

    from rna2model.expression.normalization import gene_filter as filtering

    labels = outcome.labels(design, data.obs)
    known = labels != ""
    names = [*filter(None, [design["batch"]]), *design["covariates"]]
    pairing, warnings = paired(data, design, labels)
    names += [design["group"]] if pairing else []
    names = [name for name in dict.fromkeys(names) if name != design["target"]]
    details: dict[str, Any] = {
        "samples": int(known.sum()),
        "design": " + ".join([*names, design["target"]]),
        "warnings": [],
    }
    try:
        if design["task"] != "classification":
            raise InputProblem(f"it compares classes, and design.task is {design['task']}.")
        if unit not in COUNT_UNITS:
            raise InputProblem(f"DESeq2 needs counts, and counts_unit is {unit}.")
        if not known.any():
            raise InputProblem("no sample has a label.")
        counts, labels = data.counts[known], labels[known]
        if gene_filter != "none" and (gene_filter == "auto" or gene_filter.get("auto", True)):
            kept = filtering.by_expression(counts.astype(float), labels)
        else:
            kept = np.ones(len(data.genes), bool)
        if not kept.any():
            raise InputProblem("no gene has enough counts.")
        nuisance = {
            ("batch" if name == design["batch"] else name): data.column(name, data.samples)[known]
            for name in names
        }
        genes = [gene for gene, keep in zip(data.genes, kept, strict=True) if keep]
        table, details["warnings"] = test(counts[:, kept], labels, nuisance, genes, symbols, cpus)
        details["warnings"] += warnings
        details["genes"] = len(genes)
    except InputProblem as problem:
        return pd.DataFrame(columns=COLUMNS), f"no differential expression: {problem}", details
    return table, None, details


def paired(data: Cohort, design: Mapping[str, Any], labels: NDArray[Any]) -> tuple[bool, list[str]]:
    """(whether every group has samples of several classes, warnings where samples of one group are tested as if they
    were independent); labels (n,), empty where not known."""
    if not design["group"]:
        return False, []
    groups = data.column(design["group"], data.samples)[labels != ""]
    classes = [
        len(set(labels[labels != ""][groups == name].tolist())) for name in sorted(set(groups.tolist()))
    ]
    if len(classes) == len(groups):
        return False, []
    if min(classes) > 1:
        return True, []
    return False, [
        f"several samples have one {design['group']} and were tested as if independent, which makes p values too small"
    ]


def test(
    counts: NDArray[Any],
    labels: NDArray[Any],
    nuisance: Mapping[str, NDArray[Any]],
    genes: Sequence[str],
    symbols: Mapping[str, str] | None = None,
    cpus: int = 1,
) -> tuple[pd.DataFrame, list[str]]:
    """(DataFrame of COLUMNS, list of notes): every class against the first, in alphabetical order.

    The Wald test of DESeq2 (Love, Huber & Anders 2014) with its median-of-ratios size factors, Cook's distances and
    independent filtering; fold changes are not shrunk. A positive one is higher in the class before `_vs_`.

    counts : (n, g) of labelled samples, rounded; labels : (n,) str; nuisance : {column: (n,) str} what else the samples
    differ in (batch, covariates); genes : (g,) ids; symbols : {gene_id: symbol} or None
    Raises InputProblem if the design allows no test: too few samples, or a target confounded with the nuisance.
    """
    labels = np.asarray(labels).astype(str)
    notes, used = [], np.ones(len(labels), bool)
    for name, size in zip(*np.unique(labels, return_counts=True), strict=True):
        if size < FEWEST:
            notes.append(f"class {name} has {size} sample and was left out: {FEWEST} are needed")
            used &= labels != name
    classes = sorted(set(labels[used].tolist()))
    if len(classes) < 2:
        raise InputProblem(f"fewer than two classes have {FEWEST} samples or more ({'; '.join(notes)}).")
    nuisance = {name: np.asarray(values)[used] for name, values in nuisance.items()}
    columns, dropped = design(labels[used], classes, nuisance)
    notes += dropped
    counts = np.rint(np.asarray(counts)[used]).astype(np.int64)
    tables = _wald(counts, columns, len(classes) - 1, genes, cpus if counts.size > LARGE else 1)
    symbols = symbols or {}
    for name, table in zip(classes[1:], tables, strict=True):
        table.insert(0, "contrast", f"{name}_vs_{classes[0]}")
        table.insert(2, "symbol", [symbols.get(gene, "") for gene in genes])
    import pandas as pd

    return pd.concat(tables, ignore_index=True)[COLUMNS], notes


def design(
    labels: NDArray[Any], classes: Sequence[str], nuisance: Mapping[str, NDArray[Any]]
) -> tuple[NDArray[np.float64], list[str]]:
    """((n, columns) design matrix, notes): intercept, nuisance, then an indicator of each class but the first.

    Nuisance columns that follow from those before them are dropped, and named. InputProblem where the classes then follow
    from the nuisance, or no sample is left over to tell the spread from.
    """
    matrix, notes = np.ones((len(labels), 1)), []
    for name, values in nuisance.items():
        several = 0
        for column in _columns(values, name):
            wider = np.column_stack([matrix, column])
            if np.linalg.matrix_rank(wider) > matrix.shape[1]:
                matrix = wider
            else:
                several += 1
        if several:
            notes.append(f"{several} column(s) of {name} follow from the rest of the design and were dropped")
    target = np.column_stack([labels == name for name in classes[1:]]).astype(float)
    full = np.column_stack([matrix, target])
    if np.linalg.matrix_rank(full) < full.shape[1]:
        raise InputProblem(
            f"the target cannot be told from {' and '.join(nuisance)}: some of their values have labels of their own, so"
            " no difference can be said to be the target's."
        )
    if len(full) <= full.shape[1]:
        raise InputProblem(
            f"{len(full)} samples cannot carry a design of {full.shape[1]} coefficients ({', '.join(nuisance)} and the"
            " target); no sample is left to tell the spread from."
        )
    return full, notes


def _columns(values, name):
    """Columns of one nuisance variable: itself standardised if it is numeric, else an indicator of each level but one."""
    values = np.asarray(values).astype(str)
    missing = [value for value in values if is_missing(value)]
    if missing:
        raise InputProblem(f"{len(missing)} labelled sample(s) have no {name}.")
    try:
        numbers = values.astype(float)
        if name != "batch" and np.isfinite(numbers).all():
            spread = numbers.std()
            return [(numbers - numbers.mean()) / spread] if spread else []
    except ValueError:
        pass
    return [(values == level).astype(float) for level in sorted(set(values.tolist()))[1:]]


def _wald(counts, design, contrasts, genes, cpus):
    """A DataFrame for each of the last `contrasts` columns of the design; genes without counts have no test."""
    import warnings

    import pandas as pd
    from pydeseq2.ds import DeseqStats

    from rna2model.explore.deseq2 import DESeq2
    from rna2model.explore.deseq2_genes import AllGenes

    names = [f"s{row}" for row in range(len(counts))]
    matrix = pd.DataFrame(design, index=names, columns=[f"c{c}" for c in range(design.shape[1])])
    seen = counts.any(axis=0)
    if not seen.any():
        raise InputProblem("no gene has a count in the labelled samples.")
    table = pd.DataFrame(counts[:, seen], index=names, columns=np.asarray(genes, dtype=object)[seen])
    # a geometric mean needs a gene that every sample has; without one, DESeq2 advises the counts above zero
    size_factors = "ratio" if counts.all(axis=0).any() else "poscounts"
    options = {"inference": AllGenes(n_cpus=cpus), "quiet": True}
    tables = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydeseq2, about single genes
        data = DESeq2(
            counts=table,
            metadata=matrix.copy(),
            design=matrix,
            size_factors_fit_type=size_factors,
            **options,
        )
        data.deseq2()
        for column in range(design.shape[1] - contrasts, design.shape[1]):
            wanted = np.eye(design.shape[1])[column]
            stats = DeseqStats(data, contrast=wanted, alpha=ALPHA, **options)
            stats.summary()
            result = stats.results_df.reindex(list(genes))
            result.columns = ["base_mean", "log2_fold_change", "lfc_se", "stat", "p", "padj"]
            result["base_mean"] = result["base_mean"].fillna(0.0)
            tables.append(result.rename_axis("gene_id").reset_index())
    return tables
