"""Made-up count matrices with a known truth, for runs of the tasks beyond classification."""

import numpy as np
import pandas as pd


def write(folder, effect, n=60, genes=300, seed=0):
    """counts.tsv and samples.tsv of `n` samples of n / 2 donors plus two without outcome; the true log hazard, which is
    also the mean of `score`, moves 30 genes by `effect` log2 per sd. `outside` marks twelve samples as a hold-out."""
    rng = np.random.default_rng(seed)
    names, truth = [f"s{i:03}" for i in range(n + 2)], np.repeat(rng.normal(size=n // 2 + 1), 2)
    means = np.tile(rng.lognormal(5, 1, genes), (n + 2, 1))
    means[:, :30] *= 2.0 ** (effect * truth[:, None] * rng.choice([-1, 1], 30))
    counts = rng.poisson(means * rng.lognormal(0, 0.2, (n + 2, genes)))
    time = rng.exponential(20 * np.exp(-2.5 * truth)) + 0.1
    censored = rng.uniform(5, 80, n + 2)
    sheet = pd.DataFrame(
        {
            "sample": names,
            "donor": [f"d{i // 2:02}" for i in range(n + 2)],
            "site": np.tile(["x", "x", "y", "y"], n)[: n + 2],
            "score": (10 + 2 * truth + rng.normal(0, 0.3, n + 2)).round(4),
            "months": np.minimum(time, censored).round(3),
            "died": np.where(time <= censored, "yes", "no"),
            "outside": ["other hospital" if i >= n - 12 else "" for i in range(n + 2)],
        }
    ).astype(str)
    sheet.loc[n:, ["score", "months", "died", "outside"]] = ""
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    table = pd.DataFrame(counts.T, index=[f"ENSG{i:011}" for i in range(genes)], columns=names)
    table.rename_axis("gene_id").to_csv(folder / "counts.tsv", sep="\t")
    return sheet
