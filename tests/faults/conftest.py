"""Which cases run: `make test` takes the fast ones, `make faults` (FAULTS=all) also those that start the workflow."""

import os
from concurrent.futures import ThreadPoolExecutor

import coverage
import pytest
from hypothesis import settings

EVERYTHING = os.environ.get("FAULTS") == "all"
settings.register_profile("faults", derandomize=True, deadline=None, max_examples=600 if EVERYTHING else 200)
settings.load_profile("faults")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs the workflow; only in `make faults`")
    covered = os.environ.get("FAULTS_COVER")
    if covered and (hasattr(config, "workerinput") or not config.getoption("numprocesses", None)):
        config.faults_coverage = coverage.Coverage(data_suffix=True, include=covered.split(","))
        config.faults_coverage.start()  # before any test imports what it measures


def pytest_unconfigure(config):
    if hasattr(config, "faults_coverage"):
        config.faults_coverage.stop()
        config.faults_coverage.save()


def pytest_collection_modifyitems(config, items):
    if not EVERYTHING:
        slow = [item for item in items if item.get_closest_marker("slow")]
        items[:] = [item for item in items if item not in slow]
        config.hook.pytest_deselected(items=slow)


@pytest.fixture(scope="session")
def together():
    """Runs of the workflow, two at a time where pytest itself is not."""
    with ThreadPoolExecutor(1 if "PYTEST_XDIST_WORKER" in os.environ else 2) as pool:
        yield pool


def parameters(cases):
    """pytest parameters of cases, a known defect as a strict xfail."""
    marks = {
        case: [pytest.mark.xfail(reason=case.defect, strict=True)] if case.defect else [] for case in cases
    }
    return [pytest.param(case, id=case.fault, marks=marks[case]) for case in cases]
