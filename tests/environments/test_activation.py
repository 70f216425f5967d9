"""Environments are activated by what conda says once, and as `source activate` does it."""

import os
import subprocess

import pytest

from rna2model.planning import conda_activation


@pytest.fixture(scope="module")
def environment(settings, tmp_path_factory):
    """An environment with a package that sets a variable when it is activated, as OpenJDK's does."""
    prefix = tmp_path_factory.mktemp("made") / "environment"
    command = f"conda create --yes --override-channels -c bioconda fastp=1.3.6 --prefix {prefix}"
    subprocess.run(command.split(), env=settings, check=True, capture_output=True)
    script = prefix / "etc/conda/activate.d/package.sh"
    script.parent.mkdir(parents=True)
    script.write_text('export SET_BY_PACKAGE="$CONDA_PREFIX/lib"\n')
    return str(prefix)


def base(settings):
    command = ["conda", "info", "--base"]
    return subprocess.run(command, env=settings, check=True, capture_output=True, text=True).stdout.strip()


def variables(command, **settings):
    """The variables (set of "name=value") of a shell after `command`, as Snakemake starts it."""
    script = f"{command}\nset -euo pipefail; env -0"
    done = subprocess.run(["bash", "-c", script], env=settings, check=True, capture_output=True, text=True)
    return {line for line in done.stdout.split("\0") if not line.startswith(("_=", "SHLVL="))}


@pytest.mark.parametrize("in_base", [False, True])
def test_it_is_what_source_activate_does(settings, environment, in_base, monkeypatch):
    folder = base(settings)
    if in_base:
        settings = settings | {"CONDA_SHLVL": "1", "CONDA_PREFIX": folder, "CONDA_DEFAULT_ENV": "base"}
    for name in os.environ.keys() - settings.keys():
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    conda_activation.statements.cache_clear()
    once = variables(conda_activation.statements(folder, environment), **settings)
    usual = variables(f"source {folder}/bin/activate '{environment}'", **settings)
    assert f"SET_BY_PACKAGE={environment}/lib" in once
    assert f"CONDA_PREFIX={environment}" in once and once == usual


def test_without_an_answer_the_usual_way_says_what_is_wrong(tmp_path):
    assert conda_activation.statements(str(tmp_path), str(tmp_path / "environment")) is None
