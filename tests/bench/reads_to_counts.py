"""What the workflow costs from reads to counts, against two baselines on the same two cores in the same run:

    tools    its own tool commands in a shell script (bare_tools.sh), without checks, verdicts or a cohort file
    peer     the steps of snakemake-workflows/rna-seq-star-deseq2 as plain commands (star_deseq2.sh)

Limits for libraries of a million read pairs and more: workflow / tools <= 1.10; peer / workflow >= 1.5. Each round runs
all three; prints each round and the medians. FastQC and RSeQC look at 100,000 reads of each library in workflow and
tools (the defaults); the peer has no FastQC, its RSeQC modules read everything. The bare tools must be on the
PATH (envs/debian.txt), also where conda gives them to the rules.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parents[1] / "scripts")]

from tests.command import LOCAL, REPOSITORY, command  # noqa: E402  (found only after the line above)


def simulated(folder, pairs):
    """Two libraries of `pairs` read pairs on the demo's genome, and its transcripts as BED."""
    from rna2model.reference import annotation, genome
    from rna2model.simulate import demo

    definition = demo.read_definition(REPOSITORY / "resources/demo/demo.yaml")
    definition["cohort"] |= {"donors": {"control": 1, "treated": 1}, "batches": {"b1": 1.0}}
    definition["cohort"] |= {"two_lanes": [], "faulty": {}, "new": []}
    definition["reads"] |= {"pairs": pairs}
    definition["expression"] |= {"library_size": [1.0, 1.0]}
    demo.make(definition, folder)
    transcripts = annotation.read(folder / "annotation.gtf").transcripts
    (folder / "transcripts.bed").write_text("".join(f"{line}\n" for line in genome.bed12(transcripts)))
    config = yaml.safe_load((folder / "config.yaml").read_text()) | {"evaluation": {"folds": 2}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def spent(data, *rules):
    """Seconds that the jobs of some rules took in the last run of the workflow."""
    files = [path for rule in rules for path in (data / "results/benchmarks" / rule).glob("*.tsv")]
    return sum(float(path.read_text().splitlines()[1].split("\t")[0]) for path in files)


def script(name, data, out):
    """Wall seconds of a shell script."""
    shutil.rmtree(out, ignore_errors=True)
    files = [data / name for name in ("reads", "genome.fa", "annotation.gtf", "transcripts.bed")]
    seconds = timed(["bash", HERE / name, *files, out, "d01_b1", "d02_b1"])
    shutil.rmtree(out)
    return seconds


def workflow(data):
    """Wall seconds of the workflow, from nothing to the cohort's counts and MultiQC."""
    for name in ("results", ".snakemake"):
        shutil.rmtree(data / name, ignore_errors=True)
    return timed(command(data, "counts", *LOCAL))


def timed(words):
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    start = time.monotonic()
    run = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, env=dict(os.environ, PATH=paths)
    )
    if run.returncode:
        sys.exit(f"failed: {words[:3]}\n{(run.stdout + run.stderr)[-3000:]}")
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=1_000_000, help="read pairs of each of the two samples")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rna2model-bench-") as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        simulated(data, options.pairs)
        over, faster = [], []
        for number in range(1, options.rounds + 1):
            tools, ours, peer = (
                script("bare_tools.sh", data, out),
                workflow(data),
                script("star_deseq2.sh", data, out),
            )
            over.append(ours / tools)
            faster.append(peer / ours)
            quality, aligning = spent(data, "alignment_stats"), spent(data, "align_star")
            print(f"round {number}: tools {tools:.0f} s, workflow {ours:.0f} s, peer {peer:.0f} s")
            print(
                f"  of the workflow: RSeQC and samtools {quality:.0f} s, alignment {aligning:.0f} s",
                flush=True,
            )
    print(
        f"reads to counts, 2 x {options.pairs} pairs: workflow / tools {statistics.median(over):.3f} (limit 1.10),"
        f" peer / workflow {statistics.median(faster):.2f} (at least 1.5)"
    )


if __name__ == "__main__":
    main()
