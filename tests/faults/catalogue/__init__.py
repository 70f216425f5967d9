"""The catalogue of faults: one table, a module for each area. `python -m tests.faults.catalogue` prints it."""

from tests.faults.catalogue import (
    alignmentfiles,
    bundles,
    configs,
    matrices,
    readfiles,
    references,
    serving,
    sheets,
)

AREAS = {
    "sheet": sheets.CASES,
    "config": configs.CASES,
    "reads": readfiles.CASES,
    "alignments": alignmentfiles.CASES,
    "reference": references.CASES,
    "matrix": matrices.CASES,
    "bundle": bundles.CASES,
    "serving": serving.CASES,
}


def table():
    """Rows of (area, fault, where it is injected, expected outcome, message that must appear)."""
    return [
        (area, case.fault, case.where, case.outcome, case.message)
        for area, cases in AREAS.items()
        for case in cases
    ]
