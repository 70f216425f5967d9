"""Include each sample of the sheet, or exclude it with its reason."""

import json
from pathlib import Path

from rna2model.core import job
from rna2model.qc import gate

job.start(snakemake)
inputs, params = snakemake.input, snakemake.params

rows, assigned = [], {}
for name, path in zip(params.used, inputs.facts, strict=True):
    facts = json.loads(Path(path).read_text())
    assigned[name] = facts["fates"]["assigned"]
    rows.append(gate.judge(name, facts, params.limits, params.metadata[name]))
rows += [gate.left_out(name, reason) for name, reason in params.excluded.items()]
gate.mixed_strands(rows)
gate.flag_small(rows, assigned)

order = {name: place for place, name in enumerate(params.metadata)}
rows.sort(key=lambda row: order[row["sample"]])
gate.write(rows, params.metadata, snakemake.output[0])
for row in rows:
    print(row["sample"], row["status"], row["reason"], row.get("flags", ""), sep="\t")
