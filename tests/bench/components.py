"""Components of the out-of-distribution score by random projections against the exact ones, on one core, in the same run.

    python tests/bench/components.py [--samples 3000] [--genes 20000]

Prints processor seconds of both, their ratio (<= 1/2), and how far the standard deviations of the scores are apart (<= 1 %).
"""

import argparse
import os
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from rna2model.serving import out_of_distribution  # noqa: E402


def main():
    """Exit with 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--genes", type=int, default=20000)
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    programmes = rng.normal(0, 0.5, (20, options.genes)) * np.linspace(1, 0.3, 20)[:, None]
    X = rng.normal(0, 1, (options.samples, options.genes))
    X += rng.normal(0, 1, (options.samples, 20)) @ programmes
    seconds, spread = {}, {}
    for name, largest in (("exact", max(X.shape)), ("random", 0)):
        out_of_distribution.LARGEST_EXACT = largest
        begun = time.process_time()
        spread[name] = out_of_distribution._components(X)[2]
        seconds[name] = time.process_time() - begun
    apart = np.abs(spread["random"] / spread["exact"] - 1).max()
    ratio = seconds["random"] / seconds["exact"]
    print(
        f"{options.samples} x {options.genes}: exact {seconds['exact']:.1f} s, random {seconds['random']:.1f} s,"
        f" ratio {ratio:.2f}, apart {100 * apart:.3f} %"
    )
    return int(ratio > 1 / 2 or apart > 0.01)


if __name__ == "__main__":
    sys.exit(main())
