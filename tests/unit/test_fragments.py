"""No fragment goes missing between the FASTQ file and the gene counts, and a hole is an error."""

import json

import pandas as pd
import pytest

from rna2model import fragments, salmon, sexcheck
from rna2model.errors import InputProblem

GOOD = {"reads": 100, "problem": None}
COUNTER = {"unmapped": 10, "multimapped": 5, "no_feature": 4, "ambiguous": 1}
ALIGNED = fragments.Alignments(total=95, mapped=85, mapped_pct=88.0, paired=True)


def ledger(**changes):
    given = {
        "sample": "s",
        "verdict": GOOD,
        "trimming": 95,
        "rrna": None,
        "aligned": ALIGNED,
        "deduplicated": None,
        "counter": COUNTER,
        "assigned": 75,
        "selects": False,
    }
    return fragments.ledger(**given | changes)


def test_every_fragment_is_in_one_place():
    fates = ledger()
    assert fates["trimmed"] == 5 and fates["unmapped"] == 10 and fates["assigned"] == 75
    assert sum(fates.values()) == 100


def test_filters_take_their_share():
    deduplicated = fragments.Alignments(total=60, mapped=60, mapped_pct=100.0, paired=True)
    fates = ledger(rrna=95, deduplicated=deduplicated, selects=True, assigned=40)
    assert (fates["duplicates"], fates["low_mapq"]) == (25, 10) and sum(fates.values()) == 100
    assert ledger(rrna=90, aligned=fragments.Alignments(90, 85, 94.0, True))["rrna"] == 5


def test_a_faulty_library_is_accounted_for():
    nothing = fragments.Alignments(0, 0, 0.0, False)
    fates = ledger(
        verdict={"reads": 40, "problem": "truncated"},
        trimming=0,
        aligned=nothing,
        counter=dict.fromkeys(COUNTER, 0),
        assigned=0,
    )
    assert fates["faulty"] == sum(fates.values()) == 40


@pytest.mark.parametrize(
    "hole", [{"trimming": 94}, {"assigned": 74}, {"aligned": fragments.Alignments(95, 84, 88.0, True)}]
)
def test_a_hole_is_an_error_that_names_the_sample(hole):
    with pytest.raises(InputProblem, match=r"^s: .* delete its files below results"):
        ledger(**hole)


def test_more_out_than_in_is_an_error():
    with pytest.raises(InputProblem, match="more fragments came out"):
        ledger(trimming=105, aligned=fragments.Alignments(105, 95, 90.0, True), assigned=85)


def test_pairs_with_one_aligned_mate_count_as_aligned(tmp_path):
    """samtools 1.16 on published yeast reads (HISAT2): 14677 pairs, 187 without any aligned mate."""
    numbers = {"primary": 29354, "primary mapped": 28906, "paired in sequencing": 29354, "read1": 14677}
    numbers |= {"read2": 14677, "with itself and mate mapped": 28832, "singletons": 74}
    (tmp_path / "f.json").write_text(json.dumps({"QC-passed reads": numbers}))
    found = fragments.of_flagstat(tmp_path / "f.json")
    assert (found.total, found.mapped, found.mapped_pct, found.paired) == (14677, 14490, 98.47, True)


def test_salmon_gene_counts_ignore_which_transcript_a_gene_uses():
    """The same molecules from a long or from a short transcript: equal TPM, so equal counts of the gene."""
    owners = {"a.long": "a", "a.short": "a", "b.1": "b"}
    long = [("a.long", 3000.0, 5e5, 600.0), ("a.short", 1000.0, 0.0, 0.0), ("b.1", 2000.0, 5e5, 400.0)]
    short = [("a.long", 3000.0, 0.0, 0.0), ("a.short", 1000.0, 5e5, 600.0), ("b.1", 2000.0, 5e5, 400.0)]
    first = salmon.gene_counts(long, owners, ["a", "b", "c"])
    assert first == salmon.gene_counts(short, owners, ["a", "b", "c"]) == {"a": 500, "b": 500, "c": 0}


def test_salmon_counts_are_whole_and_keep_their_sum():
    quant = [(f"t{i}", 1000.0, 1.0 + i, 10.4) for i in range(7)]
    counts = salmon.gene_counts(quant, {f"t{i}": f"g{i}" for i in range(7)}, [f"g{i}" for i in range(7)])
    assert sum(counts.values()) == round(72.8) and all(isinstance(c, int) for c in counts.values())
    assert salmon.gene_counts([], {}, ["g"]) == {"g": 0}


def test_sex_follows_its_genes_or_stays_open():
    kinds = sexcheck.kinds(["ENSG00000229807.9", "g2", "g3"], ["", "Rps4y1", "ACTB"])
    assert kinds == {"ENSG00000229807.9": "female", "g2": "male"}
    assert sexcheck.judge(kinds, {"ENSG00000229807.9": 300, "g2": 1}) == "female"
    assert sexcheck.judge(kinds, {"g2": 300}) == "male"
    assert sexcheck.judge(kinds, {"g2": 300, "ENSG00000229807.9": 300}) == "unclear"
    assert sexcheck.judge(kinds, {"g2": 3}) == "unclear"
    assert sexcheck.judge(sexcheck.kinds(["g3"], ["ACTB"]), {"g3": 5}) == ""


def test_the_two_libraries_of_each_published_donor_show_one_sex(real_data):
    """Airway (Himes et al. 2014): the genes are clear in all eight libraries, and one of the four donors is a woman."""
    table = pd.read_csv(real_data / "matrices/airway/counts.tsv.gz", sep="\t", index_col=0)
    kinds = sexcheck.kinds(table.index, table.index)
    seen = sexcheck.of_matrix(kinds, table.T.to_numpy(), list(table.index), list(table.columns))
    assert list(seen.values()) == ["male"] * 6 + ["female"] * 2


def test_without_both_kinds_of_genes_nothing_is_said(real_data):
    """The subset of genes of this set has Y genes but not XIST."""
    genes = pd.read_csv(real_data / "matrices/hapmap_tsi_gender/counts.tsv.gz", sep="\t", usecols=[0]).iloc[
        :, 0
    ]
    assert set(genes) & sexcheck.MALE and sexcheck.kinds(genes, genes) == {}
