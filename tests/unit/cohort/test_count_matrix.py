"""Matrices from elsewhere: right ones in every format, wrong ones refused with gene, sample and fix."""

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort, count_matrix, sample_names, units
from rna2model.core import gene_ids
from rna2model.core.errors import InputProblem

COUNTS = pd.DataFrame({"a": [5, 0, 900], "b": [7, 2, 1]}, index=["g1", "g2", "g3"])


@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz", "m.csv", "m.csv.gz", "m.parquet", "m.h5ad"])
def test_every_format_reads_the_same(tmp_path, name):
    path = tmp_path / name
    if name.endswith("h5ad"):
        import anndata

        anndata.AnnData(COUNTS.T.astype(float)).write_h5ad(path)
    elif name.endswith("parquet"):
        COUNTS.to_parquet(path)
    else:
        COUNTS.to_csv(path, sep="," if ".csv" in name else "\t")
    table, _ = count_matrix.read(path)
    assert list(table.index) == list(COUNTS.index)
    assert np.array_equal(
        units.check(sample_names.choose(table, ["b", "a"], path)[0], "counts", path)[0], COUNTS[["b", "a"]]
    )


def test_numeric_gene_ids_and_samples_stay_text(tmp_path):
    (tmp_path / "m.tsv").write_text("gene\t001\n00123\t5\n")
    table, _ = count_matrix.read(tmp_path / "m.tsv")
    assert list(table.index) == ["00123"] and list(table.columns) == ["001"]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ("counts", -1, "gene g2, sample b: -1.0 is negative"),
        ("counts", np.nan, "gene g2, sample b: nan is missing"),
        ("counts", np.inf, "is missing or not finite"),
        ("counts", 2.5, "gene g2, sample b: 2.5 is not an integer; set counts_unit"),
        ("log", 5, "not logarithms"),
    ],
)
def test_values_that_cannot_be_are_refused_with_their_place(unit, value, expected):
    table = COUNTS.astype(float)
    table.loc["g2", "b"] = value
    assert expected in "\n".join(units.check(table, unit, "m.tsv")[1])


def test_logarithms_given_as_counts_or_tpm_are_recognised():
    logs = np.log2(COUNTS + 1)
    assert "not an integer; set counts_unit" in "\n".join(units.check(logs, "counts", "m.tsv")[1])
    assert "looks like logarithms" in "\n".join(units.check(logs, "tpm", "m.tsv")[1])


def test_text_in_a_cell_is_named():
    table = COUNTS.astype(object)
    table.loc["g3", "a"] = "many"
    assert "gene g3, sample a: 'many' is not a number" in "\n".join(units.check(table, "counts", "m.tsv")[1])


def test_a_transposed_matrix_and_missing_samples_are_told_apart():
    with pytest.raises(InputProblem, match="is transposed"):
        sample_names.choose(COUNTS.T, ["a", "b"], "m.tsv")
    with pytest.raises(InputProblem, match="no column for 1 samples of the sheet: c"):
        sample_names.choose(COUNTS, ["a", "c"], "m.tsv")


def test_ensembl_versions_are_stripped_and_their_rows_added():
    ids = ["ENSG00000000003.15", "ENSG00000000003.15_PAR_Y", "ENSG00000000005.6"]
    values, genes, notes = gene_ids.unify(COUNTS.to_numpy(float), ids, "counts", "m.tsv")
    assert genes == ["ENSG00000000003", "ENSG00000000005"] and values.tolist() == [[5, 9], [900, 1]]
    assert len(notes) == 2


def test_dates_made_of_gene_symbols_are_refused():
    with pytest.raises(InputProblem, match="'1-Sep' is a date"):
        gene_ids.unify(COUNTS.to_numpy(float), ["TP53", "1-Sep", "MYC"], "counts", "m.tsv")


def test_the_cohort_reads_back_as_it_was_built(tmp_path):
    genes = pd.DataFrame(
        {"gene_name": ["A", "B", "C"], "length": [1000, 2000, 500]},
        index=pd.Index(["g1", "g2", "g3"], name="gene_id"),
    )
    counts = COUNTS.T.to_numpy().astype(np.int32)
    metadata = {"a": {"condition": "x", "donor": "1"}, "b": {"condition": "", "donor": "2"}}
    cohort.build(counts, ["a", "b"], genes, metadata).write_h5ad(tmp_path / "c.h5ad")
    back = cohort.read(tmp_path / "c.h5ad")
    assert (
        np.array_equal(back.counts, counts)
        and back.samples == ["a", "b"]
        and back.genes == ["g1", "g2", "g3"]
    )
    assert list(back.lengths) == [1000, 2000, 500] and back.obs == {
        "condition": ["x", ""],
        "donor": ["1", "2"],
    }
    assert list(back.column("donor", ["b", "a"])) == ["2", "1"]


@pytest.mark.parametrize("converted", [True, False])
def test_a_cohort_with_the_text_columns_of_pandas_3_reads_the_same(tmp_path, converted):
    """Text is written as nullable strings, or as categories where it repeats or is missing."""
    import anndata
    import h5py

    genes = pd.DataFrame(
        {"gene_name": ["A", None, "C"]}, index=pd.Index(["g1", "g2", "g3"], name="gene_id")
    ).astype("string")
    metadata = {name: {"condition": "x", "donor": name} for name in "ab"}
    built = cohort.build(COUNTS.T.to_numpy(), ["a", "b"], genes, metadata)
    built.obs, built.var_names = built.obs.astype("string"), built.var_names.astype("string")
    built.obs_names = built.obs_names.astype("string")
    with anndata.settings.override(allow_write_nullable_strings=True):
        built.write_h5ad(tmp_path / "c.h5ad", convert_strings_to_categoricals=converted)
    with h5py.File(tmp_path / "c.h5ad") as file:
        kinds = [
            file[name].attrs["encoding-type"] for name in ("obs/donor", "obs/condition", "var/gene_name")
        ]
    assert kinds == ["nullable-string-array"] + 2 * ["categorical" if converted else "nullable-string-array"]
    back = cohort.read(tmp_path / "c.h5ad")
    assert back.samples == ["a", "b"] and back.genes == ["g1", "g2", "g3"] and back.symbols == ["A", "", "C"]
    assert back.obs == {"condition": ["x", "x"], "donor": ["a", "b"]}
    assert cohort.read_metadata(tmp_path / "c.h5ad") == (back.samples, back.obs)


def test_tpm_sums_to_a_million_and_respects_length():
    values = cohort.tpm(np.array([[10, 10], [0, 0]]), np.array([1000, 2000]))
    assert values[0].tolist() == pytest.approx([2e6 / 3, 1e6 / 3]) and values[1].tolist() == [0, 0]


def test_ensembl_ids_mixed_with_symbols_are_refused_and_spike_ins_are_not():
    ensembl = [f"ENSG{number:011}" for number in range(50)]
    symbols = [f"GENE{number}" for number in range(50)]
    values = np.ones((100, 2))
    with pytest.raises(InputProblem, match=r"50 genes have Ensembl ids and 50 other names \(first: GENE0\)"):
        gene_ids.unify(values, ensembl + symbols, "counts", "m.tsv")
    spiked = ensembl + [f"ERCC-{number:05}" for number in range(50)]
    assert gene_ids.unify(values, spiked, "counts", "m.tsv")[1] == spiked


def test_an_annotation_of_another_species_is_refused():
    genes = pd.DataFrame(index=pd.Index(["ENSG1", "ENSG2", "ENSG3"], name="gene_id"))
    record = {"gene_name": "A", "start": 1, "end": 9, "length": 9}
    ours, theirs = ([{"gene_id": f"{kind}{i}", **record} for i in (1, 2)] for kind in ("ENSG", "ENSMUSG"))
    assert gene_ids.annotate(genes, ours)[1] == 1
    with pytest.raises(
        InputProblem, match=r"3 of the 3 genes of the matrix are not in reference\.gtf .*species"
    ):
        gene_ids.annotate(genes, theirs)
