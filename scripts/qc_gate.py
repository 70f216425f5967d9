"""Include each sample of the sheet, or exclude it with its reason."""

from rna2model import gate, job

job.start(snakemake)
given, params = snakemake.input, snakemake.params

rows = []
evidence = zip(
    params.used, params.paired, given.verdicts, given.flagstat, given.strandedness, given.counts, strict=True
)
for name, paired, verdict, flagstat, strand, counts in evidence:
    with open(counts) as file:
        assigned = [int(line.rsplit("\t", 1)[1]) for line in list(file)[1:]]
    facts = gate.read_evidence(verdict, flagstat, strand, assigned, paired)
    rows.append(gate.judge(name, facts, params.limits))
rows += [gate.left_out(name, reason) for name, reason in params.excluded.items()]
gate.mixed_strands(rows)

order = {name: place for place, name in enumerate(params.metadata)}
rows.sort(key=lambda row: order[row["sample"]])
gate.write(rows, params.metadata, snakemake.output[0])
for row in rows:
    print(row["sample"], row["status"], row["reason"], row.get("flags", ""), sep="\t")
