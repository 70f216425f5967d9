"""What a comma in a number means is said by all cells of its column, and never wrongly by a factor of a thousand."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rna2model.cohort import outcome
from rna2model.core import numerals

SURVIVAL = {"task": "survival", "target": None, "time": "days", "event": "dead"}


@pytest.mark.parametrize(
    ("cell", "others", "expected"),
    [
        ("8,866", ["12,345", "1,234,567"], "write 8866: the comma separates thousands"),
        ("8,866", ["12,345", "1,234.5"], "write 8866: the comma separates thousands"),
        ("8,866", ["12.5"], "write 8866: the comma separates thousands"),
        ("8,866", ["866", "12"], "write 8866: the comma separates thousands"),
        ("8,866", ["8", "12"], "write 8866 if the comma separates thousands, 8.866 if it separates decimals"),
        ("8,866", ["0,5"], "write 8.866: decimals with a point"),
        ("8,866", ["12,3456"], "write 8.866: decimals with a point"),
        ("8,866", ["1234,567"], "write 8.866: decimals with a point"),
        ("0,866", ["8,866"], "write 0.866: decimals with a point"),
        ("8,866", ["12,345"], "write 8866 if the comma separates thousands, 8.866 if it separates decimals"),
        ("1,5", [], "write 1.5: decimals with a point"),
        ("1.234,5", [], "write 1234.5, decimals with a point and nothing between thousands"),
        ("8 866", [], "write 8866, without separators between thousands"),
        ("8'866.5", [], "write 8866.5, without separators between thousands"),
        (">60", [], ""),
    ],
)
def test_what_to_write(cell, others, expected):
    assert numerals.advice(cell, [cell, *others]) == expected


@given(st.lists(st.integers(1000, 10**8), min_size=1, max_size=12), st.data())
def test_thousands_are_never_said_to_be_decimals_alone(values, data):
    cells = [f"{value:,}" for value in values]
    for value, cell in zip(values, cells, strict=True):
        assert f"write {value}" in numerals.advice(cell, cells)


@given(st.lists(st.floats(0.001, 10**6), min_size=1, max_size=12), st.integers(1, 5))
def test_decimals_are_never_said_to_be_thousands_alone(values, digits):
    cells = [f"{value:.{digits}f}".replace(".", ",") for value in values]
    for value, cell in zip(values, cells, strict=True):
        assert f"{value:.{digits}f}" in numerals.advice(cell, cells)


def survival(events):
    rows = [
        SimpleNamespace(row=2 + i, name=f"s{i}", metadata={"days": "10", "dead": event})
        for i, event in enumerate(events)
    ]
    return outcome.cell_problems("s.tsv", rows, SURVIVAL)


def test_codes_of_events_that_are_not_0_and_1_are_said_once_with_what_to_write():
    (problem,) = survival(["1", "2"] * 5)
    assert "column dead: 1 and 2 are codes of R's survival, where 1 is censored" in problem
    assert "write 0 for censored and 1 for the event" in problem
    (problem,) = survival(["0", "1", "2"] * 5)
    assert "competing events" in problem
    assert survival(["0", "1"] * 5) == [] and len(survival(["1", "2", "maybe"])) == 2
