"""Make samples.tsv and config.yaml from a folder of FASTQ files: `make sheet FASTQ=folder OUT=folder`.
Or write a sheet with the names that a count matrix has: `make sheet FIX_NAMES=sheet COUNTS=matrix`.

Ends with 1 where files had to be left out that a person should look at, with 2 where nothing was written.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from rna2model.core.errors import InputProblem
from rna2model.inputs import fix_names, new_project


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", help="folder with the FASTQ files, in it or in folders below")
    parser.add_argument(
        "--out", help="where to write; default: the current folder, or with --fix-names the sheet's"
    )
    parser.add_argument(
        "--fix-names", metavar="SHEET", help="write it anew with the names of the matrix's columns"
    )
    parser.add_argument("--counts", help="with --fix-names: the matrix")
    options = parser.parse_args()
    out = os.path.expanduser(options.out) if options.out else None
    if options.fix_names:
        if not options.counts:
            raise InputProblem("which matrix has the names? make sheet FIX_NAMES=sheet COUNTS=matrix")
        sheet, counts = map(os.path.expanduser, (options.fix_names, options.counts))
        text, complete = fix_names.write(sheet, counts, out)
    elif not options.folder:
        raise InputProblem("which folder holds the FASTQ files? make sheet FASTQ=folder OUT=folder")
    else:
        text, complete = new_project.make(os.path.expanduser(options.folder), out or ".")
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
