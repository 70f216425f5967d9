"""The machine's conda for tests: whether it can be used, on which channels, and a PATH without what environments bring."""

import functools
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.environments import channel

OLDEST = (24, 7, 1)  # that Snakemake takes
SETTINGS = {
    "solver": "classic",  # the one that each conda has
    "channel_priority": "strict",
    "add_pip_as_python_dependency": False,
    "repodata_fns": ["repodata.json"],
    "number_channel_notices": 0,
}


@functools.cache
def problem():
    """Why there is no conda to test with (str), or None."""
    if not shutil.which("conda"):
        return "there is no conda on the PATH"
    text = subprocess.run(["conda", "--version"], capture_output=True, text=True).stdout
    version = tuple(map(int, re.findall(r"\d+", text)))
    return None if version >= OLDEST else f"Snakemake needs conda 24.7.1 or newer, not {text.strip()}"


def wanted():
    """Skip a test where there is no conda."""
    if problem():
        pytest.skip(problem())


@functools.cache
def reaches_channels():
    """Whether this machine's conda can reach conda-forge and bioconda."""
    command = ["conda", "config", "--show", "channel_alias", "--json"]
    alias = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    parts = alias["channel_alias"]
    for name in ("conda-forge", "bioconda"):
        address = f"{parts['scheme']}://{parts['location']}/{name}/noarch/repodata.json.zst"
        try:
            urllib.request.urlopen(urllib.request.Request(address, method="HEAD"), timeout=20).close()
        except (OSError, urllib.error.URLError, ValueError):
            return False
    return True


def variables(folder):
    """Variables {name: value} with which conda takes packages from the channels in `folder`/channels, whatever the user's settings."""
    places = {"channel_alias": (folder / "channels").as_uri()}
    places |= {"pkgs_dirs": [str(folder / "packages")], "envs_dirs": [str(folder / "named")]}
    (folder / "home").mkdir()
    (folder / "condarc").write_text(json.dumps(SETTINGS | places))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONDA_")}
    return kept | {"CONDARC": str(folder / "condarc"), "HOME": str(folder / "home")}


def bare_path(folder):
    """A PATH (str) with conda and what the machine has, but no tool, R, Python, Perl or Java: environments bring these."""
    brought = {program for programs in channel.PROGRAMS.values() for program in programs}
    brought |= {Path(program).name for program in Path(channel.__file__).parents[2].glob(".venv/bin/*")}
    folder.mkdir()
    for place in filter(os.path.isdir, os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).iterdir():
            name, link = program.name, folder / program.name
            if name in brought or re.match(r"python[\d.]*$|R(script)?$|hisat2|bowtie2|STAR", name):
                continue
            if not link.is_symlink() and os.access(program, os.X_OK):
                link.symlink_to(program)
    return str(folder)


def dry_run(environment, variables):
    """Finished `conda create --dry-run` of the packages (list of str) of an environment."""
    command = ["conda", "create", "--dry-run", "--yes", "--name", "asked", "--override-channels"]
    command += ["--channel", "conda-forge", "--channel", "bioconda", *environment]
    return subprocess.run(command, env=variables, capture_output=True, text=True)
