"""Cohorts of any size that look done: every output is there, empty, and Snakemake believes that it made it.

Only for questions about the plan: which jobs would run. No job ever reads these files.
"""

import csv
import subprocess
import sys
from pathlib import Path

import yaml

from tests.command import REPOSITORY
from tests.workflow.conftest import make_demo

# Snakemake waits a tenth of a second for each job that it touches.
SNAKEMAKE = (
    "from snakemake.executors import touch; touch.Executor.SLEEPING_TIME = 0;"
    "from snakemake.cli import main; main()"
)


def write(folder, count, labelled=True):
    """Reference, config and a sheet of `count` samples, each with FASTQ files of its own (all the same few reads)."""
    make_demo(folder, "--pairs", "20")
    reads = [(folder / f"reads/d02_b1_R{mate}.fastq.gz").read_bytes() for mate in (1, 2)]
    add(folder, [f"s{number:05}" for number in range(count)], reads, labelled)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"results": "results", "qc": {"min_reads": 10}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return reads


def add(folder, names, reads, labelled=True, more=False):
    """Write the sheet, or with `more` append to it."""
    for name in names:
        for mate, content in enumerate(reads, start=1):
            (folder / f"reads/{name}_R{mate}.fastq.gz").write_bytes(content)
    with open(folder / "samples.tsv", "a" if more else "w", newline="") as file:
        table = csv.writer(file, delimiter="\t")
        if not more:
            table.writerow(["sample", "fastq_1", "fastq_2", "condition", "batch", "donor"])
        for number, name in enumerate(names):
            condition = ["control", "treated"][number % 2] if labelled else ""
            files = [f"reads/{name}_R{mate}.fastq.gz" for mate in (1, 2)]
            table.writerow([name, *files, condition, f"b{number // 2 % 3}", f"d{name}"])


def finish(folder):
    """Make the cohort of `folder` look done."""
    lines = run(folder, "--summary").stdout.splitlines()[1:]
    for output, _, rule, *_ in (line.split("\t") for line in lines):
        path = Path(folder, output)
        if rule in ("train", "train_torch", "index_star"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    run(folder, "--touch", "--forceall")  # all jobs, so that each is remembered with its parameters


def run(folder, *arguments):
    command = [sys.executable, "-c", SNAKEMAKE, "-s", REPOSITORY / "Snakefile", "-d", folder, "--cores", "1"]
    command += ["--configfile", Path(folder) / "config.yaml", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done
