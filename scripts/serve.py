"""Predict the samples of a sheet with a bundle, and nothing else: `make predict BUNDLE=path SAMPLES=sheet`.

Counting settings and reference are those of the bundle. The results are beside the sheet: predictions.tsv, samples.tsv.
"""

import argparse
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))

from rna2model import serverun  # noqa: E402  (found only after the line above)
from rna2model.errors import InputProblem  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", required=True, help="folder of the bundle")
    parser.add_argument("--samples", help="sample sheet; with --counts it may be left out")
    parser.add_argument("--counts", help="genes x samples matrix instead of reads")
    parser.add_argument("--results", help="output folder; default: `results` beside the sheet")
    parser.add_argument(
        "--reference",
        help="where the genome and annotation of the bundle are: a config that names them, or a folder with both",
    )
    parser.add_argument("snakemake", nargs="*", help="after --: further options of Snakemake")
    options = parser.parse_args()
    folder, config = serverun.prepare(
        options.bundle, options.samples, options.counts, options.results, options.reference, tell=print
    )
    command = [sys.executable, "-m", "snakemake", "predictions", "-s", REPOSITORY / "Snakefile", "-d", folder]
    command += ["--configfile", config, *options.snakemake]
    done = subprocess.run([str(part) for part in command])
    if done.returncode == 0:
        for note in serverun.ignored_columns(config.parent) if options.samples and options.counts else ():
            print(f"{options.counts}: {note}")
        print(f"\npredictions  {config.parent / 'predictions.tsv'}")
        print(f"samples      {config.parent / 'samples.tsv'} (who was excluded, and why)")
    return done.returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputProblem as problem:
        sys.exit(f"predict: {problem}")
