"""One gene has one id, whatever a program wrote; rows that are no genes are told apart from genes that look like them."""

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.cohort import cohort
from rna2model.core import gene_ids, spike_ins
from rna2model.core.errors import InputProblem
from rna2model.expression.features import gene_sets

VERSIONS = ["", ".1", ".15", ".15_6", ".15_PAR_Y", "_PAR_Y", ".7_3_PAR_Y"]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 10**10 - 1),
    st.sampled_from(["ENSG", "ENSMUSG", "ENSDARG"]),
    st.sampled_from(VERSIONS),
    st.sampled_from(["", "|TSPAN6"]),
    st.sampled_from(["", "gene:"]),
)
def test_an_ensembl_id_is_its_number_whatever_stands_around_it(number, species, version, name, prefix):
    short = f"{species}{number:011}"
    assert gene_ids.plain([f"{prefix}{short}{version}{name}"]) == [short]
    assert gene_ids.plain([f"MSTRG.7|{short}{version}"]) == [short]


@pytest.mark.parametrize(
    "gene",
    [
        "AT1G01010",
        "AT1G01010.1",
        "YAL001C",
        "2310009E13",
        "2310009E13Rik",
        "FBgn0000003",
        "WBGene00000001",
        "2L52.1",
        "b0001",
        "TSPAN6",
        "nan",
        "NA",
        "HLA-A",
        "MSTRG.12",
        "TSPAN6|7105",
        "?|100130426",
        "ENST00000373020.9",
        "ENSG00000000003:E001",
        "let-7a*",
        "mar-1",
        "1007_s_at",
        "Gm1992.2",
        "NKX2-1",
        "7SK",
        "ENSG00000000003.15|ENST00000373020.9|x",
    ],
)
def test_ids_whose_ending_is_part_of_them_stay(gene):
    assert gene_ids.plain([gene, "other", "third"])[0] == gene


def load(genes, values=None, unit="counts"):
    values = np.arange(1.0, 1 + 2 * len(genes)).reshape(len(genes), 2) if values is None else values
    return gene_ids.unify(np.asarray(values, float), genes, unit, "m.tsv")


@pytest.mark.parametrize("gene", ["nan", "NA", "NaN", "None", "null"])
def test_a_gene_may_be_called_like_a_gap_but_many_rows_may_not(gene):
    assert load(["CG1", gene, "CG3"])[1] == ["CG1", gene, "CG3"]
    with pytest.raises(InputProblem, match=f"2 rows are called '{gene}', which stands for a missing name"):
        load(["CG1", gene, gene])
    with pytest.raises(InputProblem, match=r"gene row 2 has no gene id \(2 such rows\)"):
        load(["CG1", "", ""])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(5, 8))
def test_a_round_entrez_id_as_r_writes_it_is_read_as_the_integer(digit, power):
    number = digit * 10**power
    others = [str(7100 + i) for i in range(20)]
    _, genes, (note,) = load([*others, f"{digit}e+{power:02}", "ERCC-00002", "__no_feature"][:22])
    assert genes[20] == str(number) and "read as the integer" in note
    assert load([*(f"{gene}.0" for gene in others)])[1] == others
    for odd in (f"{digit}e+{power:02}", "1.00E+05", "2.31E+19"):
        with pytest.raises(InputProblem, match="is a number"):
            load(["TP53", "MYC", odd])
    with pytest.raises(InputProblem, match="is a number"):
        load([*others, "1.00E+05"])


def test_what_is_added_up_is_said_and_logarithms_are_not():
    genes = ["ENSG00000000003.1", "ENSG00000000003.2", "ENSG00000000005|A", "ENSG00000000005.4_2"]
    values, names, notes = load(genes)
    assert values.tolist() == [[4, 6], [12, 14]] and names == ["ENSG00000000003", "ENSG00000000005"]
    assert (
        notes[-1] == "2 repeated rows added to their gene (first: ENSG00000000003, ENSG00000000005)"
        and len(notes) == 3
    )
    with pytest.raises(InputProblem, match=r"2 gene ids repeat \(first: ENSG00000000003"):
        load(genes, unit="log")


@pytest.mark.parametrize("copy", ["ENSG00000182378.14_PAR_Y", "ENSGR0000182378.10"])
@pytest.mark.parametrize("least", [0.0, -9.9658])
def test_empty_copies_on_y_do_not_hinder_logarithms(copy, least):
    values = [[5, 6], [least, least], [2, 3]]
    logs, genes, notes = load(["ENSG00000182378.14", copy, "ENSG00000000003.1"], values, "log")
    assert genes == ["ENSG00000182378", "ENSG00000000003"] and logs.tolist() == [[5, 6], [2, 3]]
    assert "1 rows _PAR_Y without any expression left out" in notes
    values[1] = [1, 2]
    with pytest.raises(InputProblem, match="logarithms cannot be added up"):
        load(["ENSG00000182378.14", copy, "ENSG00000000003.1"], values, "log")


NO_GENES = [
    "ERCC-00002",
    "ERCC_00116",
    "ERCC.00170",
    "ERCC00002",
    "gSpikein_ERCC-00002",
    "ERCC-00002_gene",
    "SIRV1",
    "SIRV703",
    "SIRV4001",
    "ArrayControl_3",
    "ARRAYCONTROL-1",
    "UniSp6",
    "AFFX-BioB-3_at",
    "AFFX-r2-Ec-bioD-5_at",
    "AFFX-r2-P1-cre-3_at",
    "phiX174",
    "GFP",
    "EGFP",
    "mCherry",
    "tdTomato",
    "luciferase",
    "firefly_luciferase",
    "rRNA",
    "45S",
    "18S_rRNA",
    "rRNA_28S",
]
LIKE_THEM = [
    "ERCC1",
    "ERCC6L2",
    "ERCC8",
    "CFP",
    "RFP",
    "GFPT1",
    "RN45S",
    "Rn45s",
    "RNA45SN1",
    "RNA18SN5",
    "MT-RNR1",
    "RNR1",
    "7SK",
    "lacZ",
    "cas9",
    "luc",
    "rluc",
    "neo",
    "bla",
    "SIRT1",
    "SIRPA",
    "AFFX-HUMGAPDH/M33197_5_at",
    "18S5",
    "PHIP",
    "Cre",
    "R1_1",
    "N4BP1",
    "SPIKE1",
    "UNC45A",
    "CRE1",
]


def test_what_was_added_is_no_gene_and_genes_of_like_names_are():
    added = spike_ins.find([*LIKE_THEM, *NO_GENES])
    assert set(NO_GENES) - added.keys() == set() and added.keys() & set(LIKE_THEM) == set()
    assert spike_ins.find(NO_GENES) == {}  # a table of nothing else
    sequins = [f"R{1 + i % 2}_{i}" for i in range(20)]
    assert set(spike_ins.find([f"g{i}" for i in range(100)] + sequins)) == set(sequins)
    assert spike_ins.find([f"R1_{i}" for i in range(100)]) == {}


@pytest.mark.parametrize(
    "row", ["__no_feature", "N_unmapped", "Unassigned_NoFeatures", "no_feature", "alignment_not_unique", "*"]
)
def test_rows_of_a_counter_are_left_out(row):
    _, genes, (note,) = load(["a", "b", row])
    assert genes == ["a", "b"] and note == "1 rows of what a counter could not assign left out"


def test_a_sum_of_the_genes_is_found_with_spike_ins_below_it_or_within():
    values = np.random.default_rng(0).poisson(50, (20, 4)).astype(float)
    spikes = np.full((3, 4), 7.0)
    names = [f"g{i}" for i in range(20)]
    for whole in (values.sum(axis=0), values.sum(axis=0) + spikes.sum(axis=0)):
        genes = [*names, "all", "ERCC-00002", "ERCC-00003", "ERCC-00004"]
        with pytest.raises(InputProblem, match="row 'all' is the sum of the others"):
            load(genes, np.vstack([values, whole, spikes]))


def test_a_bundle_and_gene_sets_compare_ids_without_versions():
    ids = [f"ENSG{i:011}.{i}" for i in range(1, 9)]
    assert gene_ids.as_known([f"ENSG{i:011}.{i + 5}_2" for i in range(1, 9)], ids) == ids
    twice = ["ENSG00000000001", "ENSG00000000001_PAR_Y"]  # which of them is meant is not known
    assert gene_ids.as_known(twice, ids) == twice
    columns = gene_sets.members({"set": [f"ENSG{i:011}" for i in range(1, 7)]}, ids)
    assert columns["set"].tolist() == [0, 1, 2, 3, 4, 5]


def test_spike_ins_counted_from_reads_stay_in_the_matrix_and_out_of_the_cohort(tmp_path):
    genes = ["g1", "ERCC-00002", "g2", "ERCC-00003"]
    table = pd.DataFrame(
        {"gene_name": genes, "length": [100, 200, 300, 400]}, index=pd.Index(genes, name="gene_id")
    )
    counts = {"a": [1, 1000, 2, 2000], "b": [3, 4000, 4, 8000]}
    files = {}
    for name, values in counts.items():
        files[name] = tmp_path / f"{name}.tsv"
        rows = "".join(f"{gene}\t{value}\n" for gene, value in zip(genes, values, strict=True))
        files[name].write_text(f"gene_id\tcount\n{rows}")
    left_out = list(spike_ins.find(genes))
    others = cohort.stream(files, table, {"a": {}, "b": {}}, tmp_path / "c.h5ad", left_out)
    back = cohort.read(tmp_path / "c.h5ad")
    assert back.genes == ["g1", "g2"] and back.counts.tolist() == [[1, 2], [3, 4]]
    cohort.write_matrix(back.counts, back.samples, back.genes, tmp_path / "m.tsv.gz", more=(others, left_out))
    whole = pd.read_csv(tmp_path / "m.tsv.gz", sep="\t", index_col=0)
    assert whole.loc[genes, "b"].tolist() == counts["b"] and whole.loc[genes, "a"].tolist() == counts["a"]
    with h5py.File(tmp_path / "c.h5ad") as file:
        assert np.allclose(file["layers/tpm"][:].sum(axis=1), 1e6)
