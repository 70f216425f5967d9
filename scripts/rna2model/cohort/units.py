"""Check the values of a matrix against counts_unit of the config, and name the likely unit if they do not match.

The family of values that lie: TPM or CPM rounded to whole numbers given as counts, logarithms of counts that were never
normalised for depth, logarithms as counts or TPM, counts as logarithms or TPM, FPKM as TPM.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort.log_counts import BASES, LOG_CEILING, base_of, counts_in, from_logarithms, precision_of
from rna2model.cohort.tables import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

COUNT_UNITS = ("counts", "expected_counts")
WHOLE = 2.0**53  # beyond it a float64 is no longer every integer
MILLION, TOLERANCE = 1e6, 0.01  # what TPM of a sample add up to, and how well
ROUNDING = 0.02  # what rounding thousands of small TPM takes from, or adds to, a million
UNEVEN, FEWER_UNEVEN, MANY_GENES = 1.3, 3, 10_000  # sums of samples: largest over smallest


def of_cohort(unit: str) -> str:
    """The unit of the cohort made from a matrix: logarithms of counts become counts."""
    return "counts" if unit == "log_counts" else unit


def check(
    table: pd.DataFrame, unit: str, path: str | Path, missing: str = "refuse"
) -> tuple[NDArray[np.float64], list[str]]:
    """((n_genes, n_samples) float64 values of `table` in the unit `of_cohort`, problems: one line for each kind of fault, with its first place and number of cells).

    Among logarithms, NaN is let through when `missing` is not refuse.
    """
    values, problems = _numbers(table, path)
    cells = Cells(table, values, path)
    sound = np.isfinite(values)
    if unit == "log" and missing != "refuse":
        problems += cells.problems(np.isinf(values), "is not finite")
    elif not problems:
        advice = "; to fill it in, set expression.missing" if unit == "log" else ""
        problems += cells.problems(~sound, f"is missing or not finite{advice}")
    sure = np.where(sound, values, 0)
    if unit in ("counts", "expected_counts", "tpm"):
        problems += _amounts(cells, sure, unit)
    elif unit == "log":
        problems += _logarithms(sure, path)
    else:
        problems += _log_counts(cells, sure)
    if unit == "log_counts" and not problems:
        values = from_logarithms(values)
    return values, problems


@dataclass
class Cells:
    """The cells of a matrix with their gene and sample, to report the first invalid one."""

    table: pd.DataFrame
    values: NDArray[Any]
    path: str | Path

    def problems(self, bad: NDArray[np.bool_], why: str) -> list[str]:
        """A list with one line about the cells where `bad` is true, or an empty list."""
        if not bad.any():
            return []
        gene, sample = np.unravel_index(np.argmax(bad), bad.shape)
        return [
            f"{self.path}: gene {self.table.index[gene]}, sample {self.table.columns[sample]}:"
            f" {self.table.iat[gene, sample]} {why} ({int(bad.sum())} such cells)."
        ]


def _numbers(table, path):
    """(values with NaN where a cell is no number, problems)."""
    import pandas as pd

    text = [place for place, kind in enumerate(table.dtypes) if kind.kind not in "iuf"]
    if not text:
        return table.to_numpy(dtype=float, na_value=np.nan), []
    values = np.full(table.shape, np.nan)
    bad = np.zeros(table.shape, dtype=bool)
    for place in range(table.shape[1]):
        column = table.iloc[:, place]
        if place in text:
            bad[:, place] = pd.to_numeric(column.astype(str), errors="coerce").isna() & column.notna()
            column = pd.to_numeric(column.astype(str), errors="coerce")
        values[:, place] = column.to_numpy(dtype=float, na_value=np.nan)
    if not bad.any():
        names = ", ".join(map(str, table.columns[text[:3]])) + (" ..." if len(text) > 3 else "")
        return values, [f"{path}: sample {names}: its numbers are stored as text; store them as numbers."]
    gene, sample = np.unravel_index(np.argmax(bad), bad.shape)
    more = f" ({int(bad.sum())} such cells)" if bad.sum() > 1 else ""
    cell = table.iat[gene, sample]
    return values, [
        f"{path}: gene {table.index[gene]}, sample {table.columns[sample]}: {cell!r} is not a number{more}"
        f"{numbers.advice(str(cell).strip())}"
    ]


def _amounts(cells, values, unit):
    """Problems of counts, expected counts or TPM."""
    problems = cells.problems(
        values < 0, f"is negative, which {unit} cannot be (logarithms? then set counts_unit: log)"
    )
    broken, largest = values != np.round(values), values.max(initial=0)
    if unit == "counts":
        problems += cells.problems(broken, f"is not an integer; {_instead_of_counts(values, broken)}")
        problems += cells.problems(values >= WHOLE, "is more than can be counted")
    elif largest < LOG_CEILING and (unit == "tpm" or broken.sum() > np.count_nonzero(values) / 2):
        problems.append(
            f"{cells.path}: the largest value is {largest:g}; this looks like logarithms, not {unit}."
            f" {_of_logarithms(values)}"
        )
        return problems
    if problems:
        return problems
    sums = values.sum(axis=0)
    sums = sums[sums > 0]
    is_whole = not broken.any()
    return problems + [f"{cells.path}: {text}" for text in _sums(sums, unit, is_whole)]


def _instead_of_counts(values, broken):
    """Advice for counts that are not integers."""
    if values.max(initial=0) < LOG_CEILING:
        return _of_logarithms(values)
    sums = values.sum(axis=0)
    if np.all(np.abs(sums - MILLION) < TOLERANCE * MILLION):
        return "set counts_unit: tpm if these are TPM (every sample adds up to a million; of CPM take the counts)"
    if broken.sum() < 0.01 * np.count_nonzero(values):
        return "set counts_unit: expected_counts if it is an estimate (RSEM, salmon, kallisto), else correct the cell"
    return (
        "set counts_unit: expected_counts if these are estimates (RSEM, salmon, kallisto); of normalised counts take the raw"
        " ones"
    )


def _of_logarithms(values):
    if counts_in(values):
        return "set counts_unit: log_counts (they are logarithms of whole numbers + 1)"
    return "set counts_unit: log for logarithms"


def _sums(sums, unit, is_whole):
    """Problems that the samples' sums (those above 0) reveal."""
    if not len(sums):
        return []
    away = np.abs(sums - MILLION) / MILLION
    if unit == "expected_counts" and len(sums) > 1 and (away < TOLERANCE).all():
        return [
            f"every sample adds up to a million; these are TPM or CPM, not {unit}. Set counts_unit: tpm for TPM."
        ]
    if unit == "counts" and len(sums) > 1 and (away < ROUNDING).all() and away.any():
        return [
            "every sample adds up to a million but for rounding; these are TPM or CPM, not counts. Set counts_unit: tpm for"
            " TPM; of CPM take the counts."
        ]
    if unit == "tpm" and sums.max() > (1 + TOLERANCE) * MILLION:
        if is_whole:
            return [
                f"all values are whole numbers; these are counts, not TPM (TPM add up to a million at most, a sample here to"
                f" {sums.max():.3g}). Set counts_unit: counts."
            ]
        return [
            f"a sample adds up to {sums.max():.3g}; TPM add up to a million at most. Set counts_unit to what the matrix holds"
            " (expected_counts for estimates of RSEM or salmon); FPKM become TPM by dividing each sample by its sum, times a"
            " million."
        ]
    if unit == "tpm" and is_whole and not (away < ROUNDING).all():
        return ["all values are whole numbers; these are counts, not TPM. Set counts_unit: counts."]
    return []


def _logarithms(values, path):
    """Problems of values given as logarithms of normalised expression."""
    largest = values.max(initial=0)
    if largest > LOG_CEILING:
        whole = (values == np.round(values)).all()
        sums = values.sum(axis=0)
        fitting = "counts" if whole else "expected_counts, or tpm"
        fitting = "tpm" if (np.abs(sums - MILLION) < TOLERANCE * MILLION).all() else fitting
        return [f"{path}: values reach {largest:g}; these are not logarithms. Set counts_unit: {fitting}."]
    base = counts_in(values)
    if not base:
        return []
    sums = (BASES[base] ** values - 1).sum(axis=0)
    sums = sums[sums > 0]
    equal = sums.max() < (1 + ROUNDING) * sums.min()
    if equal and (len(sums) > 1 or abs(sums[0] - MILLION) < ROUNDING * MILLION):
        return []
    return [
        f"{path}: {base} to the power of each value, less 1, is a whole number, and samples add up to {sums.min():.4g} to"
        f" {sums.max():.4g}: these are logarithms of counts, not normalised for the depth of each sample. Set counts_unit:"
        " log_counts."
    ]


def _log_counts(cells, values):
    """Problems of values given as logarithms of count + 1."""
    problems = cells.problems(values < 0, "is negative, which the logarithm of a count + 1 cannot be")
    if values.max(initial=0) > LOG_CEILING:
        whole = "counts" if (values == np.round(values)).all() else "expected_counts"
        problems.append(
            f"{cells.path}: values reach {values.max():g}; these are not logarithms. Set counts_unit: {whole}."
        )
    if problems:
        return problems
    power = BASES[base_of(values)]
    precision = precision_of(values)
    counts = np.round(power**values - 1)
    bad = np.abs(values - np.log1p(counts) / np.log(power)) > precision
    problems += cells.problems(
        bad,
        "is not the logarithm (base 2, e or 10) of a whole number + 1; set counts_unit: log, or, for logarithms of expected"
        " counts, undo them and set expected_counts",
    )
    if not problems and precision.max(initial=0) * np.log(power) > TOLERANCE:
        problems.append(
            f"{cells.path}: its logarithms have too few decimals to tell the counts; take the counts."
        )
    return problems


def notes(values: NDArray[Any], unit: str, path: str | Path) -> list[str]:
    """Log lines on unusual but valid values (as `check` returns them)."""
    if unit == "log":
        return _depth_among_logarithms(values, path)
    sums = values.sum(axis=0)
    sums = sums[sums > 0]
    if not len(sums):
        return []
    if unit == "tpm":
        uneven = sums.max() / sums.min()
        if uneven > (UNEVEN if len(values) >= MANY_GENES else FEWER_UNEVEN):
            return [
                f"{path}: samples add up to {sums.min():.3g} to {sums.max():.3g}, TPM of all genes to a million each: are these"
                " FPKM, or TPM of chosen genes?"
            ]
    if (
        unit in ("counts", "expected_counts")
        and len(sums) == 1
        and abs(sums[0] - MILLION) < TOLERANCE * MILLION
    ):
        return [f"{path}: the sample adds up to a million: are these counts, or TPM?"]
    return []


def _depth_among_logarithms(values, path):
    sound = values[:, ~np.isnan(values).any(axis=0)]
    if len(values) < MANY_GENES or not sound.size or sound.min() < 0:
        return []
    sums = (2.0**sound - 1).sum(axis=0)
    if sums.min() > 0 and sums.max() > FEWER_UNEVEN * max(sums.min(), MILLION):
        return [
            f"{path}: 2 to the power of each value, less 1, adds up to {sums.min():.3g} to {sums.max():.3g}: were these logarithms"
            " normalised for the depth of each sample? If not, undo them and set counts_unit: expected_counts."
        ]
    return []


def empty_samples(samples: Iterable[str], values: NDArray[Any], unit: str) -> list[str]:
    """Samples without a single count, or logarithm, in values (n_genes, n_samples)."""
    nothing = np.isnan(values).all(axis=0) if unit == "log" else values.sum(axis=0) == 0
    return [name for name, empty in zip(samples, nothing, strict=True) if empty]
