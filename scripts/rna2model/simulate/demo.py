"""A demo cohort with known truth: genome, reads, sample sheet, config, and the answers.

Everything follows from a definition (resources/demo/demo.yaml says what each key means); the same
definition gives the same bytes. Each gene of each sample gets a negative-binomial number of fragments
around

    library size x share of (baseline x condition x batch x donor effect)

and these numbers, before sequencing and alignment, are the truth in `truth/counts.tsv`.
"""

from __future__ import annotations

import filecmp
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from rna2model.core.errors import InputProblem
from rna2model.simulate import expression, reads
from rna2model.simulate import genome as simulate_genome
from rna2model.simulate.genome import stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

FAULTS = ("too_few", "wrong_organism", "truncated")
TSV = {"sep": "\t", "index": False, "lineterminator": "\n"}  # how every table is written


@dataclass(frozen=True)
class Sample:
    """One library. `labelled`: the sheet gives its condition; `fault`: what is wrong with it, if anything."""

    name: str
    condition: str
    batch: str
    donor: str
    labelled: bool = True
    lanes: int = 1
    fault: str | None = None


def read_definition(path: str | Path) -> dict[str, Any]:
    """The definition as a dict; a caller may change values before `make`."""
    return yaml.safe_load(Path(path).read_text())


def make(definition: dict[str, Any], out: str | Path) -> list[Sample]:
    """Write the whole demo to the folder `out` and return the samples; identical files keep their modification times."""
    out = Path(out).resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".demo", dir=out) as folder:
        samples = write(definition, Path(folder), out)
        for new in sorted(filter(Path.is_file, Path(folder).rglob("*"))):
            old = out / new.relative_to(folder)
            old.parent.mkdir(exist_ok=True)
            if not (old.is_file() and filecmp.cmp(old, new, shallow=False)):
                new.replace(old)
    return samples


def write(definition: dict[str, Any], folder: Path, out: Path) -> list[Sample]:
    """Write the demo that will lie in `out` to the empty `folder`; returns the samples."""
    for below in (folder / "reads", folder / "truth"):
        below.mkdir()
    seed = definition["seed"]
    genome = simulate_genome.build(definition, seed)
    samples = cohort(definition["cohort"])
    effects = expression.draw_effects(definition, genome.genes, seed)
    counts = expression.draw_cohort_counts(definition, effects, samples, seed)
    simulate_genome.write_fasta(genome.chromosomes, folder / "genome.fa")
    simulate_genome.write_gtf(genome.genes, folder / "annotation.gtf")
    write_reads(definition, genome, samples, counts, folder, seed)
    sheet(samples, definition["reads"]["paired"]).to_csv(folder / "samples.tsv", **TSV)
    (folder / "config.yaml").write_text(config_text(definition["config"], out))
    write_gene_sets(genome.genes, effects, folder / "gene_sets.gmt", seed)
    write_truth(definition, genome, samples, effects, counts, folder / "truth")
    return samples


def cohort(settings: dict[str, Any]) -> list[Sample]:
    """All samples: each donor once in every batch, then the faulty ones, then the new ones."""
    lanes = settings["two_lanes"]
    samples, donor = [], 0
    for condition, donors in settings["donors"].items():
        for _ in range(donors):
            donor += 1
            for batch in settings["batches"]:
                name = f"d{donor:02d}_{batch}"
                sample = Sample(name, condition, batch, f"d{donor:02d}", lanes=2 if name in lanes else 1)
                samples.append(sample)
    extra = [(row, fault) for fault, row in settings["faulty"].items()]
    extra += [(row, None) for row in settings["new"]]
    for number, (row, fault) in enumerate(extra, donor + 1):
        name, place = row.get("sample", fault), (row["condition"], row["batch"], f"d{number:02d}")
        samples.append(Sample(name, *place, labelled=fault is not None, fault=fault))
    unknown = set(settings["faulty"]) - set(FAULTS)
    if unknown:
        raise InputProblem(f"cohort.faulty: {', '.join(sorted(unknown))} is not one of {', '.join(FAULTS)}.")
    return samples


def write_reads(
    definition: dict[str, Any],
    genome: simulate_genome.Genome,
    samples: Sequence[Sample],
    counts: NDArray[np.int64],
    out: Path,
    seed: int,
) -> None:
    """The FASTQ files of all samples, and the true places of the reads of `reads.write_bed`, if set."""
    molecules = reads.molecules_of(genome)
    unrelated = reads.foreign(molecules, stream(seed, "foreign"))
    for sample, column in zip(samples, counts.T, strict=True):
        source = unrelated if sample.fault == "wrong_organism" else molecules
        lines = write_sample(
            source, column, sample, definition["reads"], out, stream(seed, "reads", sample.name)
        )
        if sample.name == definition["reads"]["write_bed"]:
            (out / "truth" / f"{sample.name}.bed").write_text("".join(f"{line}\n" for line in lines))


def write_sample(
    molecules: reads.Molecules,
    counts: NDArray[np.int64],
    sample: Sample,
    settings: dict[str, Any],
    out: Path,
    rng: np.random.Generator,
) -> Iterator[str]:
    """The FASTQ files of one sample; returns its reads' true places as BED12 lines, lazily."""
    fragments = reads.draw_fragments(molecules, counts, settings, rng)
    flowcell, lines = f"DEMO{sample.batch.upper()}XX", []
    for lane, part in enumerate(reads.split(fragments, sample.lanes), 1):
        names, texts = reads.sequence_lane(molecules, part, settings, flowcell, lane, rng)
        for mate, text in texts.items():
            packed = reads.gzipped(text, settings["gzip_level"])
            if sample.fault == "truncated" and mate == 1:
                packed = packed[: len(packed) // 2]  # as after a broken transfer
            (out / fastq_name(sample, lane, mate)).write_bytes(packed)
        lines.append(reads.bed_lines(molecules, part, names, settings))
    return (line for part in lines for line in part)


def fastq_name(sample: Sample, lane: int, mate: int) -> str:
    """Path relative to the sheet; the lane is in the name only where a sample has several."""
    lane_tag = f"_L{lane:03d}" if sample.lanes > 1 else ""
    return f"reads/{sample.name}{lane_tag}_R{mate}.fastq.gz"


def sheet(samples: Sequence[Sample], paired: bool) -> pd.DataFrame:
    """The sample sheet: one row per sample and lane; a new sample's condition is empty."""
    rows = [
        {
            "sample": sample.name,
            "fastq_1": fastq_name(sample, lane, 1),
            "fastq_2": fastq_name(sample, lane, 2) if paired else "",
            "strandedness": "auto",
            "condition": sample.condition if sample.labelled else "",
            "batch": sample.batch,
            "donor": sample.donor,
        }
        for sample in samples
        for lane in range(1, sample.lanes + 1)
    ]
    return pd.DataFrame(rows)


def config_text(settings: dict[str, Any], out: Path) -> str:
    """config.yaml of a demo in `out`: the definition's settings under absolute paths, so it works from any folder."""
    paths = {
        "samples": str(out / "samples.tsv"),
        "results": str(out / "results"),
        "reference": {"fasta": str(out / "genome.fa"), "gtf": str(out / "annotation.gtf")},
    }
    sets = {"expression": settings.get("expression", {}) | {"gene_sets": str(out / "gene_sets.gmt")}}
    return "".join(f"{key}: {_inline(value)}\n" for key, value in (paths | settings | sets).items())


def write_gene_sets(
    genes: Sequence[simulate_genome.Gene],
    effects: expression.Effects,
    path: Path,
    seed: int,
    size: int = 8,
    others: int = 6,
) -> None:
    """A GMT file: sets that rise and fall with the second condition, by symbol, and sets of genes that do not."""
    symbols, rng = np.array([gene.name for gene in genes]), stream(seed, "gene sets")
    sets = {"RISES": symbols[effects.log2fc > 0], "FALLS": symbols[effects.log2fc < 0]}
    still = symbols[effects.log2fc == 0]
    sets |= {f"UNCHANGED_{n + 1}": rng.choice(still, min(size, len(still)), False) for n in range(others)}
    lines = [
        "\t".join([name, "simulated", *sorted(members)]) for name, members in sets.items() if len(members)
    ]
    path.write_text("".join(f"{line}\n" for line in lines))


def _inline(value):
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
        .removesuffix("...\n")
        .strip()
    )


def write_truth(
    definition: dict[str, Any],
    genome: simulate_genome.Genome,
    samples: Sequence[Sample],
    effects: expression.Effects,
    counts: NDArray[np.int64],
    folder: Path,
) -> None:
    """Write the truth tables; reads of a foreign organism belong to no gene."""
    names, ids = [sample.name for sample in samples], [gene.id for gene in genome.genes]
    ours = counts * [sample.fault != "wrong_organism" for sample in samples]
    table = pd.DataFrame(ours, columns=names)
    table.insert(0, "gene_id", ids)
    table.to_csv(folder / "counts.tsv", **TSV)
    genes = pd.DataFrame({"gene_id": ids, "log2fc": effects.log2fc.round(4), "is_de": effects.log2fc != 0})
    genes.to_csv(folder / "de_genes.tsv", **TSV)
    labels = pd.DataFrame({"sample": names, "condition": [sample.condition for sample in samples]})
    labels.to_csv(folder / "labels.tsv", **TSV)
    reasons = [definition["cohort"]["faulty"][s.fault]["reason"] if s.fault else "" for s in samples]
    status = ["excluded" if sample.fault else "included" for sample in samples]
    expected = pd.DataFrame({"sample": names, "status": status, "reason": reasons})
    expected.to_csv(folder / "expected_status.tsv", **TSV)
