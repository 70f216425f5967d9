"""Make samples.tsv and config.yaml from a folder of FASTQ files: `make sheet FASTQ=folder OUT=folder`.

Ends with 1 where files had to be left out that a person should look at, with 2 where nothing was written.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rna2model import newproject  # noqa: E402  (found only after the line above)
from rna2model.errors import InputProblem  # noqa: E402


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="folder with the FASTQ files, in it or in folders below")
    parser.add_argument("--out", default=".", help="where to write both files; default: the current folder")
    options = parser.parse_args()
    text, complete = newproject.make(options.folder, options.out)
    print(text)
    return 0 if complete else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputProblem as problem:
        print(f"sheet: {problem}", file=sys.stderr)
        sys.exit(2)
