"""What a person is told before the first job and after the last."""


def show_disk():
    """Only in the process that the user started: each job reads these files again."""
    if workflow.is_main_process and FROM_READS and not STORE:
        text, short = disk.message(disk.estimate({name: SAMPLES[name] for name in USED}, config))
        (logger.warning if short else logger.info)(f"rna2model: {text}")


def failed_jobs(scheduler):
    """Sample, rule, log and last sentence of each job that failed after its retries."""
    failed = [job for entry in scheduler.failed for job in getattr(entry, "jobs", [entry])]
    lines = []
    for job in failed:
        line = f"  {', '.join(job.wildcards_dict.values()) or 'cohort'}  {job.rule.name}  {', '.join(map(str, job.log))}"
        said = next(filter(None, map(last_words, job.log)), "")
        lines.append(f"{line}\n      {said}" if said else line)
    if not lines:
        return "rna2model: the run was stopped before its end; run the same command again to go on."
    full = "" if STORE else disk.shortage(RESULTS)
    return "\n".join(
        [
            f"rna2model: {len(lines)} job{'s' if len(lines) > 1 else ''} failed after all retries (sample, rule, log):",
            *sorted(lines),
            *filter(None, [full]),
            "Nothing was built on what is missing. Repair the cause and run the same command again, or fill `exclude` for"
            " that sample in the sheet to go on without it.",
        ]
    )
