"""How long Snakemake plans a large cohort, beside a Snakefile that does nothing else with as many jobs.

    python tests/bench/dry_run.py [--samples 1250 2500 5000 10000]

Per size: processor seconds and peak memory of `snakemake -n` on the whole workflow, and on a bare Snakefile that has the same
number of jobs and per job two files in, two out, a log, a benchmark, memory and time by attempt. Asks for: at most 1.5 times the bare one at the
largest size, and seconds that grow with the samples, not faster.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tests.workflow import faked  # noqa: E402  (found only after the line above)

SLOWER, STEEPER = 1.5, 1.3  # allowed: times the bare one; times the growth of the samples

BARE = """
SAMPLES = [f"s{{number:05}}" for number in range({count})]
CHAIN = {chain}

rule all:
    input: expand("last/{{sample}}", sample=SAMPLES)

rule first:
    output: ["0/{{sample}}.a", "0/{{sample}}.b"]
    log: "logs/0/{{sample}}"
    benchmark: "benchmarks/0/{{sample}}"
    resources: mem_mb=lambda wildcards, attempt: 500 * attempt, runtime=lambda wildcards, attempt: 10 * attempt
    shell: "touch {{output}}"

for number in range(1, CHAIN):
    rule:
        name: f"step{{number}}"
        input: [f"{{number - 1}}/{{{{sample}}}}.a", f"{{number - 1}}/{{{{sample}}}}.b"]
        output: [f"{{number}}/{{{{sample}}}}.a", f"{{number}}/{{{{sample}}}}.b"]
        log: f"logs/{{number}}/{{{{sample}}}}"
        benchmark: f"benchmarks/{{number}}/{{{{sample}}}}"
        resources: mem_mb=lambda wildcards, attempt: 500 * attempt, runtime=lambda wildcards, attempt: 10 * attempt
        shell: "touch {{output}}"

rule last:
    input: [f"{{CHAIN - 1}}/{{{{sample}}}}.a", f"{{CHAIN - 1}}/{{{{sample}}}}.b"]
    output: "last/{{sample}}"
    shell: "touch {{output}}"
"""


def plan(folder, *arguments):
    """(processor seconds, peak memory in MB, jobs) of a dry run."""
    command = [
        "/usr/bin/env",
        sys.executable,
        "-c",
        MEASURED,
        "-d",
        folder,
        "-n",
        "--quiet",
        "rules",
        *arguments,
    ]
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    text = run.stdout + run.stderr
    if run.returncode:
        sys.exit(text[-3000:])
    seconds, peak = re.search(r"^used ([\d.]+) s (\d+) kB", text, re.M).groups()
    return float(seconds), int(peak) / 1024, int(re.search(r"^total +(\d+)", text, re.M)[1])


MEASURED = """
import atexit, resource, sys
def used():
    now = resource.getrusage(resource.RUSAGE_SELF)
    print(f"used {now.ru_utime + now.ru_stime:.2f} s {now.ru_maxrss} kB", file=sys.stderr)
atexit.register(used)
from snakemake.cli import main
main()
"""


def measure(count):
    with tempfile.TemporaryDirectory() as temporary:
        ours, bare = Path(temporary, "ours"), Path(temporary, "bare")
        ours.mkdir(), bare.mkdir()
        faked.write(ours, count)
        seconds, memory, jobs = plan(
            ours, "-s", REPOSITORY / "Snakefile", "--configfile", ours / "config.yaml"
        )
        chain = round((jobs - 1) / count) - 1
        (bare / "Snakefile").write_text(BARE.format(count=count, chain=chain))
        bare_seconds, bare_memory, bare_jobs = plan(bare, "-s", bare / "Snakefile")
    print(
        f"{count:6} samples: {jobs:7} jobs {seconds:6.1f} s {memory:6.0f} MB   bare: {bare_jobs:7} jobs"
        f" {bare_seconds:6.1f} s {bare_memory:6.0f} MB   ratio {seconds / bare_seconds:.2f}",
        flush=True,
    )
    return seconds, bare_seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[1250, 2500, 5000, 10000])
    sizes = sorted(parser.parse_args().samples)
    measured = {count: measure(count) for count in sizes}
    seconds, bare = measured[sizes[-1]]
    problems = [f"{seconds / bare:.2f} times the bare Snakefile"] if seconds > SLOWER * bare else []
    growth = seconds / measured[sizes[0]][0] / (sizes[-1] / sizes[0])
    problems += [f"time grows {growth:.2f} times as fast as the samples"] if growth > STEEPER else []
    sys.exit("; ".join(problems) or 0)


if __name__ == "__main__":
    main()
