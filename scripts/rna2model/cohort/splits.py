"""Which samples a split trains on and which it tests.

A split is named `r<repeat>f<fold>` (cross-validation), `full` (all labelled samples, nothing held out),
`batch.<name>` (leave one batch out) or `transfer` (repeat 0, fold 1 of the manifest; transfer.py). Folds are stratified by class and never divide a group (donor, animal); a
numeric target or survival is stratified by what stands for its classes (outcome.py). Samples of a fixed hold-out are
tested by `full` alone, which stands in the manifest as repeat 0, fold 0, and train nothing. Folds depend on the names, labels and groups of the samples and on the seed, not on the order of the rows.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

FULL, BATCH = "full", "batch."
TRANSFER, TRANSFERRED = "transfer", "r0f1"
HOLDOUT = "r0f0"  # repeat and fold of `full` in the manifest, if it has test samples
SMALLEST_INNER_CLASS = 3  # below this an inner training set would have one sample of a class
MOST_GROUPS_SWAPPED = (
    400  # swapping compares all pairs of groups; with more groups, moving single ones is enough
)


def names(folds: int, repeats: int, batches: Iterable[str] = (), transfer: bool = False) -> list[str]:
    """Names of all splits: r1f1 ..., full, then batch.<name> for each of `batches`, and `transfer` where there is one."""
    folded = [f"r{repeat}f{fold}" for repeat in range(1, repeats + 1) for fold in range(1, folds + 1)]
    return [*folded, FULL, *(f"{BATCH}{name}" for name in batches), *([TRANSFER] if transfer else [])]


def make(
    samples: Iterable[str],
    labels: Iterable[Any],
    groups: Iterable[Any] | None = None,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 1,
    needed: Collection[str] | None = None,
    holdout: Collection[str] = (),
    transfer: tuple[Sequence[str], Sequence[str]] | None = None,
) -> pd.DataFrame:
    """DataFrame sample, repeat, fold, role (train|test): one row per sample, repeat and fold.

    Every sample is tested once per repeat. InputProblem, with the numbers, where a class has fewer
    samples (or groups) than folds, or where a fold would train without one of the classes. `needed`: the classes
    that this concerns, where it is not all. `holdout`: further samples, which are tested by `full`. `transfer`: samples that the split
    `transfer` trains on and tests, or None.
    """
    import pandas as pd

    samples, parts = list(samples), []
    for repeat, names, tested_in in assigned(samples, labels, groups, folds, repeats, seed, needed):
        for fold in range(1, folds + 1):
            role = np.where(tested_in == fold, "test", "train")
            parts.append(pd.DataFrame({"sample": names, "repeat": repeat, "fold": fold, "role": role}))
    apart: list[tuple[Collection[str], int, str]] = []
    if len(holdout):
        apart += [(samples, 0, "train"), (holdout, 0, "test")]
    if transfer:
        apart += [(transfer[0], 1, "train"), (transfer[1], 1, "test")]
    for listed, fold, part in apart:
        ordered = sorted(map(str, listed))
        parts.append(pd.DataFrame({"sample": ordered, "repeat": 0, "fold": fold, "role": part}))
    return pd.concat(parts, ignore_index=True)


def assigned(
    samples: Iterable[str],
    labels: Iterable[Any],
    groups: Iterable[Any] | None,
    folds: int,
    repeats: int,
    seed: int,
    needed: Collection[str] | None = None,
) -> Iterator[tuple[int, NDArray[np.str_], NDArray[np.int64]]]:
    """For each repeat (its number, names of the samples, sorted, (n,) fold from 1 that tests each); InputProblem as `make`."""
    samples, labels, groups = _by_name(samples, labels, groups)
    check_enough(labels, groups, folds, needed)
    for repeat in range(1, repeats + 1):
        tested_in = assign(labels, groups, folds, np.random.default_rng([seed, repeat])) + 1
        _check_training_classes(labels, tested_in, folds, repeat, needed)
        yield repeat, samples, tested_in


def training_samples(
    manifest: pd.DataFrame,
    split: str,
    labelled: Iterable[str],
    batches: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
) -> list[str]:
    """Names of the samples `split` trains on, sorted; `batches` is {sample: batch}, for batch.<name> only.

    groups : {sample: group} or None; samples that share a group with the held-out batch do not train: a donor with
    samples in two batches would be on both sides.
    """
    if split == FULL or split.startswith(BATCH):
        labelled = set(labelled) - set(_in_role(manifest, HOLDOUT, "test"))
    if split == FULL:
        return sorted(labelled)
    if split.startswith(BATCH):
        assert batches is not None  # for these splits they are given
        return outside(split.removeprefix(BATCH), sorted(labelled), batches, groups)
    return _in_role(manifest, TRANSFERRED if split == TRANSFER else split, "train")


def outside(
    held_out: str, names: Sequence[str], batches: Mapping[str, str], groups: Mapping[str, str] | None = None
) -> list[str]:
    """The `names` that are neither in the batch `held_out` nor in a group with samples in it."""
    inside = {name for name in names if batches[name] == held_out}
    shared = {groups[name] for name in inside} if groups else set()
    return [name for name in names if name not in inside and (not groups or groups[name] not in shared)]


def test_samples(
    manifest: pd.DataFrame,
    split: str,
    labelled: Iterable[str] | None = None,
    batches: Mapping[str, str] | None = None,
) -> list[str]:
    """Names of the samples `split` holds out, sorted; for `full` those of a fixed hold-out, if there is one."""
    if split == FULL:
        return _in_role(manifest, HOLDOUT, "test")
    if split.startswith(BATCH):
        assert batches is not None  # for these splits they are given
        labelled = set(batches if labelled is None else labelled)
        labelled -= set(_in_role(manifest, HOLDOUT, "test"))
        return sorted(name for name in labelled if batches[name] == split.removeprefix(BATCH))
    return _in_role(manifest, TRANSFERRED if split == TRANSFER else split, "test")


test_samples.__test__ = False  # type: ignore[attr-defined]  # a function of the library, not one for pytest to collect


def inner(
    labels: NDArray[Any],
    groups: Sequence[str] | NDArray[Any] | None,
    folds: int,
    seed: int,
    needed: Collection[str] | None = None,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Inner folds for tuning: a list of (training rows, validation rows), sorted arrays of int.

    Fewer folds where a class (of those `needed`) has fewer samples or groups; an empty list where no class-complete
    inner training set exists, and the caller goes without tuning.
    """
    labels = np.asarray(labels).astype(str)
    groups = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes, counts = Counter(labels.tolist()), _groups_per_class(labels, groups)
    wanted = set(sizes if needed is None else needed)
    folds = min([folds, len(set(groups.tolist())), *(counts.get(label, 0) for label in wanted)])
    if folds < 2 or min([len(labels), *(sizes[label] for label in wanted)]) < SMALLEST_INNER_CLASS:
        return []
    fold = assign(labels, groups, folds, np.random.default_rng([seed, len(labels)]))
    pairs = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]
    complete = all(wanted <= set(labels[train].tolist()) and len(valid) for train, valid in pairs)
    return pairs if complete else []


def assign(
    labels: NDArray[Any], groups: NDArray[Any], folds: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(n,) fold (0 ...) of each sample: class counts and sizes as equal as possible, groups whole.

    Groups are placed from the largest to the smallest where the imbalance grows least; then single
    groups move, and pairs swap, while that lowers it. Imbalance is the sum over classes and folds of the
    squared share of the class that a fold holds, plus the same for all samples together.
    """
    classes, group_of, member = _class_counts(labels, groups)
    order = rng.permutation(len(member))
    order = order[np.argsort(-member[order].max(axis=1), kind="stable")]
    weight = 1.0 / member.sum(axis=0) ** 2
    held, fold = np.zeros((folds, classes + 1)), np.zeros(len(member), dtype=int)
    for group in order:
        growth = ((2 * held + member[group]) * member[group] * weight).sum(axis=1)
        fold[group] = _first_least(growth, rng)
        held[fold[group]] += member[group]
    if member[:, -1].max() > 1:
        _improve(fold, member, weight, folds)
    return fold[group_of]


def _by_name(
    samples: Iterable[str], labels: Iterable[Any], groups: Iterable[Any] | None
) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[np.str_]]:
    """The three columns as arrays of str, sorted by sample name; duplicates and missing labels are refused."""
    samples = np.asarray(list(samples), dtype=object).astype(str)
    twice = [name for name, count in Counter(samples.tolist()).items() if count > 1]
    if twice:
        raise InputProblem(f"samples named more than once: {', '.join(sorted(twice))}.")
    if len(samples) == 0:
        raise InputProblem("no sample has a label: fill the target column of the sample sheet.")
    order = np.argsort(samples)
    labels = np.asarray(list(labels), dtype=object).astype(str)[order]
    groups = samples[order] if groups is None else np.asarray(list(groups), dtype=object).astype(str)[order]
    return samples[order], labels, groups


def _groups_per_class(labels, groups):
    """{class: number of different groups that hold it}, in sorted class order."""
    return {label: len(set(groups[labels == label].tolist())) for label in sorted(set(labels.tolist()))}


def check_enough(
    labels: NDArray[Any], groups: NDArray[Any], folds: int, needed: Collection[str] | None = None
) -> None:
    """InputProblem where there is one class only, or a class (of those `needed`) cannot be in every fold."""
    sizes, counts = Counter(labels.tolist()), _groups_per_class(labels, groups)
    if needed is None and len(sizes) < 2:
        raise InputProblem(
            f"all {len(labels)} labelled samples are {str(labels[0])!r}: two classes are needed to train."
        )
    if needed is not None and len(set(groups.tolist())) < folds:
        raise InputProblem(
            f"{folds} folds need at least {folds} groups of samples, there are {len(set(groups.tolist()))}; set evaluation.folds"
            " lower or add samples."
        )
    wanted = {label: counts.get(label, 0) for label in (counts if needed is None else needed)}
    small = [label for label in wanted if wanted[label] < folds]
    if small:
        remedy = "Add samples or drop the class" if needed is None else "Add samples"
        if min(wanted.values()) > 1:
            remedy += f", or set evaluation.folds to {min(wanted.values())}"
        of = "every class" if needed is None else " and ".join(needed)
        sizes_of_small = "; ".join(
            f"{label}: {sizes[label]} samples in {wanted[label]} groups" for label in small
        )
        raise InputProblem(
            f"{folds} folds need at least {folds} samples of {of}, each in another group. Too small: {sizes_of_small}. {remedy}."
        )


def _check_training_classes(labels, tested_in, folds, repeat, needed):
    wanted = set(labels.tolist() if needed is None else needed)
    for fold in range(1, folds + 1):
        missing = wanted - set(labels[tested_in != fold].tolist())
        if missing:
            raise InputProblem(
                f"fold {fold} of repeat {repeat} would train without a sample of {', '.join(sorted(missing))}: "
                f"its {sum(np.isin(labels, list(missing)))} samples share groups. Use fewer folds or more groups."
            )


def _class_counts(labels, groups):
    """(number of classes, (n,) group row of each sample, (groups, classes + 1) counts, the last of all)."""
    classes, label_of = np.unique(labels, return_inverse=True)
    rows, group_of = np.unique(groups, return_inverse=True)
    member = np.zeros((len(rows), len(classes) + 1))
    np.add.at(member, (group_of, label_of), 1)
    member[:, -1] = member[:, :-1].sum(axis=1)
    return len(classes), group_of, member


def _first_least(values, rng):
    """Position of the least value, ties (to rounding) broken at random."""
    return rng.choice(np.flatnonzero(values <= values.min() + 1e-12))


def _improve(fold, member, weight, folds):
    """Move or swap groups between folds, in place, while the imbalance falls."""
    for _ in range(10 * len(fold)):
        held = np.array([member[fold == k].sum(axis=0) for k in range(folds)])
        moves = _best_move(fold, member, weight, held), _best_swap(fold, member, weight, held)
        gain, change = min(moves, key=lambda move: move[0])
        if gain > -1e-12:
            return
        for group, to in change:
            fold[group] = to


def _best_move(fold, member, weight, held):
    """(change of the imbalance, ((group, fold),)) of the best single move."""
    change = 2 * ((member * weight) @ held.T - (member * weight * held[fold]).sum(axis=1)[:, None])
    change += 2 * (member**2 * weight).sum(axis=1)[:, None]
    change[np.arange(len(fold)), fold] = 0.0
    group, to = np.unravel_index(change.argmin(), change.shape)
    return change[group, to], ((group, to),)


def _best_swap(fold, member, weight, held):
    """(change of the imbalance, ((group, fold), (group, fold))) of the best exchange of two groups."""
    if len(fold) > MOST_GROUPS_SWAPPED:
        return 0.0, ()
    change = np.zeros((len(fold), len(fold)))
    for counts, scale, load in zip(member.T, weight, held.T, strict=True):
        surplus = counts[:, None] - counts[None, :]  # what the first group takes out of its fold
        gap = load[fold][None, :] - load[fold][:, None]
        change += scale * 2 * surplus * (gap + surplus)
    change[fold[:, None] == fold[None, :]] = 0.0
    first, second = np.unravel_index(change.argmin(), change.shape)
    return change[first, second], ((first, fold[second]), (second, fold[first]))


def _in_role(manifest, split, role):
    """Samples of the manifest in `role` of split r<repeat>f<fold>, sorted."""
    parsed = re.fullmatch(r"r(\d+)f(\d+)", split)
    if not parsed:
        raise InputProblem(f"{split!r} is not a split: r<repeat>f<fold>, {FULL} or {BATCH}<name>.")
    repeat, fold = parsed.groups()
    chosen = (manifest["repeat"].astype(str) == repeat) & (manifest["fold"].astype(str) == fold)
    return sorted(manifest.loc[chosen & (manifest["role"] == role), "sample"].astype(str))
