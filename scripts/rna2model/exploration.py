"""Views of the whole cohort for people; nothing here feeds a model."""

import gzip

import numpy as np
import pandas as pd


def write(values, samples, genes, path):
    """Genes x samples of log2 expression as gzipped TSV, four decimals, no time stamp."""
    text = pd.DataFrame(values.T, index=pd.Index(genes, name="gene_id"), columns=samples).to_csv(
        sep="\t", float_format="%.4f", lineterminator="\n"
    )
    with (
        open(path, "wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="", compresslevel=4) as out,
    ):
        out.write(text.encode())


def components(views, samples, count=2, genes=500):
    """DataFrame view, sample, PC1.., with the share of variance of each axis (pc1_pct ..).

    Principal components of the `genes` most variable genes, as DESeq2::plotPCA does. views: {name: (n, g)}.
    """
    parts = []
    for name, values in views.items():
        top = values[:, np.argsort(-values.var(axis=0), kind="stable")[:genes]]
        centred = top - top.mean(axis=0)
        left, scale, _ = np.linalg.svd(centred, full_matrices=False)
        kept = min(count, len(scale))
        share = 100 * scale**2 / max((scale**2).sum(), np.finfo(float).tiny)
        frame = pd.DataFrame({"view": name, "sample": samples})
        for axis in range(kept):
            frame[f"PC{axis + 1}"] = np.round(left[:, axis] * scale[axis], 4)
            frame[f"pc{axis + 1}_pct"] = round(float(share[axis]), 2)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)
