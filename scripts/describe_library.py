"""Decide the strandedness of one sample from its alignments, or check what the sheet says; tell the counters."""

import json
from pathlib import Path

from rna2model import fragments, job, strandedness

job.start(snakemake)
given, out = snakemake.input, snakemake.output

genes = strandedness.clear_genes(given.genes)
sense, antisense = strandedness.observe(given.bam, genes)
evidence = strandedness.decide(sense, antisense, given=snakemake.params.given)
library = fragments.of_flagstat(given.flagstat)

Path(out.evidence).write_text(json.dumps(evidence) + "\n")
facts = {
    "strandedness": evidence["strandedness"],
    "layout": "paired" if library.paired else "single",
    "fragments": library.total,
}
Path(out.library).write_text("".join(f"{key}={value}\n" for key, value in facts.items()))
print(json.dumps(evidence, indent=1))
