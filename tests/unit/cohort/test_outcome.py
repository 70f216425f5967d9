"""What is predicted: cells, folds and the fixed hold-out of the tasks beyond classification."""

import numpy as np
import pytest

from rna2model.cohort import outcome, splits
from rna2model.core.errors import InputProblem
from rna2model.inputs import config, sheet
from rna2model.inputs import design_checks as designs
from rna2model.planning import preflight

SURVIVAL = {"task": "survival", "time": "months", "event": "died"}


def problems(tmp_path, rows, design, **evaluation):
    """Problems of a sheet given as {column: cells}, of a matrix run."""
    columns = {"sample": [f"s{i}" for i in range(len(next(iter(rows.values()))))], **rows}
    lines = [
        "\t".join(columns),
        *("\t".join(map(str, cells)) for cells in zip(*columns.values(), strict=True)),
    ]
    path = tmp_path / "samples.tsv"
    path.write_text("\n".join(lines) + "\n")
    samples, wrong = sheet.read(path, matrix=True)
    full, more = config.complete({"counts": "m.tsv", "design": design, "evaluation": evaluation})
    assert wrong == more == []
    return designs.check_columns("sheet", samples, full), samples, full


def test_everything_wrong_with_survival_times_is_said_at_once(tmp_path):
    rows = {"months": ["0", "-2", "long", "3", ""], "died": ["1", "0", "yes", "perhaps", "1"]}
    messages, _, _ = problems(tmp_path, rows, SURVIVAL)
    assert len(messages) == 4
    for name, part in zip(
        ["s0", "s1", "s2", "s3"],
        ["above 0", "above 0", "'long' is not a number", "'perhaps' says"],
        strict=True,
    ):
        assert any(f"sample {name}:" in text and part in text for text in messages)


def test_a_numeric_target_needs_numbers_that_differ(tmp_path):
    design = {"task": "regression", "target": "age"}
    messages, _, _ = problems(tmp_path, {"age": ["1,5", "2.5", "inf"]}, design)
    assert (
        len(messages) == 2
        and "row 2, column age, sample s0: '1,5' is not a number; write 1.5: decimals with a point"
        in messages[0]
    )
    messages, _, _ = problems(tmp_path, {"age": ["7", "7.0", ""]}, design)
    assert messages == ["sheet, column age: regression needs different numbers, found only 7"]


def test_a_sample_without_time_or_event_is_new(tmp_path):
    rows = {"months": ["1", "NA", "3"], "died": ["1:DECEASED", "1", ""]}
    messages, samples, full = problems(tmp_path, rows, SURVIVAL)
    assert messages == [] and list(preflight.labels(samples, full)) == ["s0"]


def test_survival_without_an_event_is_refused(tmp_path):
    messages, _, _ = problems(tmp_path, {"months": [1, 2], "died": ["no", "Alive"]}, SURVIVAL)
    assert "none of the 2 samples with a time has an event" in messages[0]


def test_leaving_out_a_batch_must_leave_two_classes(tmp_path):
    rows = {"condition": list("aabbbb"), "site": list("xxxxyy")}
    design = {"target": "condition", "batch": "site"}
    messages, _, _ = problems(tmp_path, rows, design, leave_one_batch_out=True, folds=2)
    assert len(messages) == 1 and "without batch 'x' all labelled samples are 'b'" in messages[0]
    messages, _, _ = problems(
        tmp_path, {**rows, "site": list("xyxyxy")}, design, leave_one_batch_out=True, folds=2
    )
    assert messages == []


def test_leaving_out_the_only_batch_with_events_is_refused(tmp_path):
    rows = {"months": [1, 2, 3, 4], "died": [1, 1, 0, 0], "site": ["x", "x", "y", "y"]}
    design = {**SURVIVAL, "batch": "site"}
    messages, _, _ = problems(tmp_path, rows, design, leave_one_batch_out=True)
    assert len(messages) == 1 and "all events are in batch 'x'" in messages[0]
    messages, _, _ = problems(tmp_path, {**rows, "died": [1, 0, 1, 0]}, design, leave_one_batch_out=True)
    assert messages == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"design": {"task": "survival"}}, ["design.time is missing", "design.event is missing"]),
        ({"design": {"time": "months"}}, ["design.time is for design.task survival"]),
        ({"design": {"task": "regression"}, "models": ["logistic_l2"]}, ["logistic_l2 cannot do regression; these can: dummy, ridge"]),
        ({"models": ["cox_ridge"]}, ["cox_ridge cannot do classification"]),
        ({"evaluation": {"landmarks": [12]}}, ["evaluation.landmarks is for design.task survival"]),
    ],
)  # fmt: skip
def test_columns_and_models_must_belong_to_the_task(settings, expected):
    _, messages = config.complete(settings)
    assert len(messages) == len(expected) and all(e in f for e, f in zip(expected, messages, strict=True))


def test_the_models_follow_the_task():
    full, messages = config.complete({"design": {"task": "regression"}})
    assert (
        messages == [] and full["models"][0] == full["shipped_model"] == "ridge" and "dummy" in full["models"]
    )
    full, messages = config.complete({"design": SURVIVAL})
    assert messages == [] and full["models"] == ["cox_ridge", "dummy"]


def test_a_hold_out_takes_whole_groups_and_something(tmp_path):
    rows = {"age": [1, 2, 3, 4], "donor": ["a", "a", "b", "c"], "outside": ["", "yes", "", ""]}
    design = {"task": "regression", "target": "age", "group": "donor"}
    messages, _, _ = problems(tmp_path, rows, design, holdout="outside")
    assert len(messages) == 1 and "'a' has samples in the hold-out" in messages[0]
    messages, samples, full = problems(
        tmp_path, {**rows, "outside": ["", "", "", "x"]}, design, holdout="outside"
    )
    assert messages == [] and preflight.holdout(samples, full) == ["s3"]
    messages, _, _ = problems(tmp_path, {**rows, "outside": [""] * 4}, design, holdout="outside")
    assert "holds out nothing" in messages[0]


def test_the_hold_out_is_tested_by_full_and_trains_nowhere():
    names = [f"s{i:02}" for i in range(20)]
    manifest = splits.make(names[:16], ["a", "b"] * 8, folds=4, holdout=names[16:]).astype(str)
    batches = dict(zip(names, ["x", "y"] * 10, strict=True))
    assert splits.test_samples(manifest, "full") == names[16:]
    for split in [*splits.names(4, 1), "batch.x"]:
        train = splits.training_samples(manifest, split, names, batches)
        assert train and not set(train) & set(names[16:]), split
    assert not set(splits.test_samples(manifest, "batch.x", names, batches)) & set(names[16:])
    assert set(manifest["role"]) == {"train", "test"}


@pytest.mark.parametrize("donors", [None, 12])
def test_folds_are_balanced_over_a_numeric_target(donors):
    rng = np.random.default_rng(0)
    y, names = rng.lognormal(size=60), [f"s{i:02}" for i in range(60)]
    groups = None if donors is None else np.arange(60) % donors
    strata, needed = outcome.strata("regression", y, groups, 5)
    manifest = splits.make(names, strata, groups, folds=5, needed=needed)
    tested = manifest[manifest["role"] == "test"].set_index("sample")["fold"]
    fold = np.array([tested[name] for name in names])
    if donors is None:
        counts = np.array([[np.sum(fold[strata == part] == k) for k in range(1, 6)] for part in set(strata)])
        assert counts.shape == (10, 5) and counts.min() == 1 and counts.max() == 2
        assert y[strata == "part 1"].max() < y[strata == "part 2"].min()
    else:
        assert all(len(set(fold[groups == g])) == 1 for g in range(donors))


def test_every_fold_has_events_or_the_folds_are_refused():
    names, events = [f"s{i:02}" for i in range(40)], np.arange(40) < 6
    y = np.array([(t + 1.0, e) for t, e in enumerate(events)], dtype=outcome.SURVIVAL)
    strata, needed = outcome.strata("survival", y, None, 5)
    manifest = splits.make(names, strata, folds=5, needed=needed)
    tested = manifest[(manifest["role"] == "test") & manifest["sample"].isin(names[:6])]
    assert set(tested["fold"]) == {1, 2, 3, 4, 5}
    y["event"][2:] = False
    strata, needed = outcome.strata("survival", y, None, 5)
    with pytest.raises(
        InputProblem, match=r"5 folds need at least 5 samples of event.*event: 2 samples.*folds to 2"
    ):
        splits.make(names, strata, folds=5, needed=needed)
    assert splits.inner(strata, None, 5, 1, needed) == []


def test_no_censored_sample_is_no_problem():
    y = np.array([(t + 1.0, True) for t in range(20)], dtype=outcome.SURVIVAL)
    strata, needed = outcome.strata("survival", y, None, 4)
    assert len(splits.inner(strata, None, 4, 1, needed)) == 4
