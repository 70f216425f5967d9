"""Keep one fragment of each molecule of one sample."""

import json
from pathlib import Path

from rna2model.core import job, scratch
from rna2model.reads import umi

job.start(snakemake)
inputs, out = snakemake.input, snakemake.output

library = json.loads(Path(inputs.library).read_text())
with scratch.folder(3 * Path(inputs.bam).stat().st_size, out.bam) as folder:
    kept = umi.deduplicate(
        inputs.bam, out.bam, library["layout"] == "paired", snakemake.params.separator, folder
    )
Path(out.kept).write_text(json.dumps({"reads_kept": kept}) + "\n")
print(f"{kept} fragments of different molecules")
