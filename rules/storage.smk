"""Object storage, where Snakemake is told of one (profiles for clouds): what lies there, and what jobs elsewhere need.

Without `--default-storage-provider` nothing here does anything: paths stay as they are.
"""

import os
import shutil
from functools import cache

from snakemake.dag import DAG
from snakemake.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import SharedFSUsage

STORAGE = workflow.storage_settings
# Jobs get copies of what their rule names, and nothing else; with `fs` of files on a disk that the machines share.
ONLY_NAMED = STORAGE.default_storage_provider is not None
IS_STORED = ONLY_NAMED and STORAGE.default_storage_provider != "fs"
# What jobs read beside rules, scripts and environments, which Snakemake packs for them (all else only where git tracks it).
PACKED = [
    "config/schemas/*.yaml",
    "resources/multiqc.yaml",
    "resources/report/*.*",
    "scripts/guard.sh",
    "scripts/infrastructure.txt",
]


def given(path):
    """A file that config or sheet names, as an input: an address of its own, or a path that Snakemake completes."""
    return storage(path) if path and IS_STORED and "://" in path else path


@cache
def listed():
    """{name: (time of change, bytes)} of all objects and folders below the run's prefix; None where they may not be listed."""
    inside, found = stored_object(os.path.join(STORAGE.default_storage_prefix, "any")), {}
    run = os.path.dirname(inside.local_suffix())  # bucket and prefix
    try:
        for entry in inside.s3bucket().objects.filter(Prefix=inside.key.removesuffix("any")):
            name = f"{inside.bucket}/{entry.key}"
            while len(name) > len(run):
                time, size = found.get(name, (0, 0))
                found[name] = max(time, entry.last_modified.timestamp()), size + entry.size
                name = os.path.dirname(name)
    except Exception:  # a role that reads and writes, but does not list
        return None
    return found


def mend(kind):
    """Two things that the S3 plugin (0.3.6) does not do, and a run on other machines needs.

    Planning asks three questions for each file that is not there: one list of the run answers them all. And it remembers
    that there was no folder, so that one made by a job elsewhere would never be seen.
    """
    is_dir, exists, mtime, size = kind.is_dir, kind.exists, kind.mtime, kind.size

    def below(item):
        known = getattr(workflow, "iocache", None)  # Snakemake asks anew for everything once it has planned
        planning = workflow.is_main_process and known is not None and known.active
        prefix = STORAGE.default_storage_prefix.rstrip("/")
        return planning and f"s3://{item.local_suffix()}".startswith(f"{prefix}/") and listed() is not None

    def is_dir_now(item):
        item._is_dir = item._is_dir or None
        return is_dir(item)

    kind.is_dir = is_dir_now
    kind.exists = lambda item: item.local_suffix() in listed() if below(item) else exists(item)
    kind.mtime = lambda item: listed()[item.local_suffix()][0] if below(item) else mtime(item)
    kind.size = lambda item: listed()[item.local_suffix()][1] if below(item) else size(item)


if IS_STORED:
    if STORAGE.default_storage_provider != "s3":
        raise WorkflowError(
            "--default-storage-provider: only s3 and fs (copies on the nodes' own disks) are known here; give other storage"
            " by its S3 interface (--storage-s3-endpoint-url)."
        )
    mend(workflow.storage_registry.default_storage_provider.get_storage_object_cls())
    # Snakemake (9.27) waits for temporary files that it told a job not to send, as nothing needs them: let it be sent.
    DAG.get_unneeded_temp_files = lambda dag, job: []


def stored_object(address):
    return workflow.storage_registry.default_storage_provider.object(address)


def stored_beside(wildcards):
    """Input function: what lies beside a given matrix and says how it was counted, if anything."""
    path = fingerprint.name_beside(config["counts"])
    return [] if stored_bytes(STORE.address(path), 1) is None else given(path)


def stored_bytes(address, most):
    """The first bytes of an object, by one question; None where there is none, OSError when the storage does not say."""
    item = stored_object(address)
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


def unpacked(files):
    """Why jobs elsewhere could not start, as lines: they get what lies below the working directory."""
    if not IS_STORED or SharedFSUsage.SOURCES in STORAGE.shared_fs_usage:
        return []
    problems = [] if shutil.which("git") else ["git is needed to pack the workflow for the jobs; install it"]
    return problems + [
        f"{file} lies outside the working directory ({Path.cwd()}), which is what jobs elsewhere get: start Snakemake in"
        " a folder that holds the workflow, the config and the sheet (and leave out -d)"
        for file in files
        if os.path.relpath(file).startswith("..")
    ]


def pack(files):
    """Have Snakemake pack `files`, too, for the jobs; it does so with config files."""
    if workflow.is_main_process:
        workflow.configfiles.extend(map(os.path.relpath, files))
