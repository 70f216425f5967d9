"""Genes that tools do not take as they are written: each counter finds all of their fragments.

Across the origin of a circular chromosome, without strand, trans-spliced, with names of transcripts that are there twice
or hold what ends a name. The truth is what the reads were drawn from: stranded, each within one exon.
"""

import gzip
import random

import pandas as pd
import pytest
import yaml

from rna2model.reference import star_index
from tests.command import LOCAL
from tests.conftest import snakemake

SIZES = {"chr|1": 30_000, "plasmid": 9_000, "chr2": 12_000}
READS, LENGTH = 40, 60
# gene: (names of its transcript in the file, [(sequence, strand, start, end) of its exons])
GENES = {
    "ahead": ("ahead.t", [("plasmid", "+", 8_701, 9_300)]),
    "negative": ("negative.t", [("plasmid", "-", -299, 250)]),
    "none": ("none.t", [("chr|1", ".", 1_000, 1_800)]),
    "none_spliced": ("none_spliced.t", [("chr|1", "?", 3_000, 3_400), ("chr|1", "?", 3_700, 4_100)]),
    "both_strands": ("T9", [("chr|1", "+", 6_000, 6_500), ("chr|1", "-", 8_000, 8_400)]),
    "two_chromosomes": ("T10", [("chr|1", "+", 10_000, 10_300), ("chr2", "+", 500, 900)]),
    "spaced": ("a b;c%22d", [("chr2", "-", 2_000, 2_600)]),
    "spaced_too": ("a b;c'd", [("chr2", "+", 3_000, 3_600)]),
    "comma": ("x%2Cy", [("chr2", "+", 5_000, 5_300), ("chr2", "+", 5_500, 5_800)]),
    "same": ("same", [("chr2", "+", 7_000, 7_600)]),
    **{
        f"g{i}": (f"g{i}.t", [("chr|1", "+-"[i % 2], 12_000 + 1_500 * i, 12_700 + 1_500 * i)])
        for i in range(9)
    },
}


def annotation():
    lines = ["##gff-version 3", f"plasmid\tx\tregion\t1\t{SIZES['plasmid']}\t.\t+\t.\tID=p;Is_circular=true"]
    for gene, (transcript, exons) in GENES.items():
        name = transcript.replace(" ", "%20").replace(";", "%3B")
        sequence, strand, start, end = exons[0]
        place = f"{sequence.replace('|', '%7C')}\tx\t{{}}\t{start}\t{end}\t.\t{strand}\t.\t"
        lines.append(place.format("gene") + f"ID=gene:{gene}")
        lines.append(place.format("mRNA") + f"ID=transcript:{name};Parent=gene:{gene}")
        for sequence, strand, start, end in exons:
            row = [sequence.replace("|", "%7C"), "x", "exon", start, end, ".", strand, "."]
            lines.append("\t".join(map(str, [*row, f"Parent=transcript:{name}"])))
    # another transcript of the same name after what sources put before it is taken off
    lines += [
        "chr2\tx\tgene\t9000\t9600\t.\t+\t.\tID=gene:same_too",
        "chr2\tx\tmRNA\t9000\t9600\t.\t+\t.\tID=rna-same;Parent=gene:same_too",
    ]
    lines.append("chr2\tx\texon\t9000\t9600\t.\t+\t.\tParent=rna-same")
    return "".join(f"{line}\n" for line in lines)


def reads(genome):
    """(sequences of the reads, {gene: fragments}); genes without strand have reads of both."""
    drawn, sequences, truth = random.Random(1), [], {}
    complement = str.maketrans("ACGT", "TGCA")
    for gene, (_, exons) in [*GENES.items(), ("same_too", ("same", [("chr2", "+", 9_000, 9_600)]))]:
        truth[gene] = READS
        for number in range(READS):
            sequence, strand, start, end = exons[number % len(exons)]
            size = SIZES[sequence]
            places = [
                p for p in range(start, end - LENGTH + 2) if (p - 1) // size == (p + LENGTH - 2) // size
            ]
            first = (drawn.choice(places) - 1) % size
            text = genome[sequence][first : first + LENGTH]
            back = strand == "-" or (strand in ".?" and number // len(exons) % 2)
            sequences.append(text.translate(complement)[::-1] if back else text)
    return sequences, truth


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Folder with genome, annotation and one library; the truth; a function that counts it with a tool."""
    folder, drawn = tmp_path_factory.mktemp("odd"), random.Random(2)
    genome = {name: "".join(drawn.choices("ACGT", k=size)) for name, size in SIZES.items()}
    (folder / "genome.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in genome.items()))
    (folder / "annotation.gff3").write_text(annotation())
    sequences, truth = reads(genome)
    lines = (f"@read{n}\n{bases}\n+\n{'I' * LENGTH}\n" for n, bases in enumerate(sequences))
    packed = gzip.compress("".join(lines).encode())
    for name in ("s1", "s2"):  # the second only makes a second class; nothing is asked of it
        (folder / f"{name}.fastq.gz").write_bytes(packed)
    (folder / "samples.tsv").write_text(
        "sample\tfastq_1\tstrandedness\tcondition\ns1\ts1.fastq.gz\tforward\ta\ns2\ts2.fastq.gz\tforward\tb\n"
    )

    def count(tool, name=None, **changes):
        name = name or tool
        settings = {
            "samples": "samples.tsv",
            "results": name,
            "reference": {"fasta": "genome.fa", "gtf": "annotation.gff3"},
            "trimming": {"tool": "none"},
            "quantification": {"tool": tool},
            **changes,
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
        snakemake(folder, *LOCAL, f"{name}/counts/s1.tsv", config=f"{name}.yaml", check=True)
        return pd.read_csv(folder / name / "counts/s1.tsv", sep="\t", index_col=0)["count"]

    count.folder, count.truth = folder, pd.Series(truth)
    return count


@pytest.mark.parametrize("tool", ["star", "featurecounts", "htseq"])
def test_each_counter_finds_all_fragments(project, tool):
    counts = project(tool)
    assert counts.to_dict() == project.truth.to_dict()
    if tool == "star":  # the index that was built is known again as one of this annotation
        sources = project.folder / "star/reference/star", project.folder / "annotation.gff3"
        assert star_index.differences(*sources, "exon", "gene_id") == []


def test_star_counts_where_no_gene_has_an_intron(project):
    """STAR 2.7.10b dies of every third such annotation when it makes the index, so it is not given it then."""
    text = (project.folder / "annotation.gff3").read_text()
    spliced = ("none_spliced", "both_strands", "two_chromosomes", "comma", "%2Cy", "T9", "T10")
    lines = [line for line in text.splitlines(keepends=True) if not any(name in line for name in spliced)]
    (project.folder / "plain.gff3").write_text("".join(lines))
    counts = project("star", "plain", reference={"fasta": "genome.fa", "gtf": "plain.gff3"})
    assert (
        counts.to_dict()
        == project.truth.drop(["none_spliced", "both_strands", "two_chromosomes", "comma"]).to_dict()
    )
    index = project.folder / "plain/reference/star"
    assert star_index.problems(index, counts=True) == [] and not (index / "sjdbList.out.tab").exists()


def test_salmon_finds_all_fragments(project):
    counts = project("salmon", alignment={"tool": "none"})
    assert set(counts.index) == set(project.truth.index)
    quant = pd.read_csv(project.folder / "salmon/salmon/s1/quant.sf", sep="\t", index_col=0)
    owners = pd.read_csv(
        project.folder / "salmon/reference/transcripts.tsv", sep="\t", header=None, index_col=0
    )
    fragments = quant["NumReads"].groupby(owners.loc[quant.index, 1]).sum()
    assert (fragments - project.truth).abs().max() < 0.5
    assert quant.loc["T9", "Length"] == 501 + 401  # both pieces of one transcript
    assert quant.loc["ahead.t", "Length"] == 600
