"""Which cases run: `make test` takes the fast ones, `make faults` (FAULTS=all) also those that start the workflow."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import settings

EVERYTHING = os.environ.get("FAULTS") == "all"
settings.register_profile("faults", derandomize=True, deadline=None, max_examples=600 if EVERYTHING else 200)
settings.load_profile("faults")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs the workflow; only in `make faults`")


def pytest_collection_modifyitems(config, items):
    if not EVERYTHING:
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session")
def together():
    """Runs of the workflow, two at a time: most of each is Python's start."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def parameters(cases):
    """pytest parameters of cases, a known defect as a strict xfail."""
    marks = {
        case: [pytest.mark.xfail(reason=case.defect, strict=True)] if case.defect else [] for case in cases
    }
    return [pytest.param(case, id=case.fault, marks=marks[case]) for case in cases]
