"""Flags of new samples: what sets them apart from the samples that trained a bundle, as its manifest describes those."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from rna2model import __version__
from rna2model.cohort import units
from rna2model.qc import gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd
    from numpy.typing import NDArray

FAR_MIXTURE = 0.3  # share of predictions that would have to change to give the classes of training


def of_class_mixtures(
    trained: Mapping[str, int], table: pd.DataFrame, batches: NDArray[Any], adapted: NDArray[Any]
) -> list[str]:
    """For each sample a flag if its batch was adapted and its predicted classes are far from those of training: adapting may
    have taken a difference between the samples for a batch effect.

    trained : {class: training samples}; table : predictions of m samples; batches (m,) names; adapted (m,) bool
    """
    flags = dict.fromkeys(batches, "")
    for name in set(batches[adapted]):
        predicted = table["predicted"][(batches == name) & (table["predicted"] != "")]
        shares = predicted.value_counts(normalize=True)
        away = sum(abs(shares.get(c, 0) - n / sum(trained.values())) for c, n in trained.items()) / 2
        if len(predicted) and away > FAR_MIXTURE:
            flags[name] = (
                f"the predicted classes of batch {name!r} are far from those of training ({100 * away:.0f} % would have"
                " to change): adapting may have removed real differences"
            )
    return [flags[name] for name in batches]


def of_library_sizes(manifest: Mapping[str, Any], counts: NDArray[Any], n_genes: int) -> list[str]:
    """For each of counts (m, genes) a flag if the library is far smaller than those of training; n_genes : genes that the
    model uses."""
    if manifest.get("counts_unit", "counts") not in units.COUNT_UNITS:
        return [""] * len(counts)
    usual = manifest.get("library_size") or 0
    return [gate.small(size, usual, n_genes, "training samples") for size in counts.sum(axis=1)]


def of_strandedness(manifest: Mapping[str, Any], kinds: Iterable[str]) -> list[str]:
    """For each sample's strandedness (text, may be empty) a flag if training had none like it."""
    trained = manifest.get("strandedness") or {}
    described = ", ".join(f"{name} ({n} samples)" for name, n in trained.items())
    return [
        f"{kind} library; training had {described}" if kind and trained and kind not in trained else ""
        for kind in kinds
    ]


def of_versions(manifest: Mapping[str, Any]) -> list[str]:
    """A flag for each library whose version differs from training and can change a prediction.

    Most models predict by this project's arithmetic on stored arrays; only the trees are objects of scikit-learn, which may
    change with a minor version.
    """
    made, flags = manifest.get("libraries", {}), []
    pairs: list[tuple[str, Any, str | None]] = [("rna2model", manifest.get("rna2model"), __version__)]
    if any(name.endswith(".skops") for name in manifest["files"]):
        pairs.append(("scikit-learn", made.get("scikit-learn"), version("scikit-learn")))
    for name, before, now in pairs:
        if before and now and before.split(".")[:2] != now.split(".")[:2]:
            flags.append(f"the bundle was made with {name} {before}, predicted with {now}")
    return flags


def version(name: str) -> str | None:
    """The installed version of a package, None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
