"""Write device, driver and CUDA of a GPU job, as `software TAB version`."""

from pathlib import Path

from rna2model.core import gpu, job

job.start(snakemake)
lines = [f"{name}\t{value}\n" for name, value in gpu.facts().items()]
Path(snakemake.output[0]).write_text("".join(lines))
