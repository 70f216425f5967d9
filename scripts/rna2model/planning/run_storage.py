"""Object storage of a run, if Snakemake has one (profiles for clouds): which files exist there, and what remote jobs need.

Without `--default-storage-provider` nothing here does anything: paths stay as they are.
"""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.reference import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rna2model.planning.object_storage import Store


# What jobs read beside rules, scripts and environments, which Snakemake packs for them (all else only where git tracks it).
PACKED = [
    "config/schemas/*.yaml",
    "resources/multiqc.yaml",
    "resources/report/*.*",
    "scripts/guard.sh",
    "scripts/infrastructure.txt",
]


class RunStorage:
    """The storage of a run.

    workflow : Snakemake's Workflow; storage : Snakemake's function `storage`
    InputProblem where the storage is of a kind that is not known here.

    Attributes
    ----------
    only_named : whether jobs get copies of what their rule names, and nothing else; with `fs` of files on a disk that the
        machines share
    is_stored : whether files lie in object storage
    prefix : address of the run in it
    """

    prefix: Any

    def __init__(self, workflow: Any, storage: Any = None) -> None:
        settings = workflow.storage_settings
        self.workflow, self.settings, self.storage = workflow, settings, storage
        self.only_named = settings.default_storage_provider is not None
        self.is_stored = self.only_named and settings.default_storage_provider != "fs"
        self.prefix = getattr(settings, "default_storage_prefix", None)
        self.listed = cache(self._listed)
        if self.is_stored and settings.default_storage_provider != "s3":
            raise InputProblem(
                "--default-storage-provider: only s3 and fs (copies on the nodes' own disks) are known here; give other storage"
                " by its S3 interface (--storage-s3-endpoint-url)."
            )

    def as_input(self, path: str | None) -> Any:
        """A file named in config or sheet as a rule's input: a storage object for an address, else the path for
        Snakemake to resolve."""
        return self.storage(path) if path and self.is_stored and "://" in path else path

    def beside(self, matrix: str, store: Store) -> Any:
        """Input: the JSON beside a matrix in the Store that records how it was counted, if there is one."""
        path = fingerprint.name_beside(matrix)
        return [] if self.first_bytes(store.address(path), 1) is None else self.as_input(path)

    def object(self, address: str) -> Any:
        """The plugin's object of an address."""
        return self.workflow.storage_registry.default_storage_provider.object(address)

    def first_bytes(self, address: str, most: int) -> bytes | None:
        """The first bytes of an object, with one request; None if there is no such object, OSError if the storage does
        not answer."""
        item = self.object(address)
        client = item.provider.s3c.meta.client
        try:
            part = client.get_object(Bucket=item.bucket, Key=item.key, Range=f"bytes=0-{most - 1}")
            return part["Body"].read()
        except Exception as error:  # of botocore, which is there only with the plugin
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code in ("NoSuchKey", "NoSuchBucket"):
                return None
            if code == "InvalidRange":  # an empty file has no first byte
                return b""
            raise OSError(str(error)) from None

    def _listed(self) -> dict[str, tuple[float, int]] | None:
        """{name: (time of change, bytes)} of all objects and folders below the run's prefix; None where they may not be listed."""
        state_of_name: dict[str, tuple[float, int]]
        inside, state_of_name = self.object(os.path.join(self.prefix, "any")), {}
        run = os.path.dirname(inside.local_suffix())  # bucket and prefix
        try:
            for entry in inside.s3bucket().objects.filter(Prefix=inside.key.removesuffix("any")):
                name = f"{inside.bucket}/{entry.key}"
                while len(name) > len(run):
                    time, size = state_of_name.get(name, (0, 0))
                    state_of_name[name] = max(time, entry.last_modified.timestamp()), size + entry.size
                    name = os.path.dirname(name)
        except Exception:  # a role that reads and writes, but does not list
            return None
        return state_of_name

    def answers(self, item: Any) -> bool:
        """Whether the list of the run answers for an object of the plugin: while the main process plans, below the prefix."""
        known = getattr(
            self.workflow, "iocache", None
        )  # Snakemake asks anew for everything once it has planned
        planning = self.workflow.is_main_process and known is not None and known.active
        prefix = self.prefix.rstrip("/")
        is_below = f"s3://{item.local_suffix()}".startswith(f"{prefix}/")
        return planning and is_below and self.listed() is not None

    def unpacked(self, files: Iterable[str | Path]) -> list[str]:
        """Why remote jobs could not start, one line each: they receive only files below the working directory."""
        from snakemake_interface_executor_plugins.settings import SharedFSUsage

        if not self.is_stored or SharedFSUsage.SOURCES in self.settings.shared_fs_usage:
            return []
        problems = (
            [] if shutil.which("git") else ["git is needed to pack the workflow for the jobs; install it"]
        )
        return problems + [
            f"{file} lies outside the working directory ({Path.cwd()}), which is what jobs elsewhere get: start Snakemake in"
            " a folder that holds the workflow, the config and the sheet (and leave out -d)"
            for file in files
            if os.path.relpath(file).startswith("..")
        ]

    def pack(self, repository: Path, files: Iterable[str | Path]) -> None:
        """Have Snakemake pack `files` and those of the `repository` that it would not, for the jobs; it does so with config files."""
        if self.is_stored and self.workflow.is_main_process:
            own = [file for kind in PACKED for file in repository.glob(kind)]
            self.workflow.configfiles.extend(map(os.path.relpath, [*files, *own]))
