"""What the S3 plugin of Snakemake does not do, and a run on other machines needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.planning.patching import patch

if TYPE_CHECKING:
    from rna2model.planning.run_storage import RunStorage

PACKAGE, TESTED = "snakemake-storage-plugin-s3", ("0.3.6",)


@patch(
    PACKAGE,
    TESTED,
    "a folder that a job elsewhere makes is taken for missing, and the run stops after that job",
)
def ask_again_for_folders(kind: Any) -> None:
    """The plugin remembers that there was no folder (`StorageObject._is_dir`), so that one made by a job elsewhere would
    never be seen: only that there is one is remembered. kind : its class StorageObject."""
    is_dir = kind.is_dir

    def is_dir_now(item):
        item._is_dir = item._is_dir or None
        return is_dir(item)

    kind.is_dir = is_dir_now


@patch(
    PACKAGE,
    TESTED,
    "planning asks the storage three questions for each file, which takes minutes for a cohort",
)
def answer_from_one_list(kind: Any, storage: RunStorage) -> None:
    """`exists`, `mtime` and `size` each ask the storage for a file that is not there: while the run is planned, one list of it
    answers them all. kind : the plugin's class StorageObject; storage : RunStorage."""
    listed: Any = storage.listed  # where it answers, it is there
    exists, mtime, size = kind.exists, kind.mtime, kind.size

    def of(item):
        return listed()[item.local_suffix()]

    kind.exists = lambda item: item.local_suffix() in listed() if storage.answers(item) else exists(item)
    kind.mtime = lambda item: of(item)[0] if storage.answers(item) else mtime(item)
    kind.size = lambda item: of(item)[1] if storage.answers(item) else size(item)
