"""Collect the fates of all fragments of one sample and its quality metrics, by which the QC gate judges it."""

import json
from pathlib import Path

from rna2model.core import gene_table, job, tool_failure
from rna2model.qc import causes, fragment_fates, gate, sample_metrics, sex


def left_out(failed):
    """Write the facts of a sample that failed in an earlier job or here, by which the QC gate excludes it."""
    text = json.dumps(gate.of_failure(failed, snakemake.input.verdict), indent=1) + "\n"
    Path(snakemake.output[0]).write_text(text)


job.start(snakemake, spare=["rseqc"], write=left_out)
inputs, params = snakemake.input, snakemake.params
has = set(inputs.keys())

verdict = json.loads(Path(inputs.verdict).read_text())
library = json.loads(Path(inputs.library).read_text())
reference = json.loads(Path(inputs.reference).read_text())
genes, counts = gene_table.read(inputs.genes), gene_table.read_counts(inputs.counts)
aligned = fragment_fates.of_flagstat(library["flagstat"]) if "flagstat" in library else None
if aligned and "mapped" in verdict:  # the input check has counted every fragment of the user's alignments
    aligned = fragment_fates.Alignments(
        verdict["reads"], verdict["mapped"], aligned.mapped_pct, aligned.paired
    )

assigned = sum(counts.values())
counter, counted = fragment_fates.of_counter(params.counter, inputs.summary, library["strandedness"])
fates, gaps = fragment_fates.ledger(
    verdict,
    umi=fragment_fates.left(inputs.umi) if "umi" in has else None,
    trimming=fragment_fates.of_trimming(params.trimmer, inputs.trimming) if "trimming" in has else None,
    rrna=fragment_fates.left(inputs.rrna) // params.mates if "rrna" in has else None,
    # Salmon counts reads; the alignments are for quality metrics only
    aligned=None if params.counter == "salmon" else aligned,
    deduplicated=fragment_fates.left(inputs.deduplicated) if "deduplicated" in has else None,
    counter=counter,
    assigned=assigned,
    selects=params.selects,
)
problem = verdict["problem"]
if problem is None and counted not in (None, assigned):
    problem = fragment_fates.altered(inputs.counts, assigned, counted)
if problem is None and fragment_fates.open_share(gaps, verdict["reads"]) > fragment_fates.MOST_UNACCOUNTED:
    problem = fragment_fates.unaccounted(gaps, inputs.verdict, verdict.get("files", {}))

to_align = verdict["reads"] - sum(fates[fate] for fate in ("faulty", "trimmed", "rrna"))
mapped = aligned.mapped_pct if aligned else fragment_fates.percent(to_align - fates["unmapped"], to_align)
removed = fragment_fates.percent(fates["rrna"], to_align + fates["rrna"]) if "rrna" in has else None
unseen = (
    tool_failure.of(inputs.rseqc) if "rseqc" in has else None
)  # RSeQC failed, which does not affect the counts
kinds = sex.kinds([row["gene_id"] for row in genes], [row["gene_name"] for row in genes])

facts = {
    "reads": verdict["reads"],
    "problem": problem,
    "mapped_pct": mapped,
    "assigned_pct": fragment_fates.percent(fates["assigned"], to_align),
    "strandedness": library["strandedness"],
    "sense_pct": library["sense_pct"],
    "duplicate_pct": verdict.get("duplicate_pct"),
    "rrna_pct": sample_metrics.rrna_pct(genes, counts) if removed is None else removed,
    "three_prime_bias": sample_metrics.three_prime_bias(inputs.rseqc)
    if "rseqc" in has and not unseen
    else None,
    "inferred_sex": sex.judge(kinds, counts),
    **{column: verdict.get(column, 0) for column in fragment_fates.TAKEN_OVER},
    "flags": [
        text
        for text in (library["flag"], verdict.get("note"), unseen and unseen.reason, *map(str, gaps))
        if text
    ],
    "causes": causes.of_loss(fates, verdict.get("longest"), params.min_length, reference),
    "fates": fates,
}
text = json.dumps(facts, indent=1) + "\n"
Path(snakemake.output[0]).write_text(text)
print(text)
