"""Which samples are alike: correlations, their hierarchical order, and clusters against labels and batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.explore import pca

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

COMPONENTS, SEED, STARTS = 10, 1, 20
MOST = 2000  # samples; of a larger cohort as many are drawn where each is compared with each
AT_ONCE = 4_000_000  # correlations in memory at a time, where all are not needed together
COLUMNS = [
    "view",
    "method",
    "against",
    "clusters",
    "adjusted_rand",
    "normalized_mutual_information",
    "sample",
    "cluster",
]


def drawn(count: int) -> NDArray[np.int64]:
    """Row numbers of the samples that are compared with each other, of `count`: all up to MOST, else MOST of them at random."""
    return np.sort(np.random.default_rng(SEED).permutation(count)[:MOST])


def correlations(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n, n) Pearson correlations of samples over all genes (n, g); 0 with a sample that does not vary."""
    unit = _unit(values)
    coefficients = unit @ unit.T
    np.clip(coefficients, -1, 1, out=coefficients)
    np.fill_diagonal(coefficients, 1.0)
    return coefficients


def median_correlation(values: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) median correlation of each of two samples or more with the others, in memory for some of them at a time."""
    unit, middle = _unit(values), np.empty(len(values))
    rows = max(1, AT_ONCE // len(values))
    for first in range(0, len(values), rows):
        block = unit[first : first + rows] @ unit.T
        np.clip(block, -1, 1, out=block)
        own = np.arange(len(block))
        block[own, first + own] = np.nan
        middle[first : first + rows] = np.nanmedian(block, axis=1)
    return middle


def _unit(values):
    """Rows (n, g) of mean 0 and length 1, or zeros."""
    centred = values - values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1)[:, None]
    return np.divide(centred, length, out=centred, where=length > 0)


def tree(correlation: NDArray[Any]) -> NDArray[np.float64]:
    """Average linkage (scipy's matrix) of samples by 1 - correlation; in the best order of leaves up to 500 samples."""
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    distance = 1 - (correlation + correlation.T) / 2
    np.fill_diagonal(distance, 0)
    flat = squareform(np.maximum(distance, 0), checks=False)
    return linkage(flat, "average", optimal_ordering=len(correlation) <= 500)


def order(correlation: NDArray[Any]) -> NDArray[Any]:
    """(n,) row numbers as the hierarchical clustering puts them side by side."""
    from scipy.cluster.hierarchy import leaves_list

    return leaves_list(tree(correlation)) if len(correlation) > 2 else np.arange(len(correlation))


def table(
    matrices: Mapping[str, NDArray[Any]], orders: Mapping[str, NDArray[Any]], samples: Sequence[str]
) -> pd.DataFrame:
    """DataFrame: view, sample, position in the hierarchical order from 1, and a column for each sample's correlation.

    matrices : {view: (n, n) correlations}; orders : {view: (n,) row numbers in their order}
    """
    import pandas as pd

    parts = []
    for view, values in matrices.items():
        part = pd.DataFrame(values.round(4), columns=samples)
        position = np.empty(len(samples), int)
        position[orders[view]] = np.arange(1, len(samples) + 1)
        known = pd.DataFrame({"view": view, "sample": samples, "position": position})
        parts.append(pd.concat([known, part], axis=1))
    return pd.concat(parts, ignore_index=True)


def compare(
    views: Mapping[str, NDArray[Any]],
    samples: Sequence[str],
    labels: NDArray[Any],
    batches: NDArray[Any] | None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS: clusters of all samples, as many as the target (the batch column) has values, against it.

    k-means and hierarchical clusters (Ward) of ten principal components. The adjusted Rand index (Hubert & Arabie 1985) is 0 for
    chance and 1 for agreement; so is normalised mutual information, but for few samples chance is above 0.
    Hierarchical clusters are of the samples `drawn`, since they compare each with each.
    """
    import pandas as pd

    groups = {"target": np.asarray(labels)} | ({} if batches is None else {"batch": np.asarray(batches)})
    parts = [pd.DataFrame(columns=COLUMNS)]
    for view, values in views.items():
        scores = pca.scores(values, COMPONENTS)
        for against, names in groups.items():
            known, count = names != "", len(set(names[names != ""].tolist()))
            if not 2 <= count < len(samples) or not scores.shape[1]:
                continue
            for method, find in (("kmeans", _kmeans), ("hierarchical", _hierarchical)):
                rows = np.arange(len(samples)) if method == "kmeans" else drawn(len(samples))
                if count >= len(rows):
                    continue
                cluster = _numbered(find(scores[rows], count))
                rand, shared = agreement(names[rows][known[rows]], cluster[known[rows]])
                row = [view, method, against, count, round(rand, 4), round(shared, 4)]
                part = pd.DataFrame({"sample": np.asarray(samples)[rows], "cluster": cluster})
                for place, (column, value) in enumerate(zip(COLUMNS, row, strict=False)):
                    part.insert(place, column, value)
                parts.append(part)
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def agreement(names: NDArray[Any], cluster: NDArray[Any]) -> tuple[float, float]:
    """(adjusted Rand index, normalised mutual information) of two groupings."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return float(adjusted_rand_score(names, cluster)), float(normalized_mutual_info_score(names, cluster))


def _kmeans(scores, count):
    from sklearn.cluster import KMeans

    return KMeans(count, n_init=STARTS, random_state=SEED).fit_predict(scores)


def _hierarchical(scores, count):
    from sklearn.cluster import AgglomerativeClustering

    return AgglomerativeClustering(count, linkage="ward").fit_predict(scores)


def _numbered(cluster):
    """Clusters numbered from 1 in the order in which the samples meet them."""
    first = {}
    return np.array([first.setdefault(number, len(first) + 1) for number in cluster])
