"""What cannot be done with few samples is said before any job, or left out with a note; it never fails in the middle."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rna2model.cohort import splits
from rna2model.core.errors import InputProblem
from rna2model.evaluation.permutation import any_model, draws, logistic
from rna2model.evaluation.permutation.draws import PermutationFold
from rna2model.inputs import design_checks
from rna2model.planning import preflight

SHEETS = {
    "n_classes": st.integers(2, 8),
    "size": st.integers(2, 6),
    "folds": st.integers(2, 5),
    "per_group": st.integers(1, 2),
    "seed": st.integers(0, 1000),
}


def sheet(n_classes, size, folds, per_group, seed):
    """(class numbers, groups, training rows of each fold) of a small sheet whose folds can be assigned."""
    y = np.repeat(np.arange(n_classes), size * per_group)
    groups = np.arange(len(y)) // per_group
    names = [f"s{i:03}" for i in range(len(y))]
    manifest = splits.make(names, y.astype(str), groups=groups, folds=folds, seed=seed)
    row = {name: i for i, name in enumerate(names)}
    rows = [
        [row[name] for name in splits.training_samples(manifest, f"r1f{fold}", names)]
        for fold in range(1, folds + 1)
    ]
    return y, groups, rows


@settings(deadline=None, max_examples=60)
@given(**SHEETS)
def test_labels_of_every_sheet_with_folds_can_be_permuted(n_classes, size, folds, per_group, seed):
    assume(size >= folds)
    y, groups, trained = sheet(n_classes, size, folds, per_group, seed)
    for new in draws.draw_classes(y, groups, trained, 5, np.random.default_rng(seed)):
        assert sorted(new) == sorted(y)
        assert all(len(set(new[groups == group])) == 1 for group in set(groups))
        assert all(set(new[rows]) == set(y) for rows in trained)


def test_eight_classes_of_three_are_permuted_within_their_folds():
    y, groups, trained = sheet(8, 3, 3, 1, 1)
    tested = draws.tested_in(len(y), trained)
    drawn = draws.draw_classes(y, groups, trained, 50, np.random.default_rng(1))
    assert len({tuple(new) for new in drawn}) == 50
    for new in drawn:
        assert all(sorted(new[tested == fold]) == sorted(y[tested == fold]) for fold in range(3))


def test_permutations_within_folds_tell_nothing_where_there_is_nothing():
    """Eight classes of three, expression of noise: p is uniform, so that its mean is about a half."""
    y, _, trained = sheet(8, 3, 3, 1, 1)
    names = [f"s{i:03}" for i in range(len(y))]
    labels = dict(zip(names, y.astype(str), strict=True))
    p_values = []
    for seed in range(12):
        X = np.random.default_rng(seed).normal(size=(len(y), 30))
        folds = []
        for number, rows in enumerate(trained):
            test = sorted(set(range(len(y))) - set(rows))
            of = [[names[i] for i in part] for part in (rows, test)]
            folds.append(PermutationFold(f"r1f{number}", *of, X[rows], X[test]))
        result = logistic.permutation_test(folds, labels, n=19, seed=seed, inner_folds=2, log=lambda *_: None)
        assert result["n"] == 19
        p_values.append(result["p"])
    assert 0.3 < np.mean(p_values) < 0.7


@pytest.mark.parametrize("task", ["regression", "survival", "classification"])
def test_a_statistic_without_value_is_said_and_permutations_without_one_are_left_out(task):
    with pytest.raises(
        InputProblem, match=r"no fold tests samples that can be compared; set evaluation\.folds"
    ):
        draws.summary(np.array([np.nan, 0.5]), any_model.METRICS[task])
    summary = draws.summary(np.array([0.9, 0.5, np.nan, 0.95]), "auroc")
    assert (summary["n"], summary["p"]) == (2, 2 / 3)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 7)), min_size=4, max_size=16),
    st.integers(2, 4),
    st.booleans(),
)
def test_a_matrix_is_refused_before_any_job_just_where_its_folds_cannot_be_assigned(
    tmp_path_factory, rows, folds, grouped
):
    assume(len({label for label, _ in rows}) > 1)
    folder = tmp_path_factory.mktemp("sheet")
    names = [f"s{i:02}" for i in range(len(rows))]
    lines = [f"{name}\t{label}\td{donor}" for name, (label, donor) in zip(names, rows, strict=True)]
    (folder / "samples.tsv").write_text("\n".join(["sample\tcondition\tdonor", *lines]) + "\n")
    (folder / "counts.tsv").write_text("gene\t" + "\t".join(names) + "\n")
    raw_config = {"samples": "samples.tsv", "counts": "counts.tsv", "evaluation": {"folds": folds}}
    raw_config["design"] = {"group": "donor" if grouped else None}
    config, samples, problems = preflight.check(raw_config, [folder])
    assert problems == []
    message = design_checks.too_few_to_train(samples, config)  # what the Snakefile then refuses
    try:
        groups = [f"d{donor}" for _, donor in rows] if grouped else None
        splits.make(names, [label for label, _ in rows], groups=groups, folds=folds)
    except InputProblem as problem:
        assert str(problem) in message and "no model can be trained" in message
    else:
        assert message == ""
