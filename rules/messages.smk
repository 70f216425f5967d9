"""What a person is told before the first job and after the last."""


def disk_of_run():
    """The disk that this run takes, with as many samples at the same time as it may work on."""
    asked = workflow.resource_settings
    at_once = max(asked.nodes or 0, 0 if asked.nodes else asked.cores or 1)
    limit = workflow.global_resources.get("downloads")
    downloads = getattr(limit, "value", limit)  # none where no profile limits them
    to_read = {name: SAMPLES[name] for name in USED if name not in ARCHIVED}
    return disk.estimate(to_read, config, at_once, downloads)


def show_disk():
    """Only in the process that the user started: each job reads these files again."""
    if workflow.is_main_process and FROM_READS and not STORE:
        text, short = disk.message(disk_of_run())
        (logger.warning if short else logger.info)(f"rna2model: {text}")


def jobs_that_failed(scheduler):
    """Jobs that failed after their retries; those of a group are all of it."""
    return [job for entry in scheduler.failed for job in getattr(entry, "jobs", [entry])]


def failed_jobs(scheduler):
    """Sample (or split and model), rule, log and last sentence of each job that failed after its retries."""
    failed = jobs_that_failed(scheduler)
    lines = []
    for job in failed:
        line = f"  {failure.of_what(job.wildcards_dict)}  {job.rule.name}  {', '.join(map(str, job.log))}"
        said = next(filter(None, map(last_words, job.log)), "")
        lines.append(f"{line}\n      {said}" if said else line)
    if not lines:
        return "rna2model: the run was stopped before its end; run the same command again to go on."
    of_samples = any(failure.SINGLE.intersection(job.wildcards_dict) for job in failed)
    whose, way_out = ("sample, ", failure.WITHOUT_IT) if of_samples else ("", "")
    full = "" if STORE else disk.shortage(RESULTS)
    return "\n".join(
        [
            f"rna2model: {len(lines)} job{'s' if len(lines) > 1 else ''} failed after all retries ({whose}rule, log):",
            *sorted(lines),
            *filter(None, [full]),
            f"Nothing was built on what is missing. Repair the cause and run the same command again{way_out}.",
        ]
    )
