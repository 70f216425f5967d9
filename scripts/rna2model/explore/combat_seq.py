"""ComBat-seq: batches taken out of counts, which stay counts. For people to look at, never for a model.

It maps quantiles of one fitted distribution to another and needs all samples of a batch together, so it has no form that
serves a new sample; see `expression.batch_correction` for those that do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.explore import negative_binomial as nb

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR = 1e-4  # count added before coefficients are taken (sva::ComBat_seq, prior.count)


def adjust(
    counts: NDArray[Any], batches: NDArray[Any], groups: NDArray[Any] | None = None
) -> NDArray[np.int64]:
    """(n, g) integer counts without the differences between batches (Zhang, Parmigiani & Johnson 2020; sva::ComBat_seq).

    counts : (n, g), rounded; batches : (n,) str; groups : (n,) str whose differences are kept, or None
    Genes without a count in some batch stay as they are. InputProblem where a batch has one sample, or cannot be told
    from the groups.
    """
    counts, batches = np.rint(np.asarray(counts)).astype(np.int64), np.asarray(batches).astype(str)
    names = sorted(set(batches.tolist()))
    single = [name for name in names if (batches == name).sum() < 2]
    if single:
        raise InputProblem(f"ComBat-seq needs two samples in each batch, and {', '.join(single)} has one.")
    if len(names) < 2:
        return counts
    place = np.searchsorted(names, batches)
    classes: list[Any] = [None] if groups is None else sorted(set(np.asarray(groups).astype(str).tolist()))
    kinds = np.zeros(len(counts), int) if len(classes) < 2 else np.searchsorted(classes, np.asarray(groups))
    design = np.column_stack([np.eye(len(names))[place], np.eye(len(classes))[kinds][:, 1:]])
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputProblem("ComBat-seq: batches and the groups to be kept cannot be told apart.")
    kept = np.all([counts[place == b].any(axis=0) for b in range(len(names))], axis=0)
    if not kept.any():
        raise InputProblem("ComBat-seq: no gene has a count in every batch.")
    adjusted = counts.copy()
    adjusted[:, kept] = _adjust(counts[:, kept].astype(float), place, kinds, design)
    return adjusted


def _adjust(counts, place, kinds, design):
    """Adjusted counts (n, g) of genes that have a count in every batch."""
    sizes = np.bincount(place)
    phi = np.stack(
        [_dispersions(counts[place == b], kinds[place == b], kinds.max()) for b in range(len(sizes))]
    )
    library = np.log(counts.sum(axis=1, keepdims=True))
    offsets = np.broadcast_to(library, counts.shape)
    average = sizes @ _coefficients(counts, design, offsets, phi[place])[: len(sizes)] / len(counts)
    offsets = offsets + average
    shift = _coefficients(counts, design, offsets, phi[place])[: len(sizes)]
    _, mean = nb.fit(counts, design, offsets, phi[place])
    return _matched(counts, mean, phi[place], mean * np.exp(-shift[place]), phi.mean(axis=0))


def _dispersions(counts, kinds, last):
    """(g,) dispersions in one batch; one for all genes where it has too few samples or lacks a group."""
    offsets = np.log(counts.sum(axis=1, keepdims=True))
    whole = len(set(kinds.tolist())) == last + 1
    if len(counts) <= last + 1 or not whole:
        return np.full(counts.shape[1], nb.common_dispersion(counts, np.zeros_like(kinds), offsets))
    return nb.gene_dispersions(counts, kinds, offsets, nb.common_dispersion(counts, kinds, offsets))


def _coefficients(counts, design, offsets, dispersions):
    """(columns, g) coefficients, each library with a prior count in proportion to its size (edgeR::predFC)."""
    libraries = np.exp(offsets)
    prior = PRIOR * libraries / libraries.mean(axis=0)
    return nb.fit(counts + prior, design, np.log(libraries + 2 * prior), dispersions)[0]


def _matched(counts, mean, dispersions, new_mean, new_dispersions):
    """Each count at the same quantile of the new distribution; 0 and 1, and what is beyond the 0.9999 quantile, stay."""
    from scipy import special, stats

    size, new_size = 1 / dispersions, np.broadcast_to(1 / new_dispersions, counts.shape)
    many = counts > 1
    y, size, m = counts[many], size[many], mean[many]
    new_size, new_m = new_size[many], new_mean[many]
    quantile = special.betainc(size, y, size / (size + m))  # P(count < y)
    share = new_size / (new_size + new_m)
    least = quantile * (1 - 64 * np.finfo(float).eps)  # as R's qnbinom, which is continuous from the left
    quantiles = np.maximum(stats.nbinom.ppf(np.minimum(least, 1 - 1e-5), new_size, share), 0)
    lower = np.maximum(quantiles - 1, 0)
    quantiles = np.where(special.betainc(new_size, lower + 1, share) >= least, lower, quantiles)
    quantiles = np.where(special.betainc(new_size, quantiles + 1, share) < least, quantiles + 1, quantiles)
    matched = counts.copy()
    matched[many] = np.where(np.abs(quantile - 1) < 1e-4, y, 1 + quantiles)
    return matched
