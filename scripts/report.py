"""Write the report of the whole run."""

from pathlib import Path

from rna2model.core import job
from rna2model.report import page as report

job.start(snakemake)

results = Path(snakemake.output[0]).parent
page = report.render(results, snakemake.params.config, snakemake.params.config["models"])
Path(snakemake.output[0]).write_text(page, encoding="utf-8")
