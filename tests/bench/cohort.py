"""What a matrix costs, from counts to a report, beside a plain scikit-learn script with the same nested cross-validation.

    python tests/bench/cohort.py [--only 60x20000 ...] [--cores 2] [--models logistic_l2 linear_svm]

Shapes are samples x genes (x classes): 60x20000, 1000x20000, 5000x20000, 20000x200, 6700x90x32, made by chance with a label that
moves some genes. The workflow runs whole, in a folder that is removed; printed are, of each rule, jobs, wall time, processor time
and the highest memory of a job, and how much of that is beyond libraries and interpreter (CONSTANT) in units of the float32 matrix.

The script: log2 CPM, genes scaled as our linear models do (rotation.py), 5 outer folds, in each 5 inner folds x the values of
C that our model searches, LogisticRegression and LinearSVC. The peer is measured on the first outer fold and multiplied. Compared are
its fits with the processor seconds of training in the 5 folds (rules train_logistic_l2, train_linear_svm), less those of the dummy, which
starts, reads and normalises as they do (a job of nothing takes 0.7 s).
Wanted: no rule beyond CONSTANT plus three float32 matrices, and no model slower than scikit-learn's.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy reads them once

import numpy as np
from sklearn import linear_model, svm

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from rna2model import models
from rna2model.cohort import splits
from rna2model.models.linear import rotation

REPOSITORY = Path(__file__).resolve().parents[2]
SHAPES = ["60x20000", "1000x20000", "5000x20000", "20000x200", "6700x90x32"]
CONSTANT = (
    350  # megabytes of Python with the libraries of a rule (scikit-learn, pandas, matplotlib), without data
)
MOST_MATRICES = 3
SEARCHED = ("logistic_l2", "linear_svm")
CONFIG = """samples: samples.tsv
counts: counts.tsv
design: {{target: condition}}
models: [{models}]
evaluation: {{permutations: 0}}
"""


def simulate(samples, genes, classes=2, seed=1):
    """(counts (n, g) int64, y (n,)): ten programmes that move many genes, and genes that each class moves."""
    rng = np.random.default_rng(seed)
    y = np.arange(samples) % classes
    level = rng.normal(5, 1.5, genes) + rng.normal(0, 0.3, (samples, genes))
    level += rng.normal(size=(samples, 10)) @ rng.normal(0, 0.2, (10, genes))
    moved = rng.random((classes, genes)) < max(0.02, min(1.0, 20 / genes))
    level += (moved * rng.normal(0, 0.7, (classes, genes)))[y]
    return rng.poisson(np.exp(level)), y


def write(folder, counts, y, chosen):
    """The project that a user would have."""
    names = [f"S{number:05d}" for number in range(len(y))]
    with open(folder / "counts.tsv", "w") as out:
        print("gene", *names, sep="\t", file=out)
        for number, row in enumerate(counts.T):
            print(f"ENSG{number:011d}", *row.tolist(), sep="\t", file=out)
    rows = [f"{name}\tclass{label:02d}" for name, label in zip(names, y, strict=True)]
    (folder / "samples.tsv").write_text("\n".join(["sample\tcondition", *rows]) + "\n")
    (folder / "config.yaml").write_text(CONFIG.format(models=", ".join(chosen)))


def run(folder, cores):
    """Wall seconds of the whole workflow."""
    start = time.monotonic()
    command = [
        sys.executable, "-m", "snakemake", "-s", REPOSITORY / "Snakefile", "--configfile", "config.yaml", "--cores", cores,
        "-d", folder,
    ]  # fmt: skip
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-4000:])
    return time.monotonic() - start


def measured(results):
    """{rule: [jobs, wall seconds, processor seconds, highest megabytes of a job]} of Snakemake's benchmarks."""
    totals = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for path in sorted((results / "benchmarks").glob("*/*.tsv")):
        with open(path) as lines:
            for line in csv.DictReader(lines, delimiter="\t"):
                seconds, memory = (_number(line[column]) for column in ("cpu_time", "max_rss"))
                one = totals[path.parent.name]
                one[:] = one[0] + 1, one[1] + float(line["s"]), one[2] + seconds, max(one[3], memory)
    return dict(totals)


def _number(cell):
    """0 where a job was over before Snakemake looked at it."""
    return float(cell) if cell.replace(".", "", 1).isdigit() else 0.0


def plain(name, counts, y):
    """Processor seconds of the script for one model: its first outer fold, times five."""
    X = np.log2(1e6 * (counts + 0.5) / counts.sum(axis=1, keepdims=True) + 1)
    outer = splits.inner(y.astype(str), None, 5, 2)
    start = time.process_time()
    train = outer[0][0]
    multiples = models.make(name).search["C_times_genes"]
    for rows, _ in [*splits.inner(y[train].astype(str), None, 5, 1), (np.arange(len(train)), None)]:
        Z, own = rotation.scaled(X[train][rows])[0], y[train][rows]
        for multiple in multiples if len(rows) < len(train) else multiples[:1]:
            C = multiple / X.shape[1]
            if name == "logistic_l2":
                linear_model.LogisticRegression(C=C, max_iter=5000).fit(Z, own)
            else:
                svm.LinearSVC(
                    C=C, class_weight="balanced", dual="auto", intercept_scaling=10, max_iter=50_000
                ).fit(Z, own)
    return 5 * (time.process_time() - start)


def compare(shape, chosen, cores):
    """Print what a shape costs; whether all limits are met."""
    counts, y = simulate(*map(int, shape.split("x")))
    matrix = counts.size * 4 / 2**20
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), counts, y, chosen)
        wall, rules = run(Path(folder), cores), measured(Path(folder) / "results")
    print(f"\n{shape}: {wall:.0f} s to the report on {cores} cores, float32 matrix {matrix:.0f} MB")
    print(f"{'rule':<28}{'jobs':>5}{'wall s':>9}{'cpu s':>9}{'peak MB':>9}{'matrices':>10}")
    met = True
    for rule, (jobs, seconds, processor, peak) in sorted(rules.items(), key=lambda item: -item[1][2]):
        beyond = max(0.0, peak - CONSTANT) / matrix
        met &= beyond <= MOST_MATRICES
        mark = "" if beyond <= MOST_MATRICES else "  NOT MET"
        print(f"{rule:<28}{jobs:>5}{seconds:>9.1f}{processor:>9.1f}{peak:>9.0f}{beyond:>10.1f}{mark}")
    for name in [name for name in SEARCHED if f"train_{name}" in rules]:
        jobs, _, processor, _ = rules[f"train_{name}"]
        whole, theirs = 5 * processor / jobs, plain(name, counts, y)
        others, _, spent, _ = rules["train_dummy"]
        ours = max(whole - 5 * spent / others, 0.0)
        met &= ours <= theirs
        verdict = "met" if ours <= theirs else "NOT MET"
        print(
            f"{name}: {whole:.1f} processor s, {ours:.1f} beyond dummy, scikit-learn {theirs:.1f},"
            f" ratio {ours / theirs:.2f}: {verdict}"
        )
    return met


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=SHAPES, help="SAMPLESxGENES[xCLASSES] ...; default: all")
    parser.add_argument("--models", nargs="+", default=["logistic_l2", "linear_svm"])
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    met = [compare(shape, options.models, options.cores) for shape in options.only]
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
