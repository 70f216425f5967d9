"""Principal components of the most variable genes, as DESeq2::plotPCA takes them; for people, not for models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

GENES = 500


def most_variable(values: NDArray[Any], genes: int = GENES) -> NDArray[Any]:
    """(n, <= genes) the most variable columns of log2 expression (n, g), centred."""
    top = values[:, np.argsort(-values.var(axis=0), kind="stable")[:genes]]
    return top - top.mean(axis=0)


def decompose(values: NDArray[Any], genes: int = GENES) -> tuple[NDArray[Any], NDArray[Any]]:
    """((n, k) orthonormal positions of the samples, (k,) singular values, largest first); their products are the scores."""
    left, scale, _ = np.linalg.svd(most_variable(values, genes), full_matrices=False)
    return left, scale


def scores(values: NDArray[Any], count: int) -> NDArray[Any]:
    """(n, <= count) principal component scores; fewer where fewer vary."""
    left, scale = decompose(values)
    kept = min(count, int((scale > 1e-9 * max(scale.max(initial=0), 1e-300)).sum()))
    return left[:, :kept] * scale[:kept]


def table(views: Mapping[str, NDArray[Any]], samples: Sequence[str], count: int = 2) -> pd.DataFrame:
    """DataFrame view, sample, PC1.., with the share of variance of each axis (pc1_pct ..). views: {name: (n, g)}."""
    import pandas as pd

    parts = []
    for name, values in views.items():
        left, scale = decompose(values)
        kept = min(count, len(scale))
        share = 100 * scale**2 / max((scale**2).sum(), np.finfo(float).tiny)
        frame = pd.DataFrame({"view": name, "sample": samples})
        for axis in range(kept):
            frame[f"PC{axis + 1}"] = np.round(left[:, axis] * scale[axis], 4)
            frame[f"pc{axis + 1}_pct"] = round(float(share[axis]), 2)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)
