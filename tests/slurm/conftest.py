"""One cluster for all tests of this folder."""

import pytest

from tests.slurm import cluster


@pytest.fixture(scope="package")
def running(tmp_path_factory):
    with cluster.Cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running
