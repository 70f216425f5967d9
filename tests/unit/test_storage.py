"""Which storage a run takes: S3, or copies on the nodes' own disks (fs), where files stay those of a shared disk."""

from types import SimpleNamespace

import pytest
import snakemake.cli  # noqa: F401 - first, as snakemake.dag and others import each other
from snakemake.exceptions import WorkflowError
from tests.command import REPOSITORY


def rules(provider):
    """The names that rules/storage.smk, which is plain Python, gives with a storage provider."""
    known = {"workflow": SimpleNamespace(storage_settings=SimpleNamespace(default_storage_provider=provider))}
    exec(compile((REPOSITORY / "rules/storage.smk").read_text(), "storage.smk", "exec"), known)
    return known


@pytest.mark.parametrize(("provider", "only_named"), [(None, False), ("fs", True)])
def test_files_of_a_shared_disk_keep_their_paths(provider, only_named):
    found = rules(provider)
    assert found["ONLY_NAMED"] == only_named and not found["IS_STORED"]
    assert found["given"]("reads/a.fastq.gz") == "reads/a.fastq.gz" and found["unpacked"](["/a/b"]) == []


@pytest.mark.parametrize("provider", ["gcs", "http", "azure"])
def test_other_storage_is_refused_with_what_would_do(provider):
    with pytest.raises(WorkflowError, match="only s3 and fs"):
        rules(provider)
