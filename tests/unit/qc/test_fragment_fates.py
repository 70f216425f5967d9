"""No fragment goes missing between the FASTQ file and the gene counts, and a hole is an error."""

import pandas as pd
import pytest

from rna2model.core import files
from rna2model.qc import causes, fragment_fates, sex
from rna2model.reads import salmon

GOOD = {"reads": 100, "problem": None}
COUNTER = {"unmapped": 10, "multimapped": 5, "no_feature": 4, "ambiguous": 1}
ALIGNED = fragment_fates.Alignments(total=95, mapped=85, mapped_pct=88.0, paired=True)


def ledger(**changes):
    facts = {
        "verdict": GOOD,
        "umi": None,
        "trimming": (100, 95),
        "rrna": None,
        "aligned": ALIGNED,
        "deduplicated": None,
        "counter": COUNTER,
        "assigned": 75,
        "selects": False,
    }
    return fragment_fates.ledger(**facts | changes)


def test_every_fragment_is_in_one_place():
    fates, gaps = ledger()
    assert gaps == [] and fates["trimmed"] == 5 and fates["unmapped"] == 10 and fates["assigned"] == 75
    assert fates["unaccounted"] == 0 and sum(fates.values()) == 100


def test_filters_take_their_share():
    fates, gaps = ledger(rrna=95, deduplicated=60, selects=True, assigned=40)
    assert gaps == [] and (fates["duplicates"], fates["low_mapq"]) == (25, 10) and sum(fates.values()) == 100
    assert ledger(rrna=90, aligned=fragment_fates.Alignments(90, 85, 94.0, True))[0]["rrna"] == 5
    assert ledger(umi=98, trimming=(98, 95))[0]["trimmed"] == 5


def test_a_faulty_library_is_accounted_for():
    nothing = fragment_fates.Alignments(0, 0, 0.0, False)
    fates, gaps = ledger(
        verdict={"reads": 40, "problem": "truncated"},
        trimming=(0, 0),
        aligned=nothing,
        counter=dict.fromkeys(COUNTER, 0),
        assigned=0,
    )
    assert gaps == [] and fates["faulty"] == sum(fates.values()) == 40


@pytest.mark.parametrize(
    ("hole", "numbers"),
    [
        ({"trimming": (99, 95)}, (100, 99)),
        ({"trimming": (100, 94)}, (94, 95)),
        ({"trimming": (100, 105), "aligned": fragment_fates.Alignments(105, 85, 81.0, True)}, (100, 105)),
        ({"assigned": 74}, (85, 84)),
        ({"assigned": 92}, (85, 102)),
        ({"assigned": 92, "selects": True}, (85, 102)),
        ({"aligned": fragment_fates.Alignments(95, 84, 88.0, True)}, (84, 85)),
        ({"deduplicated": 86, "assigned": 76}, (85, 86)),
    ],
)
def test_a_gap_stops_nothing_and_carries_both_numbers(hole, numbers):
    fates, gaps = ledger(**hole)
    assert [(gap.before, gap.after) for gap in gaps] == [numbers]
    assert all(str(number) in str(gaps[0]) for number in numbers)
    assert sum(fates.values()) == 100 and fragment_fates.open_share(gaps, 100) == pytest.approx(
        abs(numbers[0] - numbers[1]) / 100
    )


def test_a_reason_names_what_changed_after_its_check_and_only_that(tmp_path):
    one, two = tmp_path / "1.gz", tmp_path / "2.gz"
    for path in (one, two):
        path.write_bytes(b"reads")
    known = {str(path): list(files.alike(path)) for path in (one, two)}
    _, gaps = ledger(assigned=92)
    assert "--forcerun" not in fragment_fates.unaccounted(gaps, "v.json", known)
    two.write_bytes(b"other")
    message = fragment_fates.unaccounted(gaps, "v.json", known | {str(tmp_path / "gone.gz"): [3, "x"]})
    assert (
        f"{two} changed after the check: run again with --forcerun v.json" in message
        and str(one) not in message
    )


@pytest.mark.parametrize("failed", [0, 1])
def test_pairs_with_one_aligned_mate_count_as_aligned(failed):
    """samtools 1.16 on published yeast reads (HISAT2): 14677 pairs, 187 without any aligned mate; marked as failed, too."""
    numbers = {"primary": 29354, "primary mapped": 28906, "paired in sequencing": 29354, "read1": 14677}
    numbers |= {"read2": 14677, "with itself and mate mapped": 28832, "singletons": 74}
    kinds = ["QC-passed reads", "QC-failed reads"]
    report = {kinds[failed]: numbers, kinds[1 - failed]: dict.fromkeys(numbers, 0)}
    aligned = fragment_fates.of_flagstat(report)
    assert (aligned.total, aligned.mapped, aligned.mapped_pct, aligned.paired) == (14677, 14490, 98.47, True)


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("featurecounts", "Status\tx\nAssigned\t7\nUnassigned_Unmapped\t3\nUnassigned_Ambiguity\t2\n"),
        ("htseq", "g1\t3\ng2\t4\n__ambiguous\t2\n__not_aligned\t3\n"),
        ("star", "N_unmapped\t3\t3\t3\nN_ambiguous\t0\t0\t2\ng1\t9\t9\t3\ng2\t9\t9\t4\n"),
    ],
)
def test_counters_say_what_they_assigned(tmp_path, tool, text):
    (tmp_path / "summary").write_text(text)
    fates, assigned = fragment_fates.of_counter(tool, tmp_path / "summary", "reverse")
    assert assigned == 7 and fates["ambiguous"] == 2


def fates(**fragments):
    return dict.fromkeys(fragment_fates.FATES, 0) | fragments


@pytest.mark.parametrize(
    ("fragments", "longest", "key", "words"),
    [
        (
            fates(trimmed=100),
            [28, 50],
            "nothing_left",
            "shorter than trimming.min_length 30 (R1 has 28 bases); set it lower",
        ),
        (fates(trimmed=100), [75, 75], "nothing_left", "trimming left no reads"),
        (
            fates(ambiguous=95, assigned=5),
            [75],
            "assigned_pct",
            "95 % of the fragments are ambiguous, in several genes of a.gtf",
        ),
        (
            fates(multimapped=80, assigned=20),
            None,
            "assigned_pct",
            "80 % of the fragments have several places",
        ),
        (fates(no_feature=60, assigned=40), None, "assigned_pct", "60 % of the fragments lie outside"),
        (fates(unmapped=60, assigned=40), None, "assigned_pct", "60 % of the fragments are unmapped"),
    ],
)
def test_a_loss_has_its_cause(fragments, longest, key, words):
    assert words in causes.of_loss(fragments, longest, 30, {"gtf": "/x/a.gtf"})[key]


def test_a_sound_library_has_no_cause_and_transcripts_as_genes_are_named():
    assert causes.of_loss(fates(assigned=80, unmapped=20), [75], 30, {"gtf": "a.gtf"}) == {}
    reference = {"gtf": "a.gtf", "gene_id_is_transcript_id": True}
    cause = causes.of_loss(fates(ambiguous=95, assigned=5), [75], 30, reference)["assigned_pct"]
    assert cause.startswith("95 % ambiguous: gene_id equals transcript_id in a.gtf")


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
    kinds = sex.kinds(["ENSG00000229807.9", "g2", "g3"], ["", "Rps4y1", "ACTB"])
    assert kinds == {"ENSG00000229807.9": "female", "g2": "male"}
    assert sex.judge(kinds, {"ENSG00000229807.9": 300, "g2": 1}) == "female"
    assert sex.judge(kinds, {"g2": 300}) == "male"
    assert sex.judge(kinds, {"g2": 300, "ENSG00000229807.9": 300}) == "unclear"
    assert sex.judge(kinds, {"g2": 3}) == "unclear"
    assert sex.judge(sex.kinds(["g3"], ["ACTB"]), {"g3": 5}) == ""


def test_the_two_libraries_of_each_published_donor_show_one_sex(real_data):
    """Airway (Himes et al. 2014): the genes are clear in all eight libraries, and one of the four donors is a woman."""
    table = pd.read_csv(real_data / "matrices/airway/counts.tsv.gz", sep="\t", index_col=0)
    kinds = sex.kinds(table.index, table.index)
    seen = sex.of_matrix(kinds, table.T.to_numpy(), list(table.index), list(table.columns))
    assert list(seen.values()) == ["male"] * 6 + ["female"] * 2


def test_without_both_kinds_of_genes_nothing_is_said(real_data):
    """The subset of genes of this set has Y genes but not XIST."""
    genes = pd.read_csv(real_data / "matrices/hapmap_tsi_gender/counts.tsv.gz", sep="\t", usecols=[0]).iloc[
        :, 0
    ]
    assert set(genes) & sex.MALE and sex.kinds(genes, genes) == {}
