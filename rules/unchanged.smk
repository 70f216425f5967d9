"""What runs again: a file with another date or place, but the same content, is the same; reads that were counted may be gone.

Snakemake (9.27) compares contents up to a megabyte and paths as text; three of its questions are answered here by content.
"""

import asyncio

from rna2model import samecontent
from snakemake.dag import DAG
from snakemake.io import _IOFile
from snakemake.persistence import PersistenceBase

HERE = os.getcwd()


def compare_contents(checksum, eligible, checksums, input_changed):
    """Have Snakemake record and compare the content of local files of any size; arguments: what it did before."""

    async def eligible_now(file, threshold):
        if file.is_storage:
            return await eligible(file, threshold)
        return await file.exists_local() and not file.is_fifo()

    async def checksum_now(file, threshold=None, force=False, algorithm=None):
        if file.is_storage or force:  # `ensure` asks for an algorithm of its own
            return await checksum(file, threshold, force, algorithm)
        return await asyncio.to_thread(samecontent.of, file.file)

    def checksums_now(records, job, path):
        found = checksums(records, job, path)
        if found != {None} or getattr(path, "is_storage", False):
            return found
        known = [(records.metadata(output) or {}).get("input_checksums") or {} for output in job.output]
        return {samecontent.recorded_content(str(path), set(records._input(job)), one, HERE) for one in known}

    def input_changed_now(records, job, file=None):
        if not input_changed(records, job, file):
            return False
        before = records.metadata(file)
        return not samecontent.same_inputs(before.input, records._input(job), before.input_checksums or {}, HERE)

    _IOFile.is_checksum_eligible, _IOFile.checksum = eligible_now, checksum_now
    PersistenceBase.input_checksums, PersistenceBase._input_changed = checksums_now, input_changed_now


if ASKS:
    compare_contents(
        _IOFile.checksum,
        _IOFile.is_checksum_eligible,
        PersistenceBase.input_checksums,
        PersistenceBase._input_changed,
    )
