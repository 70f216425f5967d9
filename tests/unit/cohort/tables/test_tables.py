"""Tables of counts as programs and archives write them: each reads to the same counts, under the ids and names that it gives."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from rna2model.cohort import count_matrix, count_matrix_file, sample_names
from rna2model.core.errors import InputProblem

GENES = [f"ENSG{i:011}.{i % 7 + 1}" for i in range(1, 13)]
NAMES = ["A-1", "B-2", "C-3"]
COUNTS = np.random.default_rng(8).poisson(900, (12, 3))
FRAME = pd.DataFrame(COUNTS, index=pd.Index(GENES, name="gene_id"), columns=NAMES)


def tsv(table, **options):
    return table.to_csv(sep="\t", lineterminator="\n", **options)


def with_columns(table=FRAME, **more):
    """The table with columns of annotation before its samples."""
    return pd.concat([pd.DataFrame(more, index=table.index), table], axis=1)


def feature_counts():
    place = {"Chr": "1;1", "Start": "5;90", "End": "7;99", "Strand": "+;+", "Length": 900}
    table = with_columns(**place).rename_axis("Geneid")
    paths = {name: f"/data/my run/{name}.Aligned.sortedByCoord.out.bam" for name in NAMES}
    return '# Program:featureCounts v2.0.6; Command:"featureCounts" "-a" "x.gtf"\n' + tsv(
        table.rename(columns=paths)
    )


def gct(version):
    if version == 2:
        return "#1.2\n12\t3\n" + tsv(with_columns(Description="some words").rename_axis("Name"))
    lines = tsv(with_columns(symbol="S", rank=5).rename_axis("id")).splitlines()
    metadata = ["age\tna\tna\t31\t45\t60", "sex\tna\tna\tM\tF\tM"]
    return "\n".join(["#1.3", "12\t3\t2\t2", lines[0], *metadata, *lines[1:]]) + "\n"


def series():
    head = '!Series_title\t"A study"\n!Series_geo_accession\t"GSE1"\n\n!Sample_title\t"x"\t"y"\t"z"\n'
    table = tsv(FRAME.rename_axis("ID_REF"), quoting=2)
    return f"{head}!series_matrix_table_begin\n{table}!series_matrix_table_end\n"


def depmap():
    labels = [f"G{i} ({gene.split('.')[0]})" for i, gene in enumerate(GENES)]
    return FRAME.set_axis(labels).T.to_csv(index_label="")


FORMATS = {
    "featureCounts": (feature_counts, "m.txt", "featureCounts"),
    "GCT 1.2": (lambda: gct(2), "m.gct", "GCT"),
    "GCT 1.3": (lambda: gct(3), "m.gct", "GCT"),
    "GCT without its first line": (lambda: gct(2).split("\n", 1)[1], "m.gct", "GCT"),
    "GEO series matrix": (series, "GSE1_series_matrix.txt", "series matrix"),
    "recount3": (lambda: "##annotation=G026\n##date.generated=2020-01-01\n" + tsv(FRAME), "m.gz", "sums of base coverage"),
    "nf-core": (lambda: tsv(with_columns(gene_name="TP53")), "salmon.merged.gene_counts.tsv", "left out (1): gene_name"),
    "nf-core, RSEM": (lambda: tsv(with_columns(**{"transcript_id(s)": "t1,t2"})), "m.tsv", "transcript_id(s)"),
    "biotypes and lengths": (lambda: tsv(with_columns(gene_biotype="rRNA", Length=5, Entrez_Gene_Id=7)), "m.tsv", "(3)"),
    "Xena": (lambda: tsv(FRAME.rename_axis("Ensembl_ID")), "m.tsv", "Xena"),
    "prepDE": (lambda: FRAME.set_axis([f"{gene}|TP53" for gene in GENES]).to_csv(index_label="gene_id"), "m.csv", "prepDE"),
    "DepMap": (depmap, "m.csv", "turned"),
    "comments": (lambda: "# one\n#two\n\n% three\n" + tsv(FRAME), "m.tsv", "4 lines above the header"),
    "header in a comment": (lambda: "#" + tsv(FRAME), "m.tsv", None),
    "R, write.table": (lambda: FRAME.to_csv(sep=" ", quoting=2).split(" ", 1)[1], "m.txt", None),
    "R, write.csv with row names": (lambda: FRAME.reset_index().to_csv(index_label=""), "m.csv", "column gene_id"),
    "semicolons in .csv": (lambda: FRAME.to_csv(sep=";"), "m.csv", None),
    "several spaces": (lambda: FRAME.to_csv(sep=" ").replace(" ", "   "), "m.txt", None),
    "UTF-16": (lambda: tsv(FRAME).encode("utf-16"), "m.txt", None),
    "gzip": (lambda: gzip.compress(tsv(FRAME).encode()), "m.tsv.gz", None),
    "bzip2": (lambda: bz2.compress(tsv(FRAME).encode()), "m.tsv.bz2", None),
    "xz": (lambda: lzma.compress(tsv(FRAME).encode()), "m.tsv.xz", None),
}  # fmt: skip


def zipped(*members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in members:
            archive.writestr(name, tsv(FRAME))
    return file.getvalue()


def put(folder, content, name="m.tsv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_trains_and_serves_with_the_same_counts(tmp_path, kind):
    content, name, note = FORMATS[kind]
    path = put(tmp_path, content(), name)
    values, genes, notes = count_matrix.load(path, NAMES, "counts")
    assert np.array_equal(values, COUNTS) and genes == [gene.split(".")[0] for gene in GENES]
    assert note is None or note in "\n".join(notes)
    table, _ = count_matrix_file.read(path, "log")  # without a sheet
    served = [sample_names.for_sheet(column) for column in table.columns]
    assert served == NAMES and np.array_equal(count_matrix.load(path, served, "counts")[0], COUNTS)


def test_a_zip_of_one_table_is_read_and_one_of_two_is_refused_with_their_names(tmp_path):
    assert np.array_equal(
        count_matrix.load(put(tmp_path, zipped("m.tsv", "__MACOSX/m.tsv")), NAMES, "counts")[0], COUNTS
    )
    with pytest.raises(InputProblem, match=r"archive of 2 files \(a\.tsv, b\.tsv\)"):
        count_matrix.load(put(tmp_path, zipped("a.tsv", "b.tsv")), NAMES, "counts")


def test_a_series_matrix_without_values_names_the_files_that_have_them(tmp_path):
    head = '!Series_supplementary_file\t"ftp://x/GSE1_counts.txt.gz"\n!series_matrix_table_begin\n'
    empty = head + '"ID_REF"\t"GSM1"\t"GSM2"\n!series_matrix_table_end\n'
    with pytest.raises(InputProblem, match=r"empty table.*GSE1_counts\.txt\.gz"):
        count_matrix.load(put(tmp_path, empty), ["GSM1", "GSM2"], "counts")


@pytest.mark.parametrize("gene", ["nan", "NA", "null", "None", "inf", "1e5", "007", "True", "#N", "a b"])
def test_an_id_is_read_as_it_is_written(tmp_path, gene):
    table = FRAME.set_axis([*GENES[:5], gene, *GENES[6:]]).rename_axis("gene_id")
    assert list(count_matrix_file.read(put(tmp_path, tsv(table)))[0].index)[5] == gene


def test_an_empty_id_stays_empty(tmp_path):
    table = FRAME.set_axis([*GENES[:5], "", *GENES[6:]]).rename_axis("gene_id")
    path = put(tmp_path, tsv(table))
    assert list(count_matrix_file.read(path)[0].index)[5] == ""
    with pytest.raises(InputProblem, match="gene row 6 has no gene id"):
        count_matrix.load(path, NAMES, "counts")


def test_genes_of_cbioportal_without_symbol_are_named_by_entrez_id_or_left_out(tmp_path):
    text = "Hugo_Symbol\tEntrez_Gene_Id\tA\tB\nTP53\t7157\t5\t6\n\t1234\t7\t8\n\t\t9\t9\n"
    values, genes, notes = count_matrix.load(put(tmp_path, text), ["A", "B"], "counts")
    assert genes == ["TP53", "1234"] and values.tolist() == [[5, 6], [7, 8]]
    assert "1 gene without symbol named by Entrez id" in notes
    assert "1 row without symbol and Entrez id left out" in notes


def test_stringties_own_numbers_give_way_to_names(tmp_path):
    text = "gene_id,A,B\nMSTRG.1|TP53,5,6\nMSTRG.2,7,8\nFBgn01|w,9,9\n"
    assert count_matrix.load(put(tmp_path, text, "m.csv"), ["A", "B"], "counts")[1] == [
        "TP53",
        "MSTRG.2",
        "FBgn01",
    ]


@pytest.mark.parametrize("name", ["Length", "Start", "gene_name", "ID", "Entrez_Gene_Id", "Description"])
def test_a_numeric_column_that_the_sheet_names_is_a_sample(tmp_path, name):
    path = put(tmp_path, tsv(FRAME.rename(columns={"B-2": name})))
    assert np.array_equal(count_matrix.load(path, ["A-1", name, "C-3"], "counts")[0], COUNTS)
    assert list(count_matrix_file.read(path)[0].columns) == ["A-1", "C-3"]


SINGLE = {
    "STAR": "N_unmapped\t5\t5\t6\nN_multimapping\t1\t1\t1\nN_noFeature\t1\t1\t1\nN_ambiguous\t1\t1\t1\ng0\t5\t5\t2\n",
    "HTSeq": "g0\t5\ng1\t7\n__no_feature\t9\n",
    "Salmon": "Name\tLength\tEffectiveLength\tTPM\tNumReads\nt1\t500\t400.5\t3.5\t12.2\n",
    "kallisto": "target_id\tlength\teff_length\test_counts\ttpm\nt1\t500\t400.5\t12.2\t3.5\n",
    "RSEM": "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\ng\tt\t5\t4\t3\t2\t1\n",
    "GDC": "# gene-model: GENCODE v36\ngene_id\tgene_name\tgene_type\tunstranded\tstranded_first\tstranded_second\ttpm_unstranded\n"
    "N_unmapped\t\t\t5\t5\t5\t\nENSG1.2\tA\tx\t5\t2\t3\t1.5\n",
}


@pytest.mark.parametrize("program", SINGLE)
def test_the_table_of_one_sample_is_told_where_to_go(tmp_path, program):
    with pytest.raises(
        InputProblem, match=rf"{program}.* one sample; leave counts out of the config .* counts_file"
    ):
        count_matrix.load(put(tmp_path, SINGLE[program]), NAMES, "counts")


def with_commas(values):
    return [[f"{value:.3f}".replace(".", ",") for value in row] for row in values]


def test_decimal_commas_are_read_where_they_can_be_nothing_else(tmp_path):
    values = COUNTS * 1.37 + 0.25
    for separator, name in ((";", "m.csv"), ("\t", "m.tsv"), (",", "m.csv")):
        table = pd.DataFrame(with_commas(values), GENES, NAMES).rename_axis("gene_id")
        path = put(tmp_path, table.to_csv(sep=separator), name)
        matrix, _, notes = count_matrix.load(path, NAMES, "expected_counts")
        assert np.allclose(matrix, np.round(values, 3)) and "decimal commas read as decimal points" in notes


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("8,866", "8866 with a comma between thousands, 8.866 with a decimal comma"),
        ("1,234,567", "write 1234567"),
        ("1,234.5", "write 1234.5"),
        ("12,5", "Write 12.5"),
        ("1 234", "Write digits only"),
        ("many", "'many' is not a number."),
    ],
)
def test_the_advice_fits_the_cell(tmp_path, cell, advice):
    table = FRAME.astype(str)
    table.iloc[4, 1] = cell
    with pytest.raises(InputProblem, match=r"gene ENSG00000000005\.6, sample B-2: ") as raised:
        count_matrix.load(put(tmp_path, tsv(table)), NAMES, "counts")
    assert advice in str(raised.value)


@given(
    some.lists(
        some.from_regex(r"[A-Z][0-9]{1,2}-[a-z]{1,3}", fullmatch=True), min_size=2, max_size=6, unique=True
    )
)
def test_names_of_r_are_suggested_where_they_are_one_to_one(names):
    columns = [name.replace("-", ".") for name in names]
    matched, _, suggested = sample_names.match(columns, names)
    assert not matched and {name: column for name, (column, _) in suggested.items()} == dict(
        zip(names, columns, strict=True)
    )


@pytest.mark.parametrize(
    ("names", "columns", "why"),
    [
        (["1-D", "2-D"], ["X1.D", "X2.D"], "R writes"),
        (["TCGA-AA-1000", "TCGA-AA-1001"], ["TCGA-AA-1000-01A-11R", "TCGA.AA.1001.01A"], "longer barcodes"),
        (["TCGA-AA-1000-01A", "TCGA-AA-1001-01A"], ["TCGA-AA-1000-01", "TCGA-AA-1001-01"], "longer barcodes"),
        (["s1", "s2"], ["S1", "S2"], "case only"),
        (["s1", "s2"], ["X.data.s1.Aligned.sortedByCoord.out.bam", "X.data.s2.bam"], "contains it"),
        (["s1", "s2"], ["counts_s1", "counts_s2"], "contains it"),
    ],
)
def test_what_would_make_names_match_is_said_and_not_done(names, columns, why):
    matched, _, suggested = sample_names.match(columns, names)
    assert not matched and [suggested[name][0] for name in names] == columns
    assert why in suggested[names[0]][1]


def test_two_columns_of_one_patient_are_never_chosen_between():
    columns = ["TCGA-AA-1000-01A", "TCGA-AA-1000-11A"]
    table = pd.DataFrame(1, index=["g"], columns=columns)
    with pytest.raises(InputProblem, match="could be TCGA-AA-1000-01A or TCGA-AA-1000-11A") as raised:
        sample_names.choose(table, ["TCGA-AA-1000"], "m.tsv")
    assert "FIX_NAMES" not in str(raised.value)


def test_two_files_of_one_sample_are_not_taken_for_it():
    columns = ["/a/s1.bam", "/b/s1.sorted.bam", "/b/s2.bam"]
    matched, _, suggested = sample_names.match(columns, ["s1", "s2"])
    assert matched == {"s2": "/b/s2.bam"} and "s1" not in suggested


def test_titles_of_geo_are_suggested_for_accessions(tmp_path):
    with pytest.raises(InputProblem, match=r"x may be A-1 \(its title in GEO; 3 of 3"):
        count_matrix.load(put(tmp_path, series(), "s.txt"), ["x", "y", "z"], "counts")
