"""Object storage, where Snakemake is told of one (profiles for clouds): what lies there, and what jobs elsewhere need.

Without `--default-storage-provider` nothing here does anything: paths stay as they are.
"""

import shutil

from snakemake_interface_executor_plugins.settings import SharedFSUsage

STORAGE = workflow.storage_settings
IS_STORED = STORAGE.default_storage_provider is not None
# What jobs read beside rules, scripts and environments, which Snakemake packs for them (all else only where git tracks it).
PACKED = ["config/schemas/*.yaml", "resources/multiqc.yaml", "resources/report/*.*"]


def given(path):
    """A file that config or sheet names, as an input: an address of its own, or a path that Snakemake completes."""
    return storage(path) if path and IS_STORED and "://" in path else path


def stored_object(address):
    return workflow.storage_registry.default_storage_provider.object(address)


def stored_bytes(address, most):
    """The first bytes of an object, by one question; None where there is none, OSError when the storage does not say."""
    item = stored_object(address)
    try:
        if hasattr(item, "s3obj"):
            client = item.provider.s3c.meta.client
            part = client.get_object(Bucket=item.bucket, Key=item.key, Range=f"bytes=0-{most - 1}")
            return part["Body"].read()
        return item.blob.download_as_bytes(end=most - 1) if item.blob.exists() else None
    except Exception as error:  # each storage has its own
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "NoSuchBucket", "404"):
            return None
        if code == "InvalidRange" or getattr(error, "code", None) == 416:
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
        if not Path(file).resolve().is_relative_to(Path.cwd())
    ]


def pack(files):
    """Have Snakemake pack `files`, too, for the jobs; it does so with config files."""
    if workflow.is_main_process:
        workflow.configfiles.extend(map(str, files))
