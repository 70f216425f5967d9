"""Software versions of a run, queried in each environment, since the pins of its file may be ranges."""

from __future__ import annotations

import csv
import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


# Programs are asked on the command line; every other package of an environment is a Python distribution.
PROGRAMS = {
    "bowtie2": "bowtie2 --version",
    "cuda-version": "python -c 'import torch; print(torch.version.cuda)'",
    "fastp": "fastp --version",
    "fastqc": "fastqc --version",
    "gffread": "gffread --version",
    "hisat2": "hisat2 --version",
    "python": "python --version",
    "salmon": "salmon --version",
    "samtools": "samtools --version",
    "sra-tools": "fasterq-dump --version",
    "star": "STAR --version",
    "subread": "featureCounts -v",
    "trim-galore": "trim_galore --version",
}
DISTRIBUTIONS = {
    "pytorch": "torch",
    "pytorch-gpu": "torch",
    "matplotlib-base": "matplotlib",
}  # conda's name: PyPI's, where they differ
COLUMNS = ("software", "version", "environments")
UNKNOWN = "unknown"

# Words with a slash are paths, and may have numbers in them; the first number with a dot is the version.
FIRST_NUMBER = "sed 's,[^ ]*/[^ ]*,,g' | grep -oE '[0-9]+([.][0-9a-z]+)+' | head -n 1"
PYTHON = (
    "import sys; from importlib.metadata import distributions; "
    "names = [pair.split('=') for pair in sys.argv[1:]]; "
    f"found = {{ours: next((d.version for d in distributions(name=name)), '{UNKNOWN}') for ours, name in names}}; "
    "[print(ours, version, sep='\\t') for ours, version in found.items()]"
)


def question(environment: str | Path) -> str:
    """Shell lines that print `package TAB version` for each package that the conda file `environment` names.

    A program that does not answer is `unknown`; the lines never fail.
    """
    packages = _packages(environment)
    lines = [
        f"version=$({PROGRAMS[name]} 2>&1 | {FIRST_NUMBER} || true)"
        f"; printf '%s\\t%s\\n' {name} \"${{version:-{UNKNOWN}}}\""
        for name in packages
        if name in PROGRAMS
    ]
    pairs = [f"{name}={DISTRIBUTIONS.get(name, name)}" for name in packages if name not in PROGRAMS]
    if pairs:
        lines.append(shlex.join(["python", "-c", PYTHON, *pairs]))
    return "\n".join(lines)


def _packages(environment):
    import yaml

    with open(environment) as file:
        return [re.match(r"[\w.-]+", text)[0] for text in yaml.safe_load(file)["dependencies"]]


def gather(answers: Mapping[str, str | Path], own: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Rows of versions.tsv: `own` {software: version} first, then every software and version with its environments.

    answers: {environment: file of its answer}
    """
    environments_of_version: dict[tuple[str, str], list[str]] = {}
    for environment, path in answers.items():
        with open(path, newline="") as file:
            for software, version in csv.reader(file, delimiter="\t"):
                environments_of_version.setdefault((software, version), []).append(environment)
    rows = [(software, version, "workflow") for software, version in own.items()]
    return rows + [(*key, ", ".join(environments_of_version[key])) for key in sorted(environments_of_version)]


def write(rows: Iterable[Sequence[str]], path: str | Path) -> None:
    """Write versions.tsv: software, version, environments."""
    with open(path, "w", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([COLUMNS, *rows])
