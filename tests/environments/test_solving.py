"""The pins of envs/ against what is recorded of the packages: they fit, and what did not is refused."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tests.command import REPOSITORY
from tests.environments import conda

FILES = sorted(REPOSITORY.glob("envs/*.yaml"))
STAR_BEFORE = ["star=2.7.11b", "samtools=1.24"]  # never met in an htslib


def dependencies(name):
    return yaml.safe_load((REPOSITORY / f"envs/{name}.yaml").read_text())["dependencies"]


def solve(channels, specs, cuda=None):
    """Names and versions (set of str) that the solver takes, or its refusal (str)."""
    rattler = pytest.importorskip("rattler", reason="py-rattler is not installed (make setup)")
    from rattler.exceptions import SolverError

    driver = [("__cuda", cuda)] if cuda else []
    virtual = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString("0")
        )
        for name, version in driver
    ]

    async def solution():
        places = [(channels / name).as_uri() for name in ("conda-forge", "bioconda")]
        return await rattler.solve(places, specs, platforms=["linux-64", "noarch"], virtual_packages=virtual)

    try:  # in a thread of its own: the browser of other tests keeps a loop running in this one
        with ThreadPoolExecutor(1) as threads:
            records = threads.submit(lambda: asyncio.run(solution())).result()
    except SolverError as error:
        return str(error)
    return {f"{record.name.normalized} {record.version}" for record in records}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_pins_of_each_environment_are_recorded_and_fit(channels, path):
    solution = solve(channels, dependencies(path.stem), cuda="12.9")
    assert isinstance(solution, set), (
        f"{solution}\nWhat it depends on belongs into tests/environments/channel.yaml"
    )


def test_the_aligner_that_stopped_every_user_of_conda_is_refused(channels):
    problem = solve(channels, STAR_BEFORE)
    assert "htslib" in problem and "samtools 1.22.1" in solve(channels, dependencies("star"))


def test_gpu_builds_are_refused_without_a_driver(channels):
    assert "__cuda" in solve(channels, dependencies("torch_gpu"))
    assert "pytorch-gpu 2.12.0" in solve(channels, dependencies("torch_gpu"), cuda="12.9")


def test_conda_itself_refuses_that_aligner_and_takes_the_one_of_now(settings):
    refused = conda.dry_run(STAR_BEFORE, settings)
    text = refused.stdout + refused.stderr
    assert refused.returncode and "UnsatisfiableError" in text and "samtools" in text, text
    taken = conda.dry_run(dependencies("star"), settings)
    assert taken.returncode == 0, taken.stderr
    assert "samtools-1.22.1" in taken.stdout and "htslib-1.22.1" in taken.stdout
