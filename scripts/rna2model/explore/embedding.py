"""Samples on a plane by t-SNE and UMAP, for people to look at: who is near whom, not how far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.explore import pca

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

COMPONENTS = 30  # principal components that both start from
SEED = 1
FEWEST = 5  # samples
COLUMNS = ["view", "sample", "method", "x", "y"]


def embed(views: Mapping[str, NDArray[Any]], samples: Sequence[str]) -> pd.DataFrame:
    """DataFrame of COLUMNS for {view: (n, g) log2 expression}; without rows below FEWEST samples.

    t-SNE (van der Maaten & Hinton 2008; scikit-learn) with a perplexity of 30 or, in small cohorts, a third of the others;
    UMAP (McInnes et al. 2018; umap-learn) with 15 neighbours or all others. Both start from the principal components and
    from one seed, so that equal data give equal pictures on one machine.
    """
    import pandas as pd

    parts = [pd.DataFrame(columns=COLUMNS)] if len(samples) < FEWEST else []
    for view, values in views.items() if len(samples) >= FEWEST else ():
        start = pca.scores(values, COMPONENTS)
        if start.shape[1] < 2:
            start = np.column_stack([start, np.zeros((len(samples), 2 - start.shape[1]))])
        for method, place in (("tsne", tsne), ("umap", umap)):
            x, y = place(start).T.round(4)
            parts.append(pd.DataFrame({"view": view, "sample": samples, "method": method, "x": x, "y": y}))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def perplexity(n: int) -> float:
    """t-SNE's neighbours that count: 30, in small cohorts a third of the other samples."""
    return min(30.0, max(1.0, (n - 1) / 3))


def tsne(scores: NDArray[Any]) -> NDArray[Any]:
    """(n, 2) t-SNE of principal component scores."""
    from sklearn.manifold import TSNE

    model = TSNE(perplexity=perplexity(len(scores)), init="pca", random_state=SEED, n_jobs=1)
    return model.fit_transform(scores)


def umap(scores: NDArray[Any]) -> NDArray[Any]:
    """(n, 2) UMAP of principal component scores."""
    from umap import UMAP

    model = UMAP(n_neighbors=min(15, len(scores) - 1), init="pca", random_state=SEED, n_jobs=1)
    return model.fit_transform(scores)
