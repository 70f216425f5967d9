"""Expression of the demo's genes: effects on it, and fragment counts drawn from them for each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.simulate.genome import stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rna2model.simulate.demo import Sample
    from rna2model.simulate.genome import Gene


@dataclass(frozen=True)
class Effects:
    """Parameters of each gene's expression; every array is (n_genes,), effects are log2.

    Attributes
    ----------
    baseline : log2 of fragments, up to a constant
    log2fc : the second condition against the first; 0 for most genes
    batch : {batch: effect}, adding up to zero over the batches
    dispersion : negative-binomial, variance = mean + dispersion x mean^2
    """

    baseline: NDArray[np.float64]
    log2fc: NDArray[np.float64]
    batch: dict[str, NDArray[np.float64]]
    dispersion: NDArray[np.float64]


def draw_effects(definition: dict[str, Any], genes: Sequence[Gene], seed: int) -> Effects:
    """Baseline, condition and batch effects and dispersion of each gene."""
    settings, rng = definition["expression"], stream(seed, "expression")
    lengths = np.array([sum(end - start for start, end in gene.exons) for gene in genes])
    baseline = np.log2(lengths) + rng.normal(0, settings["baseline_sd"], len(genes))
    batches = list(definition["cohort"]["batches"])
    shifts = rng.normal(0, settings["batch_sd"], (len(batches), len(genes)))
    shifts -= shifts.mean(axis=0)
    shifts *= np.sqrt(len(batches) / max(len(batches) - 1, 1))  # centring took this much of the spread
    low, high = settings["dispersion"]
    return Effects(
        baseline=baseline,
        log2fc=draw_fold_changes(baseline, settings, rng),
        batch=dict(zip(batches, shifts, strict=True)),
        dispersion=rng.uniform(low, high, len(genes)),
    )


def draw_fold_changes(
    baseline: NDArray[np.float64], settings: dict[str, Any], rng: np.random.Generator
) -> NDArray[np.float64]:
    """log2 fold changes, half up and half down, of genes expressed well enough to show them."""
    candidates = np.flatnonzero(baseline >= np.median(baseline))
    if settings["de_genes"] > len(candidates):
        raise InputProblem("expression.de_genes: at most half of the genes can be differential.")
    chosen = rng.choice(candidates, settings["de_genes"], replace=False)
    log2fc = np.zeros(len(baseline))
    low, high = settings["log2fc"]
    log2fc[chosen] = rng.uniform(low, high, len(chosen)) * np.resize([1, -1], len(chosen))
    return log2fc


def draw_cohort_counts(
    definition: dict[str, Any], effects: Effects, samples: Sequence[Sample], seed: int
) -> NDArray[np.int64]:
    """Fragments of each gene (rows) in each sample (columns), integers."""
    columns = [draw_counts(definition, effects, sample, seed) for sample in samples]
    return np.stack(columns, axis=1)


def draw_counts(definition: dict[str, Any], effects: Effects, sample: Sample, seed: int) -> NDArray[np.int64]:
    """Fragments of each gene in one sample, (n_genes,) integers."""
    settings, rng = definition["expression"], stream(seed, "counts", sample.name)
    treated = sample.condition != next(iter(definition["cohort"]["donors"]))
    donor = stream(seed, "donor", sample.donor).normal(0, settings["donor_sd"], len(effects.baseline))
    level = 2 ** (effects.baseline + treated * effects.log2fc + effects.batch[sample.batch] + donor)
    mean = level / level.sum() * library_size(definition, sample, rng)
    shape = 1 / effects.dispersion
    return rng.poisson(rng.gamma(shape, mean / shape))  # a gamma-Poisson mixture is negative-binomial


def library_size(definition: dict[str, Any], sample: Sample, rng: np.random.Generator) -> float:
    """Expected fragments of a sample; the `too_few` library is as small as the definition says."""
    low, high = definition["expression"]["library_size"]
    factor = np.exp(rng.uniform(np.log(low), np.log(high))) * definition["cohort"]["batches"][sample.batch]
    if sample.fault == "too_few":
        return definition["cohort"]["faulty"]["too_few"]["pairs"]
    return definition["reads"]["pairs"] * factor
