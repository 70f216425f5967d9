"""`make chaos`: a run that is killed over and over ends with the same bytes as one that was left alone.

Snakemake and all its jobs get SIGKILL together, at moments drawn from a printed seed; then the same command goes on.
A run that got to its end is compared, file by file, and begun anew, until there were as many kills as asked for.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import yaml

from tests.command import LOCAL, command
from tests.workflow.conftest import make_demo

SAMPLES = ["d02_b1", "d02_b2", "d08_b1", "d08_b2"]
TARGETS = ["counts", "results/models/comparison.tsv"]
# Whatever a person or a model reads. Not: logs, times, pages of MultiQC and FastQC, which carry their date;
# BAM files, whose header carries the time of the command.
COMPARED = [
    "counts",
    "splits",
    "models",
    *(f"qc/{name}/{name}.{end}" for name in SAMPLES for end in ("json", "library.json")),
    "samples.tsv",
    "cohort.h5ad",
]


def make(folder):
    """A few small simulated samples with a config of linear models."""
    make_demo(folder, "--pairs", "1500")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet[sheet["sample"].isin(SAMPLES)].to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["results"] = "results"
    config |= {"qc": {"min_reads": 100, "rseqc_fragments": 0}, "models": ["logistic_l2"]}
    config |= {"design": {"target": "condition"}, "expression": {"normalization": "tmm"}}
    config["evaluation"] = {"folds": 2, "inner_folds": 2, "permutations": 0, "seed": 1}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def start(folder, log, *arguments):
    """The user's command, in a session of its own, so that all it starts can be found."""
    return subprocess.Popen(
        command(folder, *LOCAL, *(arguments or TARGETS)),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill_all(run):
    """SIGKILL to every process of the run's session."""
    for path in Path("/proc").glob("[0-9]*"):
        try:
            session = int((path / "stat").read_text().rsplit(")", 1)[1].split()[3])
            if session == run.pid:
                os.kill(int(path.name), signal.SIGKILL)
        except (OSError, IndexError):
            continue
    run.wait()


def finish(folder, log):
    """Seconds of a run that is left alone."""
    began = time.monotonic()
    if start(folder, log).wait():
        sys.exit(f"the run stopped; see {log.name}")
    return time.monotonic() - began


def results(folder):
    """{path: bytes} of what is compared; matrix.json says where the genome lies, which is in the folder of each run."""
    contents, here = {}, str(folder.resolve()).encode()
    for name in COMPARED:
        path = folder / "results" / name
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        contents |= {
            str(file.relative_to(folder)): file.read_bytes().replace(here, b".")
            for file in files
            if ".snakemake" not in file.name
        }
    return contents


def compare(undisturbed, folder):
    disturbed = results(folder)
    different = sorted(name for name in undisturbed if disturbed.get(name) != undisturbed[name])
    different += sorted(disturbed.keys() - undisturbed.keys())
    if different:
        sys.exit(f"{len(different)} files differ from the undisturbed run: {', '.join(different[:20])}")
    return len(disturbed)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--go-on", action="store_true", help="compare with the undisturbed run that is there")
    parser.add_argument("--folder", type=Path, default=Path(".make/chaos"))
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}: {options.kills} kills in {options.folder}", flush=True)
    moments, kills, ends = random.Random(seed), 0, 0
    folder, taken = options.folder.absolute(), options.folder / "seconds.txt"
    gone = folder / "killed" if options.go_on and taken.exists() else folder
    subprocess.run(["rm", "-rf", gone], check=True)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "runs.log", "w") as log:
        if not taken.exists():
            make(folder / "alone")
            taken.write_text(str(finish(folder / "alone", log)))
        seconds, undisturbed = float(taken.read_text()), results(folder / "alone")
        print(f"undisturbed: {seconds:.0f} s, {len(undisturbed)} files to compare", flush=True)
        make(folder / "killed")
        while kills < options.kills:
            run, moment = start(folder / "killed", log), moments.uniform(1, max(seconds / 4, 10))
            try:
                code = run.wait(moment)
            except subprocess.TimeoutExpired:
                kill_all(run)
                kills += 1
                print(f"kill {kills} after {moment:.1f} s", flush=True)
                if start(folder / "killed", log, "--unlock").wait():
                    sys.exit(f"unlocking failed; see {log.name}")
                continue
            if code:
                sys.exit(f"the run stopped by itself; see {log.name}")
            print(f"end reached: {compare(undisturbed, folder / 'killed')} files are the same", flush=True)
            ends += 1
            subprocess.run(["rm", "-rf", folder / "killed/results"], check=True)
        finish(folder / "killed", log)
        print(f"end reached: {compare(undisturbed, folder / 'killed')} files are the same", flush=True)
    print(
        f"{kills} kills survived, {ends + 1} ends reached, all bytes as in the undisturbed run (seed {seed})"
    )


if __name__ == "__main__":
    main()
