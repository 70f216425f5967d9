"""One full demo run, shared by the tests that look at it."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml

from tests.command import LOCAL, REPOSITORY
from tests.conftest import snakemake


class Run:
    """A finished run: its folder, results, sheet, and tables by their contract names."""

    def __init__(self, folder, results, log=""):
        self.folder, self.results, self.log = folder, results, log

    def table(self, name, **options):
        text = {"sample": str, "truth": str, "predicted": str}
        return pd.read_csv(self.results / name, sep="\t", dtype=text, keep_default_na=False, **options)

    def matrix(self):
        return pd.read_csv(self.results / "counts/matrix.tsv.gz", sep="\t", index_col=0)


def make_demo(folder, *arguments):
    """Write the demo's genome, reads, truth, sheet and config into `folder`."""
    script = REPOSITORY / "resources" / "demo" / "make_demo.py"
    subprocess.run(
        [sys.executable, str(script), "--out", str(folder), *arguments], check=True, capture_output=True
    )


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo from reads to report, by the command a user types."""
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder)
    run = snakemake(folder, *LOCAL, check=True)
    return Run(folder, folder / "results", run.text)


@pytest.fixture
def tiny(tmp_path):
    """A sheet of four small simulated samples, and a function that runs the workflow on it with changes."""
    make_demo(tmp_path, "--pairs", "400")
    sheet = pd.read_csv(tmp_path / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    names = ["d02_b1", "d02_b2", "d08_b1", "d08_b2"]
    sheet = sheet[sheet["sample"].isin(names)]
    config = yaml.safe_load((tmp_path / "config.yaml").read_text())
    config |= {
        "qc": {"min_reads": 100},
        "design": {"target": "condition", "batch": "batch"},
        "evaluation": {"folds": 2},
    }

    def write(sheet=sheet, **changes):
        sheet.to_csv(tmp_path / "samples.tsv", sep="\t", index=False)
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({**config, **changes}))

    def run(*arguments, sheet=sheet, check=None, within=(), **changes):
        write(sheet, **changes)
        return snakemake(tmp_path, *arguments, check=check, within=within)

    run.folder, run.sheet, run.results = tmp_path, sheet, tmp_path / "results"
    return run
