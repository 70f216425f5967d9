"""Describe one library by its alignments: reads and reads mapped, layout, strandedness (or a check of the sheet's)."""

import json
from pathlib import Path

import pysam

from rna2model.core import job
from rna2model.qc import fragment_fates
from rna2model.reads import strandedness

job.start(snakemake)
inputs = snakemake.input

flagstat = json.loads(pysam.flagstat("-O", "json", str(inputs.bam)))
library = fragment_fates.of_flagstat(flagstat)
sense, antisense = strandedness.observe(inputs.bam, strandedness.clear_genes(inputs.genes))
facts = {
    **strandedness.decide(sense, antisense, stated=snakemake.params.stated),
    "layout": "paired" if library.paired else "single",
    "fragments": library.total,
    "flagstat": flagstat,
}
text = json.dumps(facts, indent=1) + "\n"  # a line for each fact, as guard.sh reads them
Path(snakemake.output[0]).write_text(text)
print(text)
