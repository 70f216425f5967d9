"""What the rules say alike, said once: where a job's log and benchmark are, how often it is tried again, and which code it is of.

A rule that says one of these itself keeps it. A rule that is made of another (`use rule x as y`) logs in the folder of that one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RETRIES = 2  # after the first attempt: a sample is excluded when a tool fails twice, and a job may need more memory twice


def add(workflow: Any, results: str, reference: str, code_of: Callable[[str], str]) -> None:
    """Give the Rules of Snakemake's Workflow what they do not say themselves; to be called when all of them are included.

    log : <results>/logs/<place>.log; benchmark : <results>/benchmarks/<place>.tsv, where a log that the rule names is, too
    retries : RETRIES; a user may ask for more (snakemake_patches.retry_where_it_may_help)
    library, a param : the hash of the rule's script by `code_of`, by which a job of the cohort is judged. A job of one sample or
    of the reference has none, so that no other edit than of its script runs it again.
    RuleException of Snakemake where a log lacks a wildcard of the outputs, or has others.
    """
    first: dict[Any, str] = {}  # {what rules run: the first of them}
    for rule in workflow.rules:
        name = first.setdefault(rule.run_func, rule.name)
        if rule.norun:
            continue
        of_reference = all(f"{reference}/" in path for path in rule.output)
        own_log = rule.ruleinfo.log
        if own_log:
            place = own_log.paths[0].removeprefix(f"{results}/logs/").removesuffix(".log")
        else:
            place = place_of(name, rule.wildcard_names, "reference" if of_reference else "cohort")
        rule.log_modifier = rule.benchmark_modifier = rule.output_modifier  # paths in object storage
        if not own_log:
            rule.set_log(f"{results}/logs/{place}.log")
        if rule.benchmark is None:
            rule.benchmark = f"{results}/benchmarks/{place}.tsv"
        if rule.ruleinfo.retries is None:
            rule.restart_times = RETRIES
        is_judged_by_date = of_reference or "sample" in rule.wildcard_names
        if rule.script and not is_judged_by_date and "library" not in rule.params.keys():
            rule.set_params(library=code_of(Path(rule.script).name))


def place_of(rule: str, wildcards: set[str], otherwise: str) -> str:
    """Folder and name of the log of a rule's jobs, with wildcards: `align_star/{sample}`, `train_{model}/{split}`.

    otherwise : the name for a rule without wildcards
    """
    *others, last = [f"{{{name}}}" for name in sorted(wildcards)] or [otherwise]
    return f"{'_'.join([rule, *others])}/{last}"
