"""Cells that may mean "not given" are refused with their counts, or empty where design.missing names them; real values are neither."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.cohort import placeholders
from rna2model.inputs import config as configuration
from rna2model.planning import preflight

WORDS = [
    "'--", "--", "---", "-", "–", ".", "?", "??", "[Not Available]", "[Not Applicable]", "[Not Evaluated]", "[Unknown]", "[Discrepancy]",
    "Not Reported", "not reported", "Not_Reported", "NOT APPLICABLE", "not provided", "not collected", "Unknown", "unspecified",
    "undetermined", "unavailable", "missing: control sample", "(none)", "<NA>", "na", "n.a.", "TBD", "Value Not Reported",
]  # fmt: skip
REAL = [
    "+", "++", "normal", "control", "untreated", "NR", "R", "N", "negative", "unaffected", "undifferentiated", "not treated", "Notch1",
    "None-small", "other", "unclassified", "0", "1", "10", "T1", "M0", "Nx", "♀", "wild type", "missense", "indeterminate",
]  # fmt: skip


def rows(column, cells):
    return [SimpleNamespace(metadata={column: cell}, row=2 + i) for i, cell in enumerate(cells)]


def design(role, column="c"):
    found = {"task": "regression", "target": None, "time": None, "event": None, "batch": None, "group": None}
    found |= {"covariates": [column] if role == "covariate" else [], "missing": []}
    if role in ("batch", "group"):
        found[role] = column
    if role == "class":
        found["task"] = "classification"
    if role in ("class", "number"):
        found["target"] = column
    return found


def unclear(role, cells):
    found = placeholders.suspect_cells(rows("c", cells), design(role))
    return set(found["c"][1]) if found else set()


@pytest.mark.parametrize("role", ["class", "number", "batch", "group", "covariate"])
@settings(deadline=None, max_examples=40)
@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), data=st.data())
def test_words_for_no_value_are_named_with_their_counts_in_one_line(role, words, data):
    usual = ["5.1", "7.2", "8.3"] if role == "number" else ["a", "b", "NR"]
    cells = data.draw(st.permutations([*words, *usual * 3]))
    (line,) = placeholders.problems("s.tsv", rows("c", cells), design(role))
    for word in set(words):
        number = words.count(word)
        assert f"{word!r} ({number} cell{'s' if number > 1 else ''}, " in line
    assert "'a' (" not in line and "'5.1'" not in line and "design.missing: [" in line


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(REAL), min_size=2, max_size=12))
def test_real_classes_are_not_taken_for_missing(cells):
    assert unclear("class", cells) == set()
    assert unclear("covariate", cells) == unclear("batch", cells) == set()


def test_a_minus_beside_a_plus_is_a_sign():
    assert unclear("class", ["+", "-", "+"]) == set() and unclear("class", ["pos", "-"]) == {"-"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["tumour", "normal", "-9"], {"-9"}),
        (["tumour", "normal", "999", "9999"], {"999", "9999"}),
        (["0", "1", "-9"], {"-9"}),
        (["1", "2", "-9.0"], {"-9.0"}),
        (["0", "1", "2", "999"], {"999"}),
        (["1", "2", "3", "9"], {"9"}),
        (["-1", "1"], set()),
        (["0", "3", "9"], set()),
        (["-1", "0", "1"], set()),
        (["7", "8", "9"], set()),
        (["1", "9"], set()),
        (["97", "98", "99"], set()),
    ],
)
def test_numbers_that_stand_for_no_class(cells, expected):
    assert unclear("class", cells * 3) == expected


@settings(deadline=None, max_examples=80)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["age", "score", "log", "days", "expression"]),
    st.sampled_from([-9, -99, -999, 999, 9999]),
    st.integers(2, 5),
)
def test_numbers_far_from_all_others_are_found_and_measurements_are_not(seed, kind, code, times):
    rng = np.random.default_rng(seed)
    values = {
        "age": rng.integers(18, 99, 40),
        "score": rng.uniform(0, 10, 40).round(1),
        "log": rng.normal(0, 3, 40).round(2),
        "days": rng.exponential(40, 40).round() + 1,
        "expression": rng.lognormal(3, 1, 40).round(3),
    }[kind]
    cells = [f"{value:g}" for value in values]
    assert unclear("number", cells) == unclear("covariate", cells) == set()
    if abs(code) > 5 * np.ptp(values) + abs(values).max() or (code < 0 <= values.min()):
        assert unclear("number", cells + [str(code)] * times) == {str(code)}


def test_no_column_of_a_published_sheet_has_a_number_taken_for_missing(real_data):
    sheets = [
        *real_data.glob("matrices/*/samples.tsv"),
        *real_data.glob("more/*/*/samples.tsv"),
        *real_data.glob("more/*/*/clinical.tsv"),
    ]
    for sheet in sheets:
        table = pd.read_csv(sheet, sep="\t", dtype=str, keep_default_na=False)
        for column in table:
            for role in ("class", "number", "covariate"):
                found = unclear(role, table[column].str.strip().tolist())
                assert found <= {"<NA>", "---"}, (sheet, column)


@pytest.fixture
def checked(tmp_path):
    """Function of labels, ages and design keys: (config, samples, problems) of a matrix project."""

    def check(labels, ages=None, **named):
        names = [f"s{i}" for i in range(len(labels))]
        lines = [
            f"{n}\t{label}\t{age}"
            for n, label, age in zip(names, labels, ages or range(20, 20 + len(labels)), strict=True)
        ]
        (tmp_path / "samples.tsv").write_text("\n".join(["sample\tcondition\tage", *lines]) + "\n")
        (tmp_path / "counts.tsv").write_text("gene\t" + "\t".join(names) + "\n")
        given = {"samples": "samples.tsv", "counts": "counts.tsv", "design": {"target": "condition", **named}}
        return preflight.check(given, [tmp_path])

    return check


def test_missing_values_that_the_config_names_make_new_samples_and_empty_covariates(checked):
    labels = ["a", "b"] * 6 + ["'--", "-9", "Not Reported"]
    ages = ["50", "61", "-9", "999", *(str(40 + i) for i in range(11))]
    _, _, problems = checked(labels, ages, covariates=["age"])
    assert len(problems) == 2 and all("design.missing: [" in problem for problem in problems)
    config, samples, problems = checked(
        labels, ages, covariates=["age"], missing=["'--", -9, "999", "Not Reported"]
    )
    assert problems == [] and preflight.to_predict(samples, config) == ["s12", "s13", "s14"]
    assert [samples[name].metadata["age"] for name in ("s0", "s2", "s3")] == ["50", "", ""]


def test_what_the_config_names_has_to_be_text_or_numbers():
    assert configuration.complete({"design": {"missing": [True]}})[1]
    assert not [p for p in configuration.complete({"design": {"missing": [-9, "x"]}})[1] if "missing" in p]
