"""`make faults`: every case of the catalogue, fast and through the workflow, then how much of the input handling they reach."""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree
from pathlib import Path

from tests.faults import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "scripts" / "rna2model"
# what stands between a person's files and the numbers
INPUT = [
    "annotation",
    "contradictions",
    "config",
    "design",
    "files",
    "firstreads",
    "matrix",
    "outcome",
    "preflight",
    "probe",
    "reads",
    "reference",
    "sheet",
    "sheetcells",
    "sheetfile",
]


def main(folder):
    """Run the tests; returns (exit status, line of figures)."""
    data, junit, report = (folder / name for name in ("coverage", "junit.xml", "coverage.json"))
    environment = {**os.environ, "COVERAGE_FILE": str(data)}
    modules = ",".join(str(LIBRARY / f"{name}.py") for name in INPUT)
    coverage = [sys.executable, "-m", "coverage"]
    fast = [*coverage, "run", f"--include={modules}", "-m", "pytest", "-q", "tests/faults"]
    status = subprocess.run(fast, cwd=REPOSITORY, env={**environment, "FAULTS": "fast"}).returncode
    subprocess.run([*coverage, "json", "-q", "-o", report], cwd=REPOSITORY, env=environment, check=True)
    everything = [sys.executable, "-m", "pytest", "-q", "tests/faults", "--junit-xml", junit]
    status |= subprocess.run(everything, cwd=REPOSITORY, env={**environment, "FAULTS": "all"}).returncode
    tried, passed, known = results(junit)
    covered = json.loads(report.read_text())["totals"]
    return status, (
        f"faults: {len(catalogue.table())} in the catalogue, {tried} cases tried, {passed} passed, {known} known defects;"
        f" fast cases reach {covered['covered_lines']} of {covered['num_statements']} lines of input handling"
        f" ({covered['percent_covered']:.1f} %)"
    )


def results(junit):
    """(tests run, passed, known defects) of a pytest report."""
    cases = list(tree.parse(junit).getroot().iter("testcase"))
    skipped = [case.find("skipped") for case in cases]
    known = sum(mark is not None and mark.get("type") == "pytest.xfail" for mark in skipped)
    not_run = sum(mark is not None for mark in skipped) - known
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    return len(cases) - not_run, len(cases) - not_run - failed - known, known


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        failed, figures = main(Path(place))
    print(figures)
    sys.exit(failed)
