"""What runs again: a file with another date or place, but the same content, is the same; reads that were counted may be gone.

Snakemake (9.27) compares contents up to a megabyte, paths as text and scripts by date; four of its questions are answered here by
content.
"""

import asyncio

from rna2model import archive, samecontent
from snakemake.dag import DAG
from snakemake.jobs import Job
from snakemake.io import Mtime, _IOFile
from snakemake.persistence import PersistenceBase

HERE = os.getcwd()


def compare_contents(checksum, eligible, checksums, input_changed, metadata):
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
        return not samecontent.same_inputs(
            before.input, records._input(job), before.input_checksums or {}, HERE
        )

    def metadata_now(records, target):
        """Results were recorded by their absolute paths where the config gave one."""
        found = metadata(records, target)
        earlier = None if found or target.is_storage else os.path.join(HERE, target)
        return found or (earlier and records._read_record(earlier))

    _IOFile.is_checksum_eligible, _IOFile.checksum = eligible_now, checksum_now
    PersistenceBase.metadata = metadata_now
    PersistenceBase.input_checksums, PersistenceBase._input_changed = checksums_now, input_changed_now


def compare_code(older):
    """Have Snakemake judge a script by `library` (rules/common.smk) where its rule has it, and elsewhere by its date, as before."""

    async def older_now(job):
        if "library" not in job.rule.params.keys():
            async for file in older(job):
                yield file

    Job.outputs_older_than_script_or_notebook = older_now


def name_targets_from_here(make):
    """Files that a user asks for by absolute paths are those that the rules name from the working directory."""

    def make_now(dag, *given, **options):
        for kind in ("targetfiles", "forcefiles", "priorityfiles", "untilfiles", "omitfiles"):
            if options.get(kind):
                options[kind] = {places.below(HERE, file) for file in options[kind]}
        make(dag, *given, **options)

    DAG.__init__ = make_now


def keep_counted(exists, changed, postprocess):
    """Have Snakemake plan as if files of counted reads were there, unchanged, and stop where a job would read them."""

    async def exists_now(file):
        return str(file) in GONE or await exists(file)

    async def changed_now(file, *given, **options):
        return Mtime(local=0) if str(file) in GONE else await changed(file, *given, **options)

    async def postprocess_now(dag, *given, **options):
        if not workflow.touch and (needed := needed_again(dag)):
            raise WorkflowError(archive.refusal(needed))
        return await postprocess(dag, *given, **options)

    _IOFile.exists, _IOFile.mtime_uncached, DAG.postprocess = exists_now, changed_now, postprocess_now


def needed_again(dag):
    """{sample: (files that are not there, {rule: why it runs})} of the planned jobs that start from such files."""
    first = [job for job in dag.needrun_jobs() if GONE.intersection(map(str, job.input))]
    return {
        job.wildcards_dict["sample"]: (ARCHIVED[job.wildcards_dict["sample"]], reasons(dag, job))
        for job in first
    }


FOLLOWS = (
    "output files have to be generated",
    "input files updated by another job",
)  # from the reason of others


def reasons(dag, first):
    """{rule: why it runs} of the jobs of a sample, beginning with its first, that run of themselves or for another file."""
    sample, found = first.wildcards_dict["sample"], {}
    for job in dag.bfs(dag.depending, first):
        if not dag.needrun(job) or job.wildcards_dict.get("sample") != sample:
            continue
        others = {one.rule.name for one in dag.dependencies[job] if dag.needrun(one)}
        others -= {one.rule.name for one in dag.dependencies[job] if "sample" in one.wildcards_dict}
        if not dag.reason(job).derived:
            why = list(dag.reason(job).get_names())
            found[job.rule.name] = " and ".join([name for name in why if name not in FOLLOWS] or why)
        elif others:
            found[job.rule.name] = f"because of {', '.join(sorted(others))}"
    return found


# {sample: files}; all other files that are not there were refused
ARCHIVED = archive.missing(SAMPLES) if ASKS and FROM_READS and not STORE else {}
GONE = {file for files in ARCHIVED.values() for file in files}

if ASKS:
    compare_code(Job.outputs_older_than_script_or_notebook)
if ASKS and not STORE:
    name_targets_from_here(DAG.__init__)
if ASKS:
    compare_contents(
        _IOFile.checksum,
        _IOFile.is_checksum_eligible,
        PersistenceBase.input_checksums,
        PersistenceBase._input_changed,
        PersistenceBase.metadata,
    )
if ARCHIVED:
    logger.warning(f"rna2model: {archive.note(ARCHIVED)}")
    keep_counted(_IOFile.exists, _IOFile.mtime_uncached, DAG.postprocess)
