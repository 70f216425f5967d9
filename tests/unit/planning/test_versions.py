"""The versions of the software of a run."""

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from rna2model.planning import versions


def ask(folder, packages, **programs):
    """The answer of an environment with `packages`, where `programs` print these texts and no others exist."""
    (folder / "environment.yaml").write_text(yaml.safe_dump({"dependencies": packages}))
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        (folder / name).chmod(0o755)
    lines = "set -euo pipefail\n" + versions.question(folder / "environment.yaml")
    done = subprocess.run(
        ["bash", "-c", lines],
        env=os.environ | {"PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("package", "program", "text", "expected"),
    [
        ("bowtie2=2.5.4", "bowtie2", "/envs/v1.2/bin/bowtie2-align-s version 2.5.4\n64-bit", "2.5.4"),
        ("star=2.7.11b", "STAR", "2.7.11b", "2.7.11b"),
        ("fastqc >=0.12", "fastqc", "FastQC v0.12.1", "0.12.1"),
        ("subread=2.1.1", "featureCounts", "\nfeatureCounts v2.1.1\n", "2.1.1"),
        ("samtools=1.24", "samtools", "samtools 1.24\nUsing htslib 1.24.1", "1.24"),
        ("samtools=1.24", "samtools", "no number", "unknown"),
        ("cuda-version >=12", "python", "12.9", "12.9"),
        ("cuda-version >=12", "python", "None", "unknown"),
    ],
)
def test_a_program_is_asked_for_its_own_version(tmp_path, package, program, text, expected):
    name = re.split("[ =]", package)[0]
    assert ask(tmp_path, [package], **{program: text}) == [(name, expected)]


def test_libraries_are_asked_by_the_name_they_have_in_python(tmp_path):
    answer = ask(tmp_path, ["numpy >=2.0", "scikit-learn=1.9.0", "pyyaml", "pytorch=2", "nowhere >=1"])
    assert dict(answer) == {
        "numpy": version("numpy"),
        "scikit-learn": version("scikit-learn"),
        "pyyaml": version("PyYAML"),
        "pytorch": version("torch"),
        "nowhere": "unknown",
    }


def test_the_table_names_every_environment_of_a_version(tmp_path):
    for name, text in {
        "a": "samtools\t1.24\nstar\t2.7\n",
        "b": "samtools\t1.23\n",
        "c": "samtools\t1.24\n",
    }.items():
        (tmp_path / name).write_text(text)
    rows = versions.gather({name: tmp_path / name for name in "abc"}, {"rna2model": "1.0"})
    assert rows == [
        ("rna2model", "1.0", "workflow"),
        ("samtools", "1.23", "b"),
        ("samtools", "1.24", "a, c"),
        ("star", "2.7", "a"),
    ]


def test_what_pypi_does_not_have_is_asked_as_a_program(repository):
    """Whatever `make setup` does not install with pip into the .venv is no Python distribution."""
    installed = (repository / "envs/requirements.txt").read_text().lower().replace("_", "-")
    installed += "torch=="  # by envs/setup.sh
    for path in (repository / "envs").glob("*.yaml"):
        for text in yaml.safe_load(path.read_text())["dependencies"]:
            name = re.split("[ =<>]", text)[0]
            pypi = versions.DISTRIBUTIONS.get(name, name).lower().replace("_", "-")
            assert name in versions.PROGRAMS or f"{pypi}==" in installed, (path.name, name)
