"""The data of one split: its samples, and their expression by the split's fitted artefacts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.cohort import cohort, outcome, splits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.cohort.cohort import Cohort
    from rna2model.training.preprocessing import Preprocessing


@dataclass
class SplitData:
    """The training cohort seen from one split: names of the samples it trains on, those it holds out, and all that train
    in the split `full`."""

    cohort: Cohort
    train: list[str]
    test: list[str]
    full: list[str]
    design: Mapping[str, Any]

    def outcome(self, samples: Sequence[str]) -> NDArray[Any]:
        """(n,) what is predicted: classes (str), numbers (float64), or times and events (outcome.SURVIVAL)."""
        return outcome.read(self.design, lambda name: self.cohort.column(name, samples))

    def labels(self, samples: Sequence[str]) -> NDArray[np.str_]:
        """(n,) class of each sample, or its substitute: part of a numeric target's range, event or censored."""
        return outcome.classes(self.design["task"], self.outcome(samples))

    def groups(self, samples: Sequence[str]) -> NDArray[np.str_] | None:
        """(n,) group (donor) of each sample, or None where the design has none."""
        return self.cohort.column(self.design["group"], samples) if self.design["group"] else None

    def batches(self, samples: Sequence[str]) -> NDArray[Any]:
        """(n,) batch of each sample; one nameless batch where the design has none."""
        if not self.design["batch"]:
            return np.full(len(samples), "", dtype=object)
        return self.cohort.column(self.design["batch"], samples)

    def counts(self, samples: Sequence[str]) -> NDArray[Any]:
        """(n, n_genes) counts of `samples`."""
        return self.cohort.counts[self.cohort.rows(samples)]

    def covariates(self, samples: Sequence[str]) -> dict[str, NDArray[Any]]:
        """{sheet column: (n,) str} of the design's covariates."""
        return {name: self.cohort.column(name, samples) for name in self.design.get("covariates", [])}

    def expression(
        self, samples: Sequence[str], preprocessing: Preprocessing, unseen: str = "uncorrected"
    ) -> NDArray[Any]:
        """(n, k) what models see of `samples` by the split's preprocessing.Preprocessing."""
        measured = self.counts(samples), self.batches(samples), self.covariates(samples)
        return preprocessing.transform(*measured, unseen=unseen)


def read(
    cohort_path: str | Path, manifest_path: str | Path, split: str, design: Mapping[str, Any]
) -> SplitData:
    """The SplitData of `split` over the training cohort; batch.<name> splits hold out one batch, `full` tests a fixed hold-out, if any."""
    return of(cohort.read(cohort_path), read_manifest(manifest_path), split, design)


def read_manifest(path: str | Path) -> pd.DataFrame:
    """The split manifest as a DataFrame of text."""
    import pandas as pd

    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def of(data: Cohort, manifest: pd.DataFrame, split: str, design: Mapping[str, Any]) -> SplitData:
    """Like `read`, from a Cohort and a manifest that are already in memory."""
    batches = batch_of(data, design)
    train = splits.training_samples(
        manifest, split, data.samples, batches=batches, groups=group_of(data, design)
    )
    test = splits.test_samples(manifest, split, data.samples, batches=batches)
    full = splits.training_samples(manifest, splits.FULL, data.samples)
    return SplitData(data, train, test, full, design)


def group_of(data: Cohort, design: Mapping[str, Any]) -> dict[str, str] | None:
    """{sample: group (donor)} of a Cohort, or None where the design has none."""
    return dict(zip(data.samples, data.obs[design["group"]], strict=True)) if design["group"] else None


def batch_of(data: Cohort, design: Mapping[str, Any]) -> dict[str, str] | None:
    """{sample: batch} of a Cohort, or None where the design has none."""
    return dict(zip(data.samples, data.obs[design["batch"]], strict=True)) if design["batch"] else None


def held_out_batches(
    data: Cohort, manifest: pd.DataFrame, names: Iterable[str], design: Mapping[str, Any]
) -> dict[str, dict[str, int]]:
    """{split batch.<name>: {tested, trained, left_out, shared}}: samples tested and trained on, those that did not train since
    the held-out batch has samples of their group, and groups that are on both sides all the same (none should be)."""
    sizes = {}
    for name in names:
        split, groups = of(data, manifest, name, design), group_of(data, design) or {}
        sides = [{groups.get(sample, sample) for sample in side} for side in (split.test, split.train)]
        sizes[name] = {"tested": len(split.test), "trained": len(split.train)}
        sizes[name] |= {"left_out": len(split.full) - len(split.train) - len(split.test)}
        sizes[name] |= {"shared": len(sides[0] & sides[1])}
    return sizes


def training_outcomes(
    data: Cohort, manifest: pd.DataFrame, names: Iterable[str], design: Mapping[str, Any]
) -> dict[str, NDArray[Any]]:
    """{split: what is predicted of its training samples}, of a Cohort and a manifest that are read already."""
    splits_of = {name: of(data, manifest, name, design) for name in names}
    return {name: split.outcome(split.train) for name, split in splits_of.items()}


def unlabelled(data: SplitData, others: Cohort, preprocessing: Preprocessing) -> NDArray[Any]:
    """(m, k) what models see of the samples of another Cohort, which have no label, by a split's SplitData and Preprocessing.

    Left out are those whose name, group (donor) or whole batch the split holds out, or that have the counts of a sample
    that it holds out: a held-out sample must not come back as one without label.
    """
    from dataclasses import replace

    held_out = set(data.cohort.samples) - set(data.train)
    rows = {data.cohort.counts[row].tobytes() for row in data.cohort.rows(sorted(held_out))}
    apart = {}
    for column in filter(None, (data.design["group"], data.design["batch"])):
        seen = set(data.cohort.column(column, data.train))
        apart[column] = set(data.cohort.column(column, sorted(held_out))) - seen
    names = [
        name
        for row, name in enumerate(others.samples)
        if name not in data.cohort.samples
        and others.counts[row].astype(data.cohort.counts.dtype).tobytes() not in rows
        and not any(others.obs[column][row] in names for column, names in apart.items())
    ]
    return replace(data, cohort=others).expression(names, preprocessing)
