"""Run MultiQC on exactly the files of this run, with the sample status as its first section."""

import csv
import subprocess
import sys
from pathlib import Path

from rna2model import job

job.start(snakemake)
given, out, params = snakemake.input, snakemake.output, snakemake.params

columns = params.columns.split(",")
with open(given.samples, newline="") as file:
    rows = [[row[column] for column in columns] for row in csv.DictReader(file, delimiter="\t")]
header = """# id: sample_status
# section_name: Sample status
# description: says which samples entered the cohort, and why the others did not
# plot_type: table
"""
lines = ["\t".join(cells) for cells in [columns, *rows]]
Path(out.status).write_text(header + "\n".join(lines) + "\n")
Path(out.files).write_text("\n".join([*given.files, out.status]) + "\n")

command = ["multiqc", "--force", "--quiet", "--no-version-check", "--config", given.layout]
command += ["--file-list", out.files, "--outdir", params.folder, "--filename", Path(out.html).name]
sys.exit(subprocess.run(command).returncode)
