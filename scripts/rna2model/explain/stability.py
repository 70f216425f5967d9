"""Whether the same genes are chosen again: agreement of gene sets over folds."""

from __future__ import annotations

from typing import Any

import numpy as np


def nogueira(chosen: Any, level: float = 0.95) -> dict[str, float]:
    """{stability, lower, upper} of sets of features (Nogueira, Sechidis & Brown 2018): 1 always the same, 0 as by chance.

    The interval takes the M sets as independent. Folds share most of their training samples (two of five 75 %), so that it is too
    narrow for folds, and does not apply to other cohorts.

    chosen : (M, p) bool, row i the features chosen in fold i; M >= 2. NaN where nothing, or everything, is chosen everywhere.
    """
    from scipy.stats import norm

    Z = np.asarray(chosen, dtype=float)
    M, p = Z.shape
    share, mean_size = Z.mean(axis=0), Z.sum(axis=1).mean()
    expected = mean_size / p * (1 - mean_size / p)
    if M < 2 or expected == 0:
        return {"stability": np.nan, "lower": np.nan, "upper": np.nan}
    variance = M / (M - 1) * share * (1 - share)
    estimate = 1 - variance.mean() / expected
    size = Z.sum(axis=1)
    phi = (
        (Z * share).mean(axis=1)
        - size * mean_size / p**2
        + estimate / 2 * (2 * mean_size * size / p**2 - size / p - mean_size / p + 1)
    ) / expected
    spread = np.sqrt(4 / M**2 * ((phi - phi.mean()) ** 2).sum())
    reach = norm.ppf((1 + level) / 2) * spread
    return {"stability": estimate, "lower": estimate - reach, "upper": min(estimate + reach, 1.0)}
