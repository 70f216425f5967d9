"""evaluation.transfer: trained on one platform, study or year, tested once on another; what cannot be is refused before any job."""

import numpy as np
import pytest

from rna2model.cohort import cohort, splits, transfer
from rna2model.core.errors import InputProblem
from rna2model.inputs import config, design_checks
from rna2model.inputs.sheet import Sample
from rna2model.planning import preflight
from rna2model.training import split_data

SETTING = {"train": "study=A", "test": "study=B"}
DESIGN = {"task": "classification", "target": "label", "batch": None, "group": "donor"}


def rows_of(studies="AABBC", classes="ca"):
    """Twenty rows (label, study, donor): each study holds both classes, each donor one sample."""
    return [(classes[i // 5 % 2], studies[i % 5], f"d{i}") for i in range(20)]


def problems_of(rows, setting=SETTING, **design):
    written = {"counts": "m.tsv", "samples": "s.tsv", "evaluation": {"folds": 2, "transfer": setting}}
    written["design"] = {"target": "label", "group": "donor", **design}
    samples = {
        f"s{i:02}": Sample(
            f"s{i:02}", i + 2, "auto", "", dict(zip(("label", "study", "donor"), cells, strict=True))
        )
        for i, cells in enumerate(rows)
    }
    full = config.complete(written)[0]
    return design_checks.check_columns("s.tsv", samples, full), full, samples


def test_a_transfer_is_a_split_of_its_own():
    problems, full, samples = problems_of(rows_of())
    assert problems == []
    assert preflight.split_names(full, samples) == ["r1f1", "r1f2", "full", "transfer"]
    assert (
        preflight.split_names(full | {"evaluation": {**full["evaluation"], "transfer": None}}, samples)[-1]
        == "full"
    )
    assert "study" in preflight.design_columns(full)


def test_its_samples_are_those_of_the_values_and_no_fold_changes():
    rows = rows_of()
    names = [f"s{i:02}" for i in range(20)]
    obs = {key: [row[k] for row in rows] for k, key in enumerate(("label", "study", "donor"))}
    data = cohort.Cohort(np.ones((20, 3), int), names, ["g1", "g2", "g3"], None, obs)
    cell = dict(zip(names, rows, strict=True))
    sides = transfer.sides(SETTING, names, lambda name, column: cell[name][1])
    labels = obs["label"]
    plain, manifest = (splits.make(names, labels, folds=2, transfer=written) for written in (None, sides))
    split = split_data.of(data, manifest, "transfer", DESIGN)
    assert split.train == [n for n in names if cell[n][1] == "A"] and split.test == [
        n for n in names if cell[n][1] == "B"
    ]
    assert split.full == names  # the shipped model still trains on all
    for name in ("r1f1", "r1f2", "full"):
        assert splits.training_samples(manifest, name, names) == splits.training_samples(plain, name, names)
        assert splits.test_samples(manifest, name, names) == splits.test_samples(plain, name, names)


def test_values_may_stand_in_two_columns_and_hold_an_equals_sign():
    assert transfer.named({"train": "year = 2019", "test": "study=B=2"}) == {
        "train": ("year", "2019"),
        "test": ("study", "B=2"),
    }
    assert transfer.named(None) == {} and transfer.sides(None, ["s"], None) is None


@pytest.mark.parametrize(
    ("rows", "setting", "message"),
    [
        (rows_of(), {"train": "study=A", "test": "study=Z"}, "column study: no labelled sample has the value 'Z' of evaluation.transfer.test (there are: A, B, C)"),
        (rows_of(), {"train": "site=A", "test": "study=B"}, "evaluation.transfer.train names column 'site', which the sheet does not have"),
        (rows_of(), {"train": "study=A", "test": "study=A"}, "would be trained on and tested"),
        ([(("c" if study == "B" else label), study, donor) for label, study, donor in rows_of()], SETTING, "all labelled samples with study=B are 'c'; evaluation.transfer.test needs two classes"),
        ([(label, study, "d0" if i in (0, 2) else donor) for i, (label, study, donor) in enumerate(rows_of())], SETTING, "column donor: 'd0' has samples on both sides of evaluation.transfer"),
        ([("x" if study == "B" and i % 2 else label, study, donor) for i, (label, study, donor) in enumerate(rows_of())], SETTING, "'x' is only among samples" ),
    ],
    ids=["value absent", "unknown column", "same side", "one class", "donor on both sides", "class never seen"],
)  # fmt: skip
def test_what_cannot_be_transferred_is_refused_with_the_column_and_the_value(rows, setting, message):
    problems = problems_of(rows, setting)[0]
    assert len(problems) == 1 and message.replace("'x' is", "x is") in problems[0]


def test_what_quality_control_leaves_of_a_side_is_looked_at_again():
    label = {"s1": "a", "s2": "b", "s3": "a"}
    transfer.check((["s1", "s2"], ["s2", "s3"]), label)
    with pytest.raises(
        InputProblem, match=r"evaluation.transfer.test: quality control left 1 samples, all a; two classes"
    ):
        transfer.check((["s1", "s2"], ["s3"]), label)
    with pytest.raises(InputProblem, match=r"evaluation.transfer.train: quality control left 0 samples"):
        transfer.check(([], ["s3"]), label, all_classes=False)


def test_a_setting_without_a_value_is_refused():
    assert (
        "evaluation.transfer"
        in config.complete({"evaluation": {"transfer": {"train": "study", "test": "study=B"}}})[1][0]
    )
