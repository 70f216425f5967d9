"""What a job asks for: memory and time from the size of its input, more at each further attempt."""

import os
from functools import cache
from math import ceil, inf

from rna2model import requests
from snakemake.resources import Resource

UNCUT = "uncut"
PLANNING = []  # not empty while requests are calculated before their input is there
SNAKEMAKE_MB = 400  # a submitted job holds Snakemake twice, 180 MB each (measured), beside its tool


@cache
def genome_mb():
    """Size of the genome in megabytes of bases, known before the reference is unpacked."""
    fasta = Path(config["reference"]["fasta"])
    packed = 4 if fasta.suffix == ".gz" else 1  # DNA packs about four to one
    size = (
        stored_object(STORE.address(config["reference"]["fasta"])).size() if STORE else fasta.stat().st_size
    )
    return packed * size / 1e6


def index_threads(wildcards):
    """A small genome is indexed in seconds by one thread, beside the first samples."""
    return 8 if genome_mb() > 100 else 1


def size_mb(files):
    """Size in megabytes; FileNotFoundError while one is still to be made, which Snakemake shows as <TBD>.

    The same as `input.size_mb`, without an event loop for each job: that was a tenth of the time to plan a large cohort.
    """
    if PLANNING:
        return sum(map(EXPECTED.size_mb, files))
    return files.size_mb if ONLY_NAMED else sum(os.stat(file).st_size for file in files) / 1e6


def sold(mb, threads):
    """Memory as clouds sell it: AWS Batch's executor takes no other numbers, and at least two gigabytes for each thread."""
    step = next(step for most, step in ((16384, 1024), (61440, 4096), (inf, 8192)) if mb <= most)
    return max(step * ceil(mb / step), 2048 * threads)


def megabytes(base, per_genome_mb=0, per_input_mb=0):
    """Memory request: a base, what the genome and the input need, doubled at each further attempt.

    What does not depend on input that is still to be made is known, and shown, before the first job.
    """

    def needed(wildcards, input, attempt, threads):
        genome = per_genome_mb * genome_mb() if per_genome_mb else 0
        given = per_input_mb * size_mb(input) if per_input_mb else 0
        wanted = int((SNAKEMAKE_MB + base + genome + given) * 2 ** (attempt - 1))
        return sold(wanted, threads) if STORE else wanted

    return needed


def minutes(base, per_gigabyte=0):
    """Run time request: a base and what a gigabyte of input takes, times the attempt."""

    def needed(wildcards, input, attempt):
        given = per_gigabyte * size_mb(input) / 1000 if per_gigabyte else 0
        return int((base + given) * attempt)

    return needed


@cache
def known_partitions():
    """What the partitions of the profile take: read by the process that submits, which tells its jobs; else none."""
    settings = workflow.executor_settings if workflow.is_main_process else None
    path = getattr(settings, "partition_config", None)
    if path:
        os.environ[requests.VARIABLE] = requests.dumps(read_partitions(path))
    elif workflow.is_main_process:
        os.environ.pop(requests.VARIABLE, None)
    return requests.loads(os.environ.get(requests.VARIABLE))


@cache
def partitions_of(name):
    """The part of each partition that a rule may fill, which is not all of it where other jobs are submitted with it (`groups` of the profile)."""
    grouped = name in workflow.group_settings.overwrite_groups
    return requests.with_room(known_partitions()) if grouped else known_partitions()


def fit_to_partitions(each):
    """Cut the memory and time of `each` rule to what the largest partition takes, as a job that fits none is not submitted.

    What the user sets for single rules (`set-resources`) stays as it is.
    """
    overwritten = workflow.resource_settings._parsed_overwrite_resources.get(each.name, {})
    own = {name: each.resources.get(name) for name in ("mem_mb", "runtime")}
    if own.keys() & set(overwritten) or not own.keys() <= set(each.resources):
        return
    gpu = each.resources.get("gpu")
    gpus = 0 if gpu.is_evaluable() else int(gpu.value or 0)

    def fitted(name):
        def needed(wildcards, input, attempt, threads):
            told = {"input": input, "attempt": attempt, "threads": threads}
            if UNCUT in PLANNING or not known_partitions():
                return own[name].evaluate(wildcards, **told).value
            asked = {key: resource.evaluate(wildcards, **told).value for key, resource in own.items()}
            if not isinstance(asked[name], int):  # input that is still to be made
                return asked[name]
            known = [value if isinstance(value, int) else 0 for value in asked.values()]
            cut = requests.fitted(requests.Request(*known, threads, gpus), partitions_of(each.name))
            return cut.mem_mb if name == "mem_mb" else cut.minutes

        return needed

    for name in own:
        each.resources[name] = Resource(name, fitted(name))
