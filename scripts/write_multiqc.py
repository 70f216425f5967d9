"""Run MultiQC on exactly the files of this run, with our own sections first."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rna2model.core import job, tool_failure
from rna2model.core.errors import InputProblem
from rna2model.qc import fastqc_archive, multiqc

job.start(snakemake)
inputs, out = snakemake.input, snakemake.output

folder = Path(out.html).parent
listed = snakemake.params.files or inputs.files
if missing := [str(path) for path in listed if not Path(path).exists()]:
    raise InputProblem(
        f"{len(missing)} files of single samples were removed, {missing[0]} first; make them again by their names:"
        f" snakemake ... -- {' '.join(missing[:3])}{' ...' if len(missing) > 3 else ''}"
    )
failures = {path: tool_failure.of(path) for path in listed}
ours = {
    folder / name: text
    for name, text in multiqc.sections(
        inputs.samples, snakemake.params.samples, filter(None, failures.values())
    ).items()
}
for path, text in ours.items():
    path.write_text(text)
made = [path for path in listed if not failures[path]]
Path(out.files).write_text("\n".join(map(str, [*made, *ours])) + "\n")

command = ["multiqc", "--force", "--quiet", "--no-version-check", "--config", inputs.layout]
command += ["--outdir", folder, "--filename", Path(out.html).name]
with tempfile.TemporaryDirectory() as scratch:
    read = [*fastqc_archive.unpacked(made, Path(scratch, "fastqc")), *ours]
    files = Path(scratch, "files.txt")
    files.write_text("\n".join(map(str, read)) + "\n")
    command += ["--file-list", files]
    settings = {"HOME": scratch, "XDG_CONFIG_HOME": scratch}  # a config of the user could leave samples out
    sys.exit(subprocess.run(command, env=os.environ | settings).returncode)
