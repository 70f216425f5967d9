"""The demo generator: the same bytes every time, and files that hold what the truth tables say."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from rna2model.core.errors import InputProblem
from rna2model.simulate import demo as simulate
from rna2model.simulate import genome as simulate_genome
from rna2model.simulate import reads as simulate_reads

DEMO = Path(__file__).parents[3] / "resources" / "demo"
WIDTH = 75


def small(**reads):
    """The demo's definition, cut down to 40 genes and 300 pairs a sample."""
    definition = simulate.read_definition(DEMO / "demo.yaml")
    definition["genome"]["chromosomes"] = {"chrI": 90_000, "chrII": 60_000}
    definition["genes"].update(count=40, opposite_overlaps=3, same_strand_overlaps=2, paralogues=2)
    definition["expression"]["de_genes"] = 8
    definition["reads"].update({"pairs": 300} | reads)
    definition["cohort"]["faulty"]["too_few"]["pairs"] = 20
    return definition


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Folder of a small demo without background, so that every fragment belongs to a gene."""
    folder = tmp_path_factory.mktemp("demo")
    simulate.make(small(background=0, write_bed="d02_b1"), folder)
    return folder


@pytest.fixture(scope="module")
def genome():
    return simulate_genome.build(small(), seed=1)


def table(path):
    return pd.read_csv(path, sep="\t", keep_default_na=False)


def records(*paths):
    """(name, bases, qualities) of every read."""
    lines = [line for path in paths for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    return list(zip(lines[0::4], lines[1::4], lines[3::4], strict=True))


def reverse_complement(text):
    return text.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def test_the_same_definition_gives_the_same_bytes(demo, tmp_path):
    simulate.make(small(background=0, write_bed="d02_b1"), tmp_path)
    written = sorted(path.relative_to(demo) for path in demo.rglob("*") if path.is_file())
    assert len(written) > 60
    different = [path for path in written if (demo / path).read_bytes() != (tmp_path / path).read_bytes()]
    assert different == [Path("config.yaml")]  # it holds absolute paths


def test_one_more_sample_leaves_the_others_as_they_were(demo, tmp_path):
    definition = small(background=0)
    definition["cohort"]["new"].append({"sample": "new_5", "condition": "treated", "batch": "b1"})
    simulate.make(definition, tmp_path)
    before, after = table(demo / "truth/counts.tsv"), table(tmp_path / "truth/counts.tsv")
    assert list(after) == [*before, "new_5"]
    assert after[list(before)].equals(before)
    for name in ("d05_b2_R1.fastq.gz", "new_4_R2.fastq.gz"):
        assert (demo / "reads" / name).read_bytes() == (tmp_path / "reads" / name).read_bytes()


def test_truth_counts_add_up_to_the_fragments_in_the_files(demo):
    truth = table(demo / "truth/counts.tsv").set_index("gene_id").sum()
    sheet = table(demo / "samples.tsv").query("sample != 'truncated' and sample != 'wrong_organism'")
    for sample, rows in sheet.groupby("sample"):
        assert len(records(*(demo / rows.fastq_1))) == truth[sample], sample
    assert truth["wrong_organism"] == 0


def test_the_sheet_has_the_designed_cohort(demo):
    sheet = table(demo / "samples.tsv")
    assert list(sheet) == ["sample", "fastq_1", "fastq_2", "strandedness", "condition", "batch", "donor"]
    assert len(sheet) == 33
    assert sheet["sample"].nunique() == 31
    assert sheet["sample"].value_counts().head(2).to_dict() == {"d01_b1": 2, "d08_b2": 2}
    assert list(sheet.query("condition == ''")["sample"]) == ["new_1", "new_2", "new_3", "new_4"]
    paths = [*sheet.fastq_1, *sheet.fastq_2]
    assert len(set(paths)) == 66
    assert all((demo / path).is_file() for path in paths)


def test_batches_are_balanced_in_the_condition_and_donors_are_in_both(demo):
    included = table(demo / "truth/expected_status.tsv").query("status == 'included'")["sample"]
    sheet = table(demo / "samples.tsv").drop_duplicates("sample").query("condition != ''")
    sheet = sheet[sheet["sample"].isin(included)]
    assert (sheet.groupby(["condition", "batch"]).size() == 6).all()
    assert (sheet.groupby("donor")["batch"].nunique() == 2).all()
    assert sheet["donor"].nunique() == 12


def test_truth_says_what_is_wrong_with_whom(demo):
    excluded = table(demo / "truth/expected_status.tsv").query("status == 'excluded'")
    assert list(excluded["sample"]) == ["too_few", "wrong_organism", "truncated"]
    assert (excluded["reason"] != "").all()
    labels = table(demo / "truth/labels.tsv")
    assert len(labels) == 31
    assert set(labels["condition"]) == {"control", "treated"}
    genes = table(demo / "truth/de_genes.tsv")
    assert (genes["log2fc"] != 0).sum() == 8
    assert genes.loc[genes["log2fc"] != 0, "log2fc"].abs().between(0.6, 1.5).all()  # demo.yaml


def test_the_truncated_library_really_is_a_broken_gzip(demo):
    with pytest.raises(EOFError):
        gzip.decompress((demo / "reads/truncated_R1.fastq.gz").read_bytes())
    assert records(demo / "reads/truncated_R2.fastq.gz")


def test_the_two_files_of_a_pair_have_the_same_unique_names(demo):
    first, second = (records(demo / f"reads/d03_b1_R{mate}.fastq.gz") for mate in (1, 2))
    names = [name.split(" ")[0] for name, _, _ in first]
    assert names == [name.split(" ")[0] for name, _, _ in second]
    assert len(set(names)) == len(names)
    assert first[0][0].endswith(" 1:N:0:ATCACGTT")
    assert second[0][0].endswith(" 2:N:0:ATCACGTT")


def test_qualities_are_binned_and_no_calls_have_the_lowest(demo):
    reads = records(*sorted((demo / "reads").glob("d*_R2.fastq.gz")))
    bases, qualities = ("".join(read[i] for read in reads) for i in (1, 2))
    assert {ord(q) - 33 for q in set(qualities)} == {2, 12, 23, 37}
    assert {q for base, q in zip(bases, qualities, strict=True) if base == "N"} == {"#"}
    assert np.mean([q[5] == "F" for _, _, q in reads]) > np.mean([q[-1] == "F" for _, _, q in reads]) + 0.1


def test_a_short_fragment_reads_into_the_truseq_adapters(genome):
    settings = small()["reads"] | {"background": 0, "fragment": {"mean": 55, "sd": 5, "min": 40}}
    molecules, rng = simulate_reads.molecules_of(genome), np.random.default_rng(1)
    fragments = simulate_reads.draw_fragments(molecules, np.full(40, 5), settings, rng)
    for mate, adapter in zip((1, 2), simulate_reads.ADAPTERS, strict=True):
        codes = simulate_reads.true_bases(molecules, fragments, mate, WIDTH)
        for length, row in zip(fragments.length, simulate_genome.LETTERS[codes], strict=True):
            assert row.tobytes()[length:] == (adapter + b"GG")[: WIDTH - length]


def test_both_mates_of_a_short_fragment_read_the_same_insert(genome):
    settings = small()["reads"] | {"fragment": {"mean": 55, "sd": 5, "min": 40}}
    molecules, rng = simulate_reads.molecules_of(genome), np.random.default_rng(1)
    fragments = simulate_reads.draw_fragments(molecules, np.full(40, 5), settings, rng)
    first, second = (simulate_reads.true_bases(molecules, fragments, mate, WIDTH) for mate in (1, 2))
    for length, one, two in zip(fragments.length, first, second, strict=True):
        np.testing.assert_array_equal(one[:length], 3 - two[:length][::-1])


@pytest.mark.parametrize(("strandedness", "share"), [("reverse", 0), ("forward", 1), ("unstranded", 0.5)])
def test_r1_reads_the_strand_the_library_type_says(genome, strandedness, share):
    settings = small(strandedness=strandedness)["reads"] | {"background": 0}
    molecules, rng = simulate_reads.molecules_of(genome), np.random.default_rng(1)
    fragments = simulate_reads.draw_fragments(molecules, np.full(40, 50), settings, rng)
    reads = simulate_reads.true_bases(molecules, fragments, 1, WIDTH)[:, :40]
    sense = np.stack([molecules.bases[start : start + 40] for start in fragments.start])
    assert (reads == sense).all(axis=1).mean() == pytest.approx(share, abs=0.05)


def test_an_unknown_library_type_is_named():
    with pytest.raises(InputProblem, match="'sideways'"):
        simulate_reads.orientation(np.zeros(3, dtype=bool), "sideways", np.random.default_rng(1))


def test_introns_are_gt_ag_on_the_strand_of_the_gene(genome):
    ends = {gene.strand: set() for gene in genome.genes}
    for gene in genome.genes:
        for start, end in gene.introns:
            codes = genome.chromosomes[gene.chromosome][start:end]
            text = simulate_genome.LETTERS[codes].tobytes().decode()
            text = text if gene.strand == "+" else reverse_complement(text)
            ends[gene.strand].add((text[:2], text[-2:]))
    assert ends == {"+": {("GT", "AG")}, "-": {("GT", "AG")}}


def test_genes_have_the_designed_sizes_and_overlaps(genome):
    lengths = [sum(end - start for start, end in gene.exons) for gene in genome.genes]
    assert 500 <= min(lengths) < max(lengths) <= 3000
    assert {len(gene.exons) for gene in genome.genes} <= set(range(1, 7))
    neighbours = zip(genome.genes, genome.genes[1:], strict=False)
    overlapping = [(a, b) for a, b in neighbours if a.chromosome == b.chromosome and b.start < a.end]
    assert sum(a.strand != b.strand for a, b in overlapping) == 3
    assert sum(a.strand == b.strand for a, b in overlapping) == 2
    assert all(b.start > a.exons[-1][0] for a, b in overlapping)  # within the outer exons


def test_paralogues_are_nearly_but_not_quite_identical(genome):
    molecules = simulate_reads.molecules_of(genome)
    spliced = [
        molecules.bases[start : start + length]
        for start, length in zip(molecules.offsets[:40], molecules.lengths[:40], strict=True)
    ]
    alike = [
        np.mean(one == two)
        for number, one in enumerate(spliced)
        for two in spliced[:number]
        if len(one) == len(two)
    ]
    close = [identity for identity in alike if identity > 0.5]
    assert len(close) == 2
    assert all(0.9 < identity < 0.99 for identity in close)


def test_the_gtf_gives_one_based_exons_of_the_genome(demo, genome):
    columns = ["chromosome", "source", "feature", "start", "end", "score", "strand", "frame", "attributes"]
    gtf = pd.read_csv(demo / "annotation.gtf", sep="\t", names=columns)
    assert gtf["feature"].value_counts()[["gene", "transcript"]].tolist() == [40, 40]
    for key in ("gene_id", "transcript_id", "gene_name", "gene_biotype"):
        assert gtf.query("feature == 'exon'")["attributes"].str.contains(f'{key} "').all()
    exons = gtf.query("feature == 'exon'")
    written = set(zip(exons["chromosome"], exons["start"], exons["end"], strict=True))
    assert written == {
        (gene.chromosome, start + 1, end) for gene in genome.genes for start, end in gene.exons
    }


def test_the_bed_says_where_each_read_comes_from(demo):
    """Read through the FASTA: the bases at the true place are the read, but for sequencing errors."""
    text = (demo / "genome.fa").read_text().split(">")[1:]
    chromosomes = {part.split("\n", 1)[0]: part.split("\n", 1)[1].replace("\n", "") for part in text}
    reads = {
        f"{name[1:].split(' ')[0]}/{mate}": bases
        for mate in (1, 2)
        for name, bases, _ in records(demo / f"reads/d02_b1_R{mate}.fastq.gz")
    }
    bed = [line.split("\t") for line in (demo / "truth/d02_b1.bed").read_text().splitlines()]
    assert {fields[3] for fields in bed} == set(reads)
    agreeing = []
    for chromosome, start, _, name, _, strand, *_, sizes, starts in bed:
        blocks = [
            (int(start) + int(s), int(z)) for s, z in zip(starts.split(","), sizes.split(","), strict=True)
        ]
        place = "".join(chromosomes[chromosome][at : at + size] for at, size in blocks)
        place = place if strand == "+" else reverse_complement(place)
        agreeing += [a == b for a, b in zip(place, reads[name], strict=False)]
    assert np.mean(agreeing) > 0.98


def test_single_end_has_no_second_file(tmp_path):
    simulate.make(small(paired=False), tmp_path)
    assert set(table(tmp_path / "samples.tsv")["fastq_2"]) == {""}
    assert not list(tmp_path.glob("reads/*_R2.fastq.gz"))


def test_the_command_works_from_any_folder(tmp_path):
    definition = tmp_path / "small.yaml"
    definition.write_text(yaml.safe_dump(small(), sort_keys=False))
    command = [
        sys.executable,
        DEMO / "make_demo.py",
        "--out",
        "here",
        "--definition",
        definition,
        "--pairs",
        "50",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    config = yaml.safe_load((tmp_path / "here/config.yaml").read_text())
    assert config["samples"] == str(tmp_path / "here" / "samples.tsv")
    assert config["design"] == {"target": "condition", "batch": "batch", "group": "donor"}
    counts = table(tmp_path / "here/truth/counts.tsv").set_index("gene_id")
    assert 20 < counts["d01_b1"].sum() < 100
