"""What a run does with conda, by a stand-in that makes empty environments and writes down how it was called."""

import os
import shutil
import subprocess

import pytest
import yaml

from tests import command
from tests.slurm.runs import small_matrix

CONDA = """#!/bin/bash
case "$1 $2" in
    "--version ") echo "conda 26.7.0" ;;
    "info --json") echo '{{"conda_prefix": "{folder}", "platform": "linux-64", "root_prefix": "{folder}"}}' ;;
    "clean -y") ;;
    "config --get") echo '{{"get": {{}}}}' ;;
    "env create")
        echo "$CONDA_CHANNEL_PRIORITY $PYTHONNOUSERSITE $*" >> {folder}/calls
        mkdir -p "${{!#}}/conda-meta" ;; # the last word: --prefix
    *) echo "not known: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return small_matrix(tmp_path_factory.mktemp("project"))


@pytest.fixture
def make_environments(tmp_path, project):
    """A function that has Snakemake make the environments of a config; (its console, what conda was asked)."""
    (tmp_path / "conda").write_text(CONDA.format(folder=tmp_path))
    (tmp_path / "conda").chmod(0o755)

    def run(*more, **training):
        config = yaml.safe_load((project / "config.yaml").read_text()) | {"training": training}
        folder = tmp_path / "project"
        shutil.copytree(project, folder, dirs_exist_ok=True)
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        options = ["--software-deployment-method", "conda", "--conda-prefix", tmp_path / "envs", *more]
        done = subprocess.run(
            command.command(folder, *command.LOCAL, *options),
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        calls = tmp_path / "calls"
        return done.stderr, calls.read_text().splitlines() if calls.exists() else []

    return run


def test_each_environment_is_said_as_it_is_made_and_shared_by_the_next_run(make_environments, tmp_path):
    console, calls = make_environments("--conda-create-envs-only")
    lines = [line for line in console.splitlines() if "conda makes environment" in line]
    assert len(lines) == len(calls) == 5
    assert [line.split("environment ")[1].split(":")[0] for line in lines] == [
        f"{i} of 5" for i in range(1, 6)
    ]
    assert {line.split(": ")[2].split(",")[0] for line in lines} == {
        "python.yaml", "explore.yaml", "torch.yaml", "explain.yaml", "report.yaml"
    }  # fmt: skip
    assert all(call.startswith("strict 1 env create") for call in calls)
    assert "strict channel priorit" not in console
    again, calls = make_environments("--conda-create-envs-only")
    assert "conda makes" not in again and len(calls) == 5
    sorted((tmp_path / "envs").glob("*.env_setup_done"))[0].unlink()  # as Ctrl-C leaves it
    third, calls = make_environments("--conda-create-envs-only")
    assert "conda makes environment 1 of 1: " in third and len(calls) == 6


def test_a_plan_says_which_environments_will_be_made(make_environments):
    console, calls = make_environments("-n")
    assert "conda will make 5 environments first: " in console and calls == []


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a GPU driver")
def test_gpus_take_their_own_environment_and_a_machine_without_driver_is_told_how(make_environments):
    console, calls = make_environments("--conda-create-envs-only", gpus=1)
    assert sum("torch_gpu.yaml" in line for line in console.splitlines() if "conda makes" in line) == 1
    assert "CONDA_OVERRIDE_CUDA=" in console and len(calls) == 6
