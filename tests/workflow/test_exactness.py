"""Alignments against the places the reads were drawn from, counters against each other, runs against their repetition."""

import os
import signal
import subprocess
import time
from collections import defaultdict
from itertools import pairwise

import pandas as pd
import pysam
import pytest
import yaml

from rna2model.simulate import demo
from tests.command import LOCAL, REPOSITORY, command
from tests.conftest import snakemake
from tests.workflow.conftest import Run

KINDS = ["reverse", "forward", "unstranded"]  # libraries of the three kinds, named by what they are
PAIRS = 6000


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """One library of each strandedness on one genome, with the true place of each read; and a way to run them."""
    folder = tmp_path_factory.mktemp("exact")
    definition = demo.read_definition(REPOSITORY / "resources/demo/demo.yaml")
    definition["cohort"] |= {"donors": {"control": 1, "treated": 1}, "batches": {"b1": 1.0}}
    definition["cohort"] |= {"two_lanes": [], "faulty": {}, "new": []}
    for kind in KINDS:
        definition["reads"] |= {"strandedness": kind, "pairs": PAIRS, "write_bed": "d01_b1"}
        demo.make(definition, folder / kind)
    files = {mate: f"reads/d01_b1_R{mate}.fastq.gz" for mate in (1, 2)}
    rows = [
        {"sample": kind, "fastq_1": f"{kind}/{files[1]}", "fastq_2": f"{kind}/{files[2]}", "condition": kind}
        for kind in KINDS
    ]
    settings = {
        "samples": "samples.tsv",
        "reference": {"fasta": "reverse/genome.fa", "gtf": "reverse/annotation.gtf"},
        "qc": {"min_reads": 100, "rseqc_fragments": 0},
        "evaluation": {"folds": 2},
    }

    def prepare(results="results", strandedness=None, **changes):
        table = pd.DataFrame(rows)
        table["strandedness"] = [(strandedness or {}).get(kind, "auto") for kind in KINDS]
        table.to_csv(folder / "samples.tsv", sep="\t", index=False)
        (folder / "config.yaml").write_text(yaml.safe_dump(settings | {"results": results} | changes))
        return [f"{results}/samples.tsv", f"{results}/counts/matrix.tsv.gz"]

    def run(*options, **changes):
        targets = prepare(**changes)
        snakemake(folder, *options, *LOCAL, *targets, check=True)
        return Run(folder, folder / changes.get("results", "results"))

    run.folder, run.prepare = folder, prepare
    return run


@pytest.fixture(scope="module")
def star(three):
    return three()


@pytest.fixture(scope="module")
def hisat2(three):
    return three(results="hisat2", alignment={"tool": "hisat2"})


def true_places(path):
    """{(read name, mate): (chromosome, blocks)} of a truth BED."""
    places = {}
    for line in path.read_text().splitlines():
        cells = line.split("\t")
        sizes, starts = ([int(x) for x in cells[column].rstrip(",").split(",")] for column in (10, 11))
        start = int(cells[1])
        blocks = [(start + first, start + first + size) for first, size in zip(starts, sizes, strict=True)]
        name, mate = cells[3].rsplit("/", 1)
        places[name, int(mate)] = cells[0], blocks
    return places


def introns(blocks):
    return [(one[1], two[0]) for one, two in pairwise(blocks)]


def compare(bam, truth):
    """Shares of uniquely aligned reads: at their place, and, of the spliced ones, with exactly their introns."""
    seen = defaultdict(int)
    with pysam.AlignmentFile(str(bam)) as file:
        for read in file:
            key = read.query_name, 2 if read.is_read2 else 1
            chromosome, blocks = truth[key]
            seen["reads"] += 1
            if read.is_unmapped or read.get_tag("NH") > 1:
                continue
            # bases that trimming or clipping took from an end move it; they do not move the read
            aligned = [block for block in read.get_blocks() if block[0] < block[1]]
            here = (
                read.reference_name == chromosome
                and aligned[0][0] < blocks[-1][1]
                and aligned[-1][1] > blocks[0][0]
            )
            gaps = [gap for gap in introns(aligned) if gap[1] - gap[0] >= 20]
            seen["unique"] += 1
            seen["placed"] += here and abs(read.reference_start - blocks[0][0]) <= 5
            if len(blocks) > 1 and min(end - start for start, end in (blocks[0], blocks[-1])) >= 10:
                seen["spliced"] += 1
                seen["introns"] += here and gaps == introns(blocks)
    return seen


@pytest.mark.parametrize("aligner", ["star", "hisat2"])
@pytest.mark.parametrize("kind", KINDS)
def test_reads_are_aligned_to_the_places_they_were_drawn_from(aligner, kind, three, request):
    run = request.getfixturevalue(aligner)
    placements = compare(
        run.results / f"aligned/{aligner}/{kind}.bam", true_places(three.folder / kind / "truth/d01_b1.bed")
    )
    assert placements["unique"] >= 0.97 * placements["reads"]
    assert placements["placed"] >= 0.995 * placements["unique"]
    assert placements["spliced"] > 500 and placements["introns"] >= 0.99 * placements["spliced"]


@pytest.mark.parametrize("aligner", ["star", "hisat2"])
def test_each_kind_of_library_is_recognised_and_the_mixture_flagged(aligner, request):
    status = request.getfixturevalue(aligner).table("samples.tsv").set_index("sample")
    assert list(status["strandedness"]) == list(status.index) == KINDS
    assert status["flags"].str.contains("in a cohort that is mostly").sum() == 2


def test_a_given_strandedness_that_the_reads_contradict_is_used_and_flagged(three, star):
    run = three(strandedness={"reverse": "forward"})
    status = run.table("samples.tsv").set_index("sample")
    assert "given as forward, but the reads look reverse" in status.loc["reverse", "flags"]
    assert float(status.loc["reverse", "assigned_pct"]) < 10
    assert status.loc["reverse", "status"] == "excluded"


def overlapping(genes):
    """Genes that share a base with another gene, on whichever strand."""
    overlap = set()
    for _, group in genes.groupby("chromosome"):
        group = group.sort_values("start")
        reach, owner = 0, None
        for gene, row in group.iterrows():
            if row["start"] <= reach:
                overlap |= {gene, owner}
            if row["end"] > reach:
                reach, owner = row["end"], gene
    return overlap


def test_featurecounts_and_htseq_agree_and_differ_only_where_genes_overlap(three):
    """A pair of which one mate lies in two genes and the other in one: featureCounts takes the gene that both
    touch, HTSeq's union calls it ambiguous. Elsewhere their semantics coincide."""
    first = three(quantification={"tool": "featurecounts"})
    one, ambiguous = first.matrix(), first.table("samples.tsv").set_index("sample")["ambiguous"].astype(int)
    second = three(quantification={"tool": "htseq"})
    other = second.matrix().loc[one.index, one.columns]
    genes = pd.read_csv(three.folder / "results/reference/genes.tsv", sep="\t", index_col="gene_id")
    shared = overlapping(genes)
    assert (one == other).drop(index=list(shared)).to_numpy().all()
    assert (one >= other).to_numpy().all()
    more = second.table("samples.tsv").set_index("sample")["ambiguous"].astype(int) - ambiguous
    assert ((one - other).sum() == more[one.columns]).all() and 10 < len(shared) < 60


def test_star_counts_as_htseq_does(three):
    star = three(results="star_counts", quantification={"tool": "star"}).matrix()
    htseq = three(quantification={"tool": "htseq"}).matrix()
    assert (star == htseq.loc[star.index, star.columns]).to_numpy().mean() >= 0.995  # both: union


def test_counts_are_the_same_bytes_for_any_number_of_threads_and_after_a_kill(three):
    """SIGKILL of the workflow and all its jobs, then the command again."""
    first = three(results="one")
    threads = ["--set-threads", "align_star=2", "count_featurecounts=2", "fastqc=2", "trim_fastp=2"]
    second = three(*threads, results="two")
    targets = three.prepare(results="three")
    whole = command(three.folder, *LOCAL, *targets)
    started = subprocess.Popen(whole, start_new_session=True, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while not list((three.folder / "three/aligned").glob("*/*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
    assert not (three.folder / targets[0]).exists()
    snakemake(three.folder, "--unlock", check=True)
    third = three(results="three")
    for run in (second, third):
        for name in ("samples.tsv", "counts/matrix.tsv.gz", *(f"counts/{kind}.tsv" for kind in KINDS)):
            assert (run.results / name).read_bytes() == (first.results / name).read_bytes(), name
