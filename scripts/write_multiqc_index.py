"""Write the page that links to the MultiQC pages of a large cohort."""

from pathlib import Path

from rna2model.core import job
from rna2model.qc import multiqc

job.start(snakemake)

page = multiqc.index(snakemake.input.samples, snakemake.params.parts)
Path(snakemake.output[0]).write_text(page, encoding="utf-8")
