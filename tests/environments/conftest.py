"""Channels of small packages, shared by the tests of this folder."""

import pytest

from tests.environments import channel, conda


@pytest.fixture(scope="package")
def channels(tmp_path_factory):
    return channel.write(tmp_path_factory.mktemp("conda") / "channels")


@pytest.fixture(scope="package")
def settings(channels):
    """Variables with which the machine's conda takes its packages from these channels."""
    conda.wanted()
    return conda.variables(channels.parent)
