"""Make samples.tsv and config.yaml from a folder of FASTQ files: `make sheet FASTQ=folder OUT=folder`.

Ends with 1 where files had to be left out that a person should look at, with 2 where nothing was written.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rna2model import newproject
from rna2model.errors import InputProblem


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="folder with the FASTQ files, in it or in folders below")
    parser.add_argument("--out", default=".", help="where to write both files; default: the current folder")
    options = parser.parse_args()
    if not options.folder:
        raise InputProblem("which folder holds the FASTQ files? make sheet FASTQ=folder OUT=folder")
    text, complete = newproject.make(os.path.expanduser(options.folder), os.path.expanduser(options.out))
    print(text)
    return 0 if complete else 1


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` is no error
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # names of files that the terminal cannot show
    try:
        sys.exit(main())
    except InputProblem as problem:
        print(f"sheet: {problem}", file=sys.stderr)
        sys.exit(2)
