"""Memory and time of joining the count files of a large cohort: the library calls of rule build_cohort.

    python tests/bench/merge_counts.py [--samples 10000] [--genes 20000]

Prints the peak memory of the process; the limit is 2 GB for 10,000 files.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rna2model.core import gene_table

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def write_files(folder, samples, genes):
    """Count files of negative-binomial counts; fifty different ones, under as many names as there are samples."""
    import numpy as np

    rng = np.random.default_rng(1)
    names = [f"gene{number:06}" for number in range(genes)]
    for number in range(min(samples, 50)):
        counts = rng.negative_binomial(1, 0.005, genes)
        rows = "".join(f"{name}\t{count}\n" for name, count in zip(names, counts, strict=True))
        (folder / f"s{number}.tsv").write_text("gene_id\tcount\n" + rows)
    header = "gene_id\tgene_name\tbiotype\tchromosome\tstart\tend\tstrand\tlength\n"
    rows = "".join(f"{name}\t{name}\tprotein_coding\t1\t1\t1000\t+\t1000\n" for name in names)
    (folder / "genes.tsv").write_text(header + rows)


def merge(folder, samples):
    """What rule build_cohort does, in this process."""
    sys.path.insert(0, str(SCRIPTS))
    import h5py

    from rna2model.cohort import cohort

    genes = gene_table.as_frame(folder / "genes.tsv")
    files = {f"sample{number:05}": folder / f"s{number % 50}.tsv" for number in range(samples)}
    metadata = {name: {"condition": "a"} for name in files}
    start = time.monotonic()
    cohort.stream(files, genes, metadata, folder / "cohort.h5ad")
    middle = time.monotonic()
    with h5py.File(folder / "cohort.h5ad") as file:
        cohort.write_matrix(file["layers/counts"], list(files), list(genes.index), folder / "matrix.tsv.gz")
    end = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{samples} count files x {len(genes)} genes: cohort {middle - start:.0f} s, matrix {end - middle:.0f} s,"
        f" peak memory {peak:.2f} GB (limit 2)"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--genes", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.folder:
        return merge(options.folder, options.samples)
    with tempfile.TemporaryDirectory(prefix="rna2model-bench-") as folder:
        write_files(Path(folder), options.samples, options.genes)
        again = [sys.executable, __file__, "--samples", str(options.samples), "--folder", folder]
        sys.exit(subprocess.run(again).returncode)  # its own process, so that only the merging is measured


if __name__ == "__main__":
    main()
