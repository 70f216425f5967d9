"""`make faults`: every case of the catalogue, fast and through the workflow, and how much of the input handling they reach."""

import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as tree
from pathlib import Path

from tests.faults import catalogue

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "scripts" / "rna2model"
# what stands between a person's files and the numbers
INPUT = [
    "reads/bam",
    "reference/annotation",
    "core/artefact",
    "serving/bundle",
    "core/missing",
    "reference/gene_census",
    "reference/circular",
    "inputs/config",
    "inputs/config_contradictions",
    "expression/features/covariates",
    "inputs/design_checks",
    "planning/disk",
    "cohort/duplicates",
    "core/files",
    "reference/fingerprint",
    "reads/fastq_checks",
    "expression/features/gene_sets",
    "serving/manifest",
    "reads/mate_lines",
    "cohort/count_matrix",
    "cohort/count_matrix_file",
    "reads/read_names",
    "cohort/outcome",
    "reference/transcripts",
    "planning/preflight",
    "reference/precheck",
    "reads/fastq",
    "reference/genome",
    "cohort/sample_rows",
    "planning/predict_run",
    "inputs/frozen_bundle",
    "inputs/sheet",
    "inputs/sheet_values",
    "inputs/sheet_text",
    "cohort/splits",
    "reference/star_index",
]


def main(folder):
    """Run the tests; returns (exit status, line of figures)."""
    junit, report = (folder / name for name in ("junit.xml", "coverage.json"))
    environment = {**os.environ, "FAULTS": "all", "COVERAGE_FILE": str(folder / "coverage")}
    environment["FAULTS_COVER"] = ",".join(str(LIBRARY / f"{name}.py") for name in INPUT)
    started = time.monotonic()
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "tests/faults",
        "tests/workflow/test_odd_reads.py",
        "-n",
        "2",
        "--junit-xml",
        junit,
        *sys.argv[1:],
    ]
    status = subprocess.run(tests, cwd=REPOSITORY, env=environment).returncode
    minutes = (time.monotonic() - started) / 60
    for arguments in (["combine", "-q"], ["json", "-q", "-o", report], ["report", "-m", "--skip-covered"]):
        subprocess.run(
            [sys.executable, "-m", "coverage", *arguments], cwd=REPOSITORY, env=environment, check=True
        )
    tried, passed, known = results(junit)
    covered = json.loads(report.read_text())["totals"]
    return status, (
        f"faults: {len(catalogue.table())} in the catalogue, {tried} cases tried, {passed} passed, {known} known defects;"
        f" the cases reach {covered['covered_lines']} of {covered['num_statements']} lines of input handling"
        f" ({covered['percent_covered']:.1f} %), not counting those that only the workflow runs; {minutes:.0f} minutes"
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
