"""The demo with one conda environment per rule: the same numbers as without, and nothing from outside the environments.

From the real channels where they can be reached, else from channels of small packages on this disk (tests/environments).
"""

import os
import re
import subprocess

import pytest

from tests.command import LOCAL, REPOSITORY, command
from tests.environments import channel, conda
from tests.workflow.conftest import Run, make_demo

# Results without names of folders, times and versions, which headers of BAM files, logs, reports and the checklist have
NUMBERS = re.compile(
    r"counts/.*\.(tsv|gz)|(splits|expression)/.*|models/(?!tripod_ai).*|bundle/model/.*|bundle/[^/]*\.safetensors|(samples|predictions)\.tsv|cohort\.h5ad"
)


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    """How conda is called: as the user has it, or for channels on this disk."""
    conda.wanted()
    if conda.reaches_channels():
        options_file = REPOSITORY / ".venv/snakemake_options"
        if options_file.is_file() and "conda" in options_file.read_text():
            pytest.skip("the demo of all other tests already runs with conda, from the real channels")
        return dict(os.environ)
    folder = tmp_path_factory.mktemp("conda")
    channel.write(folder / "channels")
    return conda.variables(folder) | {"PATH": conda.bare_path(folder / "bin")}


@pytest.fixture(scope="module")
def with_conda(variables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo_conda")
    make_demo(folder)
    options = ["--software-deployment-method", "conda", "--conda-prefix", folder / "envs"]
    done = subprocess.run(command(folder, *LOCAL, *options), env=variables, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return Run(folder, folder / "results", done.stdout + done.stderr)


def test_every_job_ran_in_an_environment_and_all_of_them_were_said(with_conda):
    made = re.findall(r"conda makes environment \d+ of (\d+): (\w+)\.yaml", with_conda.log)
    assert len(made) == int(made[0][0]) and {"star", "python", "torch", "report"} <= {
        name for _, name in made
    }
    done, total = re.findall(r"\[ *(\d+)/(\d+)\]", with_conda.log)[-1]
    assert done == total


def files(run):
    """{path: Path} of the results that must not depend on where the tools come from."""
    paths = {
        str(path.relative_to(run.results)): path for path in sorted(run.results.rglob("*")) if path.is_file()
    }
    return {name: path for name, path in paths.items() if NUMBERS.fullmatch(name)}


def test_counts_splits_models_and_predictions_are_those_of_a_run_without_conda(
    with_conda, variables, request
):
    demo = request.getfixturevalue("demo")  # not made where the test is skipped
    if "CONDARC" not in variables or "conda makes environment" in demo.log:
        pytest.skip("other versions, from the real channels, give other last digits")
    ours, theirs = files(with_conda), files(demo)
    assert ours.keys() == theirs.keys() and len(ours) > 100
    assert [name for name in ours if ours[name].read_bytes() != theirs[name].read_bytes()] == []


def test_the_versions_are_those_that_the_environments_have(with_conda):
    rows = with_conda.table("versions.tsv")
    environments = {name for text in rows["environments"] for name in text.split(", ")} - {"workflow"}
    assert {"star", "subread", "rseqc", "multiqc", "python", "torch", "explore"} <= environments
    assert "unknown" not in set(rows["version"])
