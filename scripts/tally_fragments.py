"""What became of every fragment of one sample, and what its quality is: all that the gate judges."""

import json
from pathlib import Path

from rna2model import failure, fragments, job, quality, sexcheck


def left_out(failed):
    """A sample that failed before, or fails here, still has its facts: the gate excludes it by them."""
    text = json.dumps(failure.facts(failed, snakemake.input.verdict), indent=1) + "\n"
    Path(snakemake.output[0]).write_text(text)


job.start(snakemake, spare=["body"], write=left_out)
given, params = snakemake.input, snakemake.params
has = set(given.keys())

verdict = json.loads(Path(given.verdict).read_text())
strand = json.loads(Path(given.strandedness).read_text())
genes, counts = quality.read_genes(given.genes), quality.read_counts(given.counts)
aligned = fragments.of_flagstat(given.flagstat) if "flagstat" in has else None

assigned = sum(counts.values())
counter = fragments.of_counter(params.counter, given.summary, strand["strandedness"])
trimmed = fragments.left(given.umi) if "umi" in has else None
if "trimming" in has:
    checked = trimmed if "umi" in has else 0 if verdict["problem"] else verdict["reads"]
    read, trimmed = fragments.of_trimming(params.trimmer, given.trimming)
    fragments.meet(snakemake.wildcards.sample, "left before trimming", checked, "read by it", read)
steps = {
    "trimming": trimmed,
    "rrna": fragments.left(given.rrna) // params.mates if "rrna" in has else None,
    "aligned": aligned,
    "deduplicated": fragments.of_flagstat(given.deduplicated) if "deduplicated" in has else None,
    "selects": params.selects,
}
if params.counter == "salmon":  # it counts what was aligned for the quality numbers only
    steps["aligned"] = None
if not verdict.get("whole_pairs", True):
    # of a given BAM file without some mates only the counter knows the fragments
    verdict["reads"] = sum(counter.values()) + assigned
    steps = dict.fromkeys(steps)
fates = fragments.ledger(snakemake.wildcards.sample, verdict, **steps, counter=counter, assigned=assigned)
to_align = verdict["reads"] - sum(fates[fate] for fate in ("faulty", "trimmed", "rrna"))
mapped = aligned.mapped_pct if aligned else fragments.percent(to_align - fates["unmapped"], to_align)
removed = fragments.percent(fates["rrna"], to_align + fates["rrna"]) if "rrna" in has else None
unseen = (
    failure.of(given.body) if "body" in has else None
)  # RSeQC failed: its number is missing, the counts are not
kinds = sexcheck.kinds([row["gene_id"] for row in genes], [row["gene_name"] for row in genes])

facts = {
    "reads": verdict["reads"],
    "problem": verdict["problem"],
    "mapped_pct": mapped,
    "assigned_pct": fragments.percent(fates["assigned"], to_align),
    "strandedness": strand["strandedness"],
    "sense_pct": strand["sense_pct"],
    "duplicate_pct": verdict.get("duplicate_pct"),
    "rrna_pct": quality.rrna_pct(genes, counts) if removed is None else removed,
    "three_prime_bias": quality.three_prime_bias(given.body) if "body" in has and not unseen else None,
    "inferred_sex": sexcheck.judge(kinds, counts),
    "flags": [text for text in (strand["flag"], verdict.get("note"), unseen and unseen.reason) if text],
    "fates": fates,
}
text = json.dumps(facts, indent=1) + "\n"
Path(snakemake.output[0]).write_text(text)
print(text)
