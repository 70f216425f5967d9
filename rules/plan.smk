"""What a run would ask for, calculated before its files are there, by the rules' own requests (`make plan`)."""

from contextlib import contextmanager

from rna2model import expected

EXPECTED = expected.Expected(config, SAMPLES, genome_mb, len(LABELLED))
for each in workflow.rules:
    fit_to_partitions(each)


@contextmanager
def planning(*how):
    """Requests follow from the sizes that files will have; with UNCUT also beyond what the partitions take."""
    PLANNING[:] = ["expected", *how]
    try:
        yield
    finally:
        PLANNING.clear()


def asked(job, attempt=1, uncut=True):
    """The Request of a job at an attempt, by the sizes that its input will have."""
    with planning(*([UNCUT] if uncut else [])):
        found = job.rule.expand_resources(job.wildcards, job.input, attempt)
    number = {name: value if isinstance(value, int) else 0 for name, value in found.items()}
    gpus = number.get("gpu", 0)
    return requests.Request(number.get("mem_mb", 0), number.get("runtime", 0), found["_cores"], gpus)


def largest_jobs(jobs):
    """{rule: the job with the largest input}."""
    found = {}
    for job in jobs:
        size = sum(map(EXPECTED.size_mb, job.input))
        if size > found.get(job.rule.name, (-1,))[0]:
            found[job.rule.name] = size, job
    return {name: job for name, (_, job) in found.items()}


def unfit_rules(jobs):
    """(problems, notes) of requests.unfit() for the largest of these jobs of each rule; none where partitions are not known."""
    largest = largest_jobs(jobs)
    return requests.unfit(
        {name: (lambda attempt, job=job: asked(job, attempt)) for name, job in largest.items()},
        partitions_of if known_partitions() else lambda name: [requests.Partition("any")],
        {name: job.rule.restart_times or 0 for name, job in largest.items()},
    )


def plan_text():
    """A table of what the run asks for by rule, and its sums, for `make plan`."""
    jobs = [
        job for job in workflow.dag.needrun_jobs() if job.rule.name not in ("all", "predictions", "counts")
    ]
    by_rule, together = {}, set()
    for job in jobs:
        by_rule.setdefault(job.rule.name, []).append(asked(job, uncut=False))
        whose = next(iter(job.wildcards_dict.values()), "")
        together.add((job.group, whose) if job.group else (job.rule.name, *job.wildcards_dict.values()))
    files = sum(
        len([file for file in job.output if file not in job.temp_output]) + len(job.log) + bool(job.benchmark)
        for job in jobs
    )
    records = sum(len(job.output) for job in jobs)
    problems, notes = unfit_rules(jobs)
    space = disk_of_run() if FROM_READS and not STORE else None
    reads = sum(EXPECTED.reads_mb(name) for name in USED) if FROM_READS else 0
    limited = bool(known_partitions())
    told = disk.message(space)[0] if space else ""
    return expected.plan(by_rule, len(together), files, records, limited, problems, notes, reads, told)
