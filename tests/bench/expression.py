"""Normalization and batch correction against R on the same simulated cohort, one core each, in the same run.

    python tests/bench/expression.py [--samples 10000] [--combat-samples 2000] [--genes 20000] [--batches 20]

    tmm      TMM and log2 CPM of counts: fit_transform against edgeR's calcNormFactors and cpm(log=TRUE); <= 1/5 of its time
    combat   fit and transform against sva's ComBat; <= 1/3 of its time
    one      align, normalise and correct one new sample with the fitted artefacts; < 50 ms

Times are seconds of work on one core (user and system), which a busy machine changes less than those of the clock, without
reading and writing files. Peak memory is that of the whole process, Python and input included, against
the matrix in float32 (<= 3): counts come as int32 and log2 CPM go out as float32 (arithmetic is in float64, and R's numbers
are met to 1e-6); ComBat has float32 on both sides.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
SHOWN = 50  # samples whose numbers are compared with R's
LIMITS = {"tmm": 1 / 5, "combat": 1 / 3}
FILES = {"tmm": np.int32, "combat": np.float32}


def simulate(folder, options):
    """Raw files, a sample after the other: counts.tmm (int32) and log2 expression.combat (float32) with batch effects."""
    rng = np.random.default_rng(1)
    means, shifts = rng.lognormal(4, 1.8, options.genes), rng.normal(0, 0.5, (options.batches, options.genes))
    with open(folder / "tmm", "wb") as file:
        for _ in range(options.samples):
            rate = means * rng.gamma(5, 1 / 5, options.genes) * rng.lognormal(0, 0.3)
            file.write(rng.poisson(rate).astype(np.int32).tobytes())
    with open(folder / "combat", "wb") as file:
        for number in range(options.combat_samples):
            values = np.log2(means + 1) + shifts[number % options.batches] + rng.normal(0, 1, options.genes)
            file.write(values.astype(np.float32).tobytes())


def ours(what, options):
    """Run one of the two in this process and print seconds by the clock, seconds of work, and peak gigabytes."""
    from rna2model.expression.batch import registry
    from rna2model.expression.normalization import methods

    values = np.fromfile(options.folder / what, FILES[what]).reshape(-1, options.genes)
    names = [f"gene{number}" for number in range(options.genes)]
    batches = np.arange(len(values)) % options.batches
    start, begun = time.perf_counter(), time.process_time()
    if what == "tmm":
        model = methods.make("tmm", names, gene_filter="none")
        out = model.fit_transform(values, dtype=np.float32)
    else:
        model = registry.make("combat").fit(values, batches)
        out = model.transform(values, batches)
    seconds, worked = time.perf_counter() - start, time.process_time() - begun
    out[:SHOWN].tofile(options.folder / f"{what}.ours")
    model.save(options.folder / f"{what}.safetensors")
    print(seconds, worked, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)


def one_sample(options):
    """(median, least) milliseconds from the counts of one new sample, its genes in another order, to corrected expression."""
    from rna2model.expression.batch import registry
    from rna2model.expression.normalization import methods

    normalizer = methods.load(options.folder / "tmm.safetensors")
    correction = registry.load(options.folder / "combat.safetensors")
    counts = np.fromfile(options.folder / "tmm", np.int32, options.genes)[None, ::-1]
    names = normalizer.gene_ids[::-1]
    taken = []
    for _ in range(21):
        start = time.perf_counter()
        aligned, _missing = normalizer.align(counts, names)
        correction.transform(normalizer.transform(aligned), ["3"])
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken), min(taken)


def measured(command):
    """(seconds by the clock, seconds of work, gigabytes) that a command prints, on one core."""
    alone = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    run = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, env=os.environ | alone
    )
    if run.returncode:
        sys.exit(f"failed: {command[:4]}\n{(run.stdout + run.stderr)[-2000:]}")
    return [float(word) for word in run.stdout.split()[-3:]]


def compare(what, samples, given):
    """Print one line: times, their ratio, memory, and the largest difference from R."""
    options = ["--genes", given.genes, "--batches", given.batches, "--folder", given.folder]
    clock, seconds, memory = measured([sys.executable, __file__, "--only", what, *options])
    script, theirs = HERE / "expression.R", given.folder / f"{what}.theirs"
    their_clock, baseline, needed = measured(
        ["Rscript", script, what, given.folder / what, samples, given.genes, given.batches, theirs]
    )
    one, two = np.fromfile(given.folder / f"{what}.ours", np.float32), np.fromfile(theirs)
    away = np.max(np.abs(one - two) / np.maximum(np.abs(two), 1))
    matrix = 4 * samples * given.genes / 1e9
    print(
        f"{what}, {samples} x {given.genes}: {seconds:.1f} s, R {baseline:.1f} s, ratio {seconds / baseline:.3f}"
        f" (limit {LIMITS[what]:.3f}; by the clock {clock:.1f} and {their_clock:.1f} s); peak {memory:.2f} GB, R {needed:.2f} GB, {memory / matrix:.2f} of the float32"
        f" matrix (limit 3); largest relative difference {away:.1e}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--combat-samples", type=int, default=2_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--only", choices=FILES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        return ours(options.only, options)
    with tempfile.TemporaryDirectory(prefix="rna2model-bench-") as folder:
        options.folder = Path(folder)
        simulate(options.folder, options)
        compare("tmm", options.samples, options)
        compare("combat", options.combat_samples, options)
        print("one new sample: median {:.1f} ms, least {:.1f} ms (limit 50)".format(*one_sample(options)))
    load = os.getloadavg()[0]
    print(f"load of the machine: {load:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
