"""Faults of a count matrix. `inject` gets a Project with a matrix."""

import gzip
import re

import numpy as np
import pandas as pd

from tests.faults.case import ACCEPTED, EXCLUDED, NOTED, STOPPED, Case
from tests.faults.catalogue.tablefiles import (
    doubled,
    entrez,
    frame,
    h5ad,
    ids_last,
    logarithms_in_x,
    nullable,
    numbered,
    of_a_run,
    plain_hdf5,
    renamed,
    without_values,
)
from tests.faults.project import NAMES, Project


def text(change, name="counts.tsv", **options):
    """Write the matrix' text, changed, to `name`."""

    def inject(project):
        project.file(name, change(project.counts_text(**options)))
        project.config["counts"] = name

    return inject


def values(change, unit=None, **options):
    """Replace the values (30 genes, 12 samples) by `change(values as float)`; integers stay integers in the text."""

    def inject(project):
        changed = change(project.counts().astype(float))
        shown = [
            [f"{value:.0f}" if value == round(value) else repr(float(value)) for value in row]
            for row in changed
        ]
        project.file("counts.tsv", project.counts_text(shown, **options))
        if unit:
            project.config["counts_unit"] = unit

    return inject


def put(value, unit=None, text=None):
    """One cell: gene g04 of sample s03."""

    def inject(project):
        cells = project.counts().astype(str).astype(object)
        if unit == "log":
            cells = np.round(np.log2(project.counts() + 1), 4).astype(str).astype(object)
        cells[4, 2] = value
        project.file("counts.tsv", project.counts_text(cells))
        if unit:
            project.config["counts_unit"] = unit

    return inject


def damaged(plain):
    packed = bytearray(gzip.compress((plain * 20).encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    return bytes(packed)


def flat(table):
    """A sample without a count."""
    table[:, 2] = 0
    return table


def billions(table):
    table[:, 2] *= 1e9
    return table


def genes(change):
    return lambda project: project.file(
        "counts.tsv", project.counts_text(genes=[change(i) for i in range(30)])
    )


def ensembl(number):
    return f"ENSG{number:011}"


def transposed(project):
    table = pd.read_csv(project.folder / "counts.tsv", sep="\t", index_col=0).T
    project.file("counts.tsv", table.to_csv(sep="\t", index_label="sample"))


def extra_sample(project):
    counts = np.hstack([project.counts(), project.counts()[:, :1]])
    project.file("counts.tsv", project.counts_text(counts, names=[*NAMES, "stranger"]))


def sample_twice(project):
    counts = np.hstack([project.counts(), project.counts()[:, :1]])
    project.file("counts.tsv", project.counts_text(counts, names=[*NAMES, "s01"]))


def all_lines(change):
    """Replace each line by `change(number, cells)`, a list of cells."""
    return text(
        lambda t: "".join(
            "\t".join(change(i, line.split("\t"))) + "\n" for i, line in enumerate(t.splitlines())
        )
    )


def one_gene(change):
    """Replace the cells of gene g04."""
    return all_lines(lambda i, cells: change(cells) if i == 5 else cells)


def stranger_last(change):
    """The lines of a matrix that also has a sample which is not of the sheet, in its last column."""

    def inject(project):
        extra_sample(project)
        lines = (project.folder / "counts.tsv").read_text().splitlines()
        project.file("counts.tsv", "".join(change(i, line) + "\n" for i, line in enumerate(lines)))

    return inject


def total(name):
    return text(lambda t: t + f"{name}\t" + "\t".join(map(str, Project.counts().sum(axis=0))) + "\n")


def whitespace(i, cells):
    return [f" {cells[0]} ", *cells[1:]]


def of_feature_counts(i, cells):
    """Its columns between ids and counts."""
    place = ["1;1", "5;9", "7;12", "+;+", "7"] if i else ["Chr", "Start", "End", "Strand", "Length"]
    return [cells[0], *place, *cells[1:]]


def per_million(table):
    return 1e6 * table / table.sum(axis=0)


def logs_of_counts(table):
    return np.log2(table * np.where(np.arange(12) % 2, 1, 4) + 1)


def nearly_empty(table):
    table[:, 2] = 0
    table[:5, 2] = 3
    return table


def far_below(project):
    values(nearly_empty)(project)
    project.set("qc.min_counts", 0)


def with_ercc(plain):
    return plain + "".join(f"ERCC-{i:05}\t" + "\t".join([str(90 * i)] * 12) + "\n" for i in range(1, 6))


def htseq_tail(plain):
    return plain + "__no_feature\t" + "\t".join(["9"] * 12) + "\n"


VALUE, FILE, IDS, SAMPLES = "matrix, a value", "matrix, its file", "matrix, gene ids", "matrix, its columns"
CASES = [
    Case("transposed", FILE, transposed, STOPPED, "is transposed"),
    Case("negative", VALUE, put("-1"), STOPPED, "gene g04, sample s03: -1 is negative"),
    Case("NaN", VALUE, put("NaN"), STOPPED, "gene g04, sample s03: nan is missing or not finite"),
    Case("empty cell", VALUE, put(""), STOPPED, "gene g04, sample s03: nan is missing or not finite"),
    Case("infinite", VALUE, put("inf"), STOPPED, "gene g04, sample s03: inf is missing or not finite"),
    Case("decimals in counts", VALUE, put("2.5"), STOPPED, "gene g04, sample s03: 2.5 is not an integer; set counts_unit"),
    Case("thousands separator", VALUE, put("1,000"), STOPPED, "gene g04, sample s03: '1,000' is not a number"),
    Case("word", VALUE, put("many"), STOPPED, "gene g04, sample s03: 'many' is not a number"),
    Case("true and false", FILE, text(lambda t: re.sub(r"\t\d+", "\tTrue", t)), STOPPED, "is not a number"),
    Case("more than can be counted", VALUE, put("1e300"), STOPPED, "gene g04, sample s03: 1e+300 is more than can be counted"),
    Case("beyond whole numbers of a float", VALUE, put(str(2**60 + 1)), STOPPED, "is more than can be counted"),
    Case("logarithms given as counts", FILE, values(lambda t: np.log2(t + 1)), STOPPED, "is not an integer; set counts_unit"),
    Case("logarithms given as TPM", FILE, values(lambda t: np.log2(t + 1), "tpm"), STOPPED, "this looks like logarithms, not tpm"),
    Case("counts given as logarithms", FILE, values(lambda t: t, "log"), STOPPED, "these are not logarithms"),
    Case("gap among logarithms", VALUE, put("NA", "log"), STOPPED, "to fill it in, set expression.missing"),
    Case("infinite logarithm", VALUE, put("-inf", "log"), STOPPED, "gene g04, sample s03: -inf is missing or not finite"),
    Case("billions of counts", "matrix, a sample", values(billions), NOTED, "counts are more than a library has"),
    Case("sample without a count", "matrix, a sample", values(flat), EXCLUDED, "no counts in the matrix"),
    Case("empty file", FILE, text(lambda t: ""), STOPPED, "cannot be read as a matrix"),
    Case("header only", FILE, text(lambda t: t.splitlines()[0] + "\n"), STOPPED, "holds 0 genes x 12 samples"),
    Case("no sample column", FILE, text(lambda t: "".join(f"{line.split()[0]}\n" for line in t.splitlines())), STOPPED, "holds 30 genes x 0 samples"),
    Case("UTF-16", FILE, text(lambda t: t.encode("utf-16")), ACCEPTED),
    Case("latin-1", FILE, text(lambda t: t.replace("g04", "gé").encode("latin-1")), STOPPED, "It must be text (UTF-8"),
    Case("semicolons", FILE, text(lambda t: t.replace("\t", ";")), ACCEPTED),
    Case("commas in .tsv", FILE, text(lambda t: t.replace("\t", ",")), ACCEPTED),
    Case("a spreadsheet's own file", FILE, text(lambda t: b"PK\x03\x04\xff\xfe" * 99, "counts.xlsx"), STOPPED, "cannot be read as a matrix"),
    Case("plain text named .gz", FILE, text(lambda t: t, "counts.tsv.gz"), ACCEPTED),
    Case("gzip named .tsv", FILE, text(lambda t: gzip.compress(t.encode())), ACCEPTED),
    Case("truncated gzip", FILE, text(lambda t: gzip.compress(t.encode())[:-20], "counts.tsv.gz"), STOPPED, "cannot be read as a matrix"),
    Case("damaged gzip", FILE, text(damaged, "counts.tsv.gz"), STOPPED, "cannot be read as a matrix"),
    Case("a row too long", FILE, text(lambda t: t.replace("\ng04", "\t7\ng04")), STOPPED, "cannot be read as a matrix"),
    Case("a row cut short", FILE, text(lambda t: t.rstrip().rsplit("\t", 1)[0] + "\n"), STOPPED, "gene g29, sample s12: nan is missing"),
    Case("a quote that never closes", FILE, text(lambda t: t.replace("g04", '"g04')), STOPPED, "cannot be read as a matrix"),
    Case("two quotes that never close", FILE, text(lambda t: t.replace("g04", '"g04').replace("\ng06", '\ng0"6')), STOPPED, "counts.tsv"),
    Case("table of featureCounts", FILE, text(lambda t: "# Program:featureCounts v2\n" + t), NOTED, "1 line above the header skipped"),
    Case("a gene twice, as counts", IDS, genes(lambda i: f"g{max(i, 1):02}"), NOTED, "1 repeated rows added to their gene"),
    Case("a gene twice, as logarithms", IDS, values(lambda t: np.log2(t + 1), "log", genes=["g01", *(f"g{i:02}" for i in range(1, 30))]), STOPPED, "logarithms cannot be added up"),
    Case("versions of Ensembl ids", IDS, genes(lambda i: f"{ensembl(i)}.{i + 1}"), NOTED, "30 gene ids: version stripped"),
    Case("Ensembl ids among symbols", IDS, genes(lambda i: ensembl(i) if i % 2 else f"G{i}"), STOPPED, "Give all genes ids of one kind"),
    Case("symbols made dates", IDS, genes(lambda i: "1-Mar" if i == 4 else f"G{i}"), STOPPED, "'1-Mar' is a date"),
    Case("a gene without id", IDS, genes(lambda i: "" if i == 4 else f"G{i}"), STOPPED, "gene row 5 has no gene id"),
    Case("rows below HTSeq's genes", IDS, text(htseq_tail), NOTED, "1 rows of what a counter could not assign left out"),
    Case("missing sample", SAMPLES, text(lambda t: t.replace("s03", "x03")), STOPPED, "no column for 1 samples of the sheet: s03"),
    Case("names in another case", SAMPLES, text(lambda t: t.replace("s", "S")), STOPPED, "no column for 12 samples"),
    Case("sample twice", SAMPLES, sample_twice, STOPPED, "sample column 's01' is there twice"),
    Case("extra sample", SAMPLES, extra_sample, NOTED, "of no sample that is read here (1): stranger"),
    Case("samples in another order", SAMPLES, frame(lambda t, path: t[NAMES[::-1]].to_csv(path, sep="\t", index_label="g"), "tsv"), ACCEPTED),
    Case("R's header, one name short", FILE, text(lambda t: t.removeprefix("gene_id\t")), ACCEPTED),
    Case("CRLF line ends", FILE, text(lambda t: t.replace("\n", "\r\n")), ACCEPTED),
    Case("byte order mark", FILE, text(lambda t: t.encode("utf-8-sig")), ACCEPTED),
    Case("parquet", FILE, frame(lambda t, path: t.to_parquet(path), "parquet"), ACCEPTED),
    Case("parquet of strings", FILE, frame(lambda t, path: t.astype(str).to_parquet(path), "parquet"), STOPPED, "numbers are stored as text"),
    Case("parquet with a gap", FILE, frame(lambda t, path: nullable(t).to_parquet(path), "parquet"), STOPPED, "gene g04, sample s03"),
    Case("parquet without values", FILE, frame(lambda t, path: t[[]].reset_index(drop=True).to_parquet(path), "parquet"), STOPPED, "it needs both"),
    Case("text named .parquet", FILE, text(lambda t: t, "counts.parquet"), STOPPED, "cannot be read as a matrix"),
    Case("h5ad", FILE, h5ad(), ACCEPTED),
    Case("h5ad of other samples", FILE, h5ad(renamed), STOPPED, "no column for 12 samples"),
    Case("h5ad with a sample twice", FILE, h5ad(doubled), STOPPED, "sample column 's01' is there twice"),
    Case("h5ad without values", FILE, h5ad(without_values), STOPPED, "neither a layer for counts nor X"),
    Case("HDF5 that is no h5ad", FILE, frame(plain_hdf5, "h5ad"), STOPPED, "cannot be read as a matrix"),
    Case("text named .h5ad", FILE, text(lambda t: t, "counts.h5ad"), STOPPED, "cannot be read as a matrix"),
    Case("tab at the end of each row, not of the header", FILE, stranger_last(lambda i, line: line + "\t" * (i > 0)), STOPPED, "its header has 14 cells, its first row 15"),
    Case("two tabs in the header", FILE, stranger_last(lambda i, line: line if i else line.replace("\t", "\t\t", 1)), STOPPED, "its header has 15 cells, its first row 14"),
    Case("tab at the end of each line", FILE, text(lambda t: t.replace("\n", "\t\n")), ACCEPTED),
    Case("tab at the end of the header", FILE, text(lambda t: t.replace("\n", "\t\n", 1)), ACCEPTED),
    Case("blank lines", FILE, text(lambda t: t.replace("\n", "\n\n") + "\t" * 12 + "\n"), ACCEPTED),
    Case("all cells quoted", FILE, all_lines(lambda i, cells: [f'"{cell}"' for cell in cells]), ACCEPTED),
    Case("CR line ends", FILE, text(lambda t: t.replace("\n", "\r")), ACCEPTED),
    Case("separated by spaces", FILE, text(lambda t: t.replace("\t", " ")), ACCEPTED),
    Case("tabs and commas", FILE, text(lambda t: t.replace("\t", ",", 5)), STOPPED, "cannot be read as a matrix"),
    Case("decimal comma", VALUE, put("1,5", "expected_counts"), STOPPED, "gene g04, sample s03: '1,5' is not a number"),
    Case("decimal commas in .csv", FILE, text(lambda t: "gene_id,s01,s02\n" + "g1,1,5,99\n" * 3, "counts.csv"), STOPPED, "decimal commas?"),
    Case("spaces between thousands", VALUE, put("1 500"), STOPPED, "'1 500' is not a number"),
    Case("hexadecimal", VALUE, put("0x15"), STOPPED, "'0x15' is not a number"),
    Case("per cent", VALUE, put("15%"), STOPPED, "'15%' is not a number"),
    Case("whole numbers as R writes them", FILE, text(lambda t: re.sub(r"\t(\d+)", lambda m: f"\t{float(m[1]):.15e}", t)), ACCEPTED),
    Case("one more than a float counts", VALUE, put(str(2**53 + 1)), STOPPED, "is more than can be counted"),
    Case("TPM given as counts", FILE, values(per_million), STOPPED, "is not an integer; set counts_unit"),
    Case("TPM given as expected counts", FILE, values(per_million, "expected_counts"), STOPPED, "these are TPM or CPM"),
    Case("counts given as TPM", FILE, values(lambda t: t, "tpm"), STOPPED, "these are counts, not TPM"),
    Case("more than a million as TPM", FILE, values(lambda t: 3.3 * per_million(t), "tpm"), STOPPED, "TPM add up to a million at most"),
    Case("a row Total", IDS, total("Total"), STOPPED, "row 'Total' is the sum of the others"),
    Case("a row of sums under another name", IDS, total("all_genes"), STOPPED, "row 'all_genes' is the sum of the others"),
    Case("spaces around gene ids", IDS, all_lines(whitespace), ACCEPTED),
    Case("a gene twice, once with a space", IDS, genes(lambda i: "g04 " if i == 5 else f"g{i:02}"), NOTED, "1 repeated rows added to their gene"),
    Case("spaces around sample names", SAMPLES, text(lambda t: t.replace("s03", " s03 ")), ACCEPTED),
    Case("row numbers before the ids", IDS, all_lines(lambda i, cells: [str(i - 1) if i else "", *cells]), NOTED, "gene ids taken from column gene_id"),
    Case("the table of one sample by STAR", FILE, text(lambda t: "N_unmapped\t5\t5\t6\nN_multimapping\t1\t1\t1\ng00\t5\t5\t2\n"), STOPPED, "STAR's table of one sample"),
    Case("the table of one sample by HTSeq", FILE, text(lambda t: "".join(f"g{i}\t7\n" for i in range(30))), STOPPED, "counts_file"),
    Case("columns of featureCounts", FILE, all_lines(of_feature_counts), NOTED, "describe genes left out (5): Chr, Start, End, Strand, Length"),
    Case("comment of featureCounts", FILE, text(lambda t: '# Program:featureCounts v2.0.3; Command:"featureCounts" "-a"\n' + t), NOTED, "1 line above the header skipped"),
    Case("GCT", FILE, text(lambda t: "#1.2\n30\t12\n" + t), NOTED, "read as a GCT file"),
    *(
        Case(f"symbol made {name}", IDS, one_gene(lambda cells, name=name: [name, *cells[1:]]), STOPPED, f"{name!r} is {what}")
        for name, what in {
            "Mar-01": "a date", "2-sep": "a date", "1-Mär": "a date", "3/1/2023": "a date", "2023-09-02 00:00:00": "a date",
            "44256": "a date", "2.31E+19": "a number", "#NAME?": "an error",
        }.items()
    ),
    Case("parquet whose ids are numbers", FILE, frame(entrez, "parquet"), ACCEPTED),
    Case("parquet whose ids come last", FILE, frame(ids_last, "parquet"), ACCEPTED),
    Case("parquet without ids", FILE, frame(lambda t, path: t.reset_index(drop=True).to_parquet(path), "parquet"), STOPPED, "no column of gene ids"),
    Case("parquet with two columns of ids", FILE, frame(lambda t, path: t.set_index("s12", append=True).to_parquet(path), "parquet"), STOPPED, "named by several columns"),
    Case("h5ad, counts in a layer, logarithms in X", FILE, h5ad(logarithms_in_x), ACCEPTED),
    Case("h5ad of a run on TPM", FILE, h5ad(of_a_run), STOPPED, "its layer 'counts' holds tpm, counts_unit says counts"),
    Case("h5ad whose genes are numbered", FILE, h5ad(numbered), STOPPED, "its gene ids are row numbers"),
    Case("rounded TPM given as counts", FILE, values(lambda t: np.round(per_million(t))), STOPPED, "these are TPM or CPM, not counts. Set counts_unit: tpm"),
    Case("logarithms of counts given as logarithms", FILE, values(logs_of_counts, "log"), STOPPED, "not normalised for the depth of each sample. Set counts_unit: log_counts"),
    Case("logarithms of counts given as counts", FILE, values(logs_of_counts), STOPPED, "set counts_unit: log_counts"),
    Case("normalised logarithms given as logarithms of counts", FILE, values(lambda t: np.log2(per_million(t) + 1), "log_counts"), STOPPED, "of a whole number + 1; set counts_unit: log"),
    Case("counts given as logarithms of counts", FILE, values(lambda t: t, "log_counts"), STOPPED, "these are not logarithms. Set counts_unit: counts"),
    Case("logarithms of counts given as such", FILE, values(lambda t: np.log2(t + 1), "log_counts"), NOTED, "logarithms (base 2) of count + 1 undone"),
    Case("a library of next to nothing", "matrix, a sample", values(nearly_empty), EXCLUDED, "too few counts: 15, minimum 100"),
    Case("a library far below the others", "matrix, a sample", far_below, NOTED, "less than 1 % of what the cohort's samples have"),
    Case("spike-ins among genes", IDS, text(with_ercc), NOTED, "rows that are no genes: 5 spike-ins (ERCC-00001, ERCC-00002, ERCC-00003 ...): left out of the cohort"),
    Case("rows without a name, as NA", IDS, genes(lambda i: "NA" if i > 25 else f"G{i}"), STOPPED, "4 rows are called 'NA', which stands for a missing name"),
    Case("a gene called NA", IDS, genes(lambda i: "NA" if i == 4 else f"g{i:02}"), ACCEPTED),
    Case("an Entrez id as R writes it", IDS, genes(lambda i: "1e+05" if i == 4 else str(7100 + 3 * i)), NOTED, "read as the integer (first: 1e+05 is 100000)"),
    Case("a symbol made 1e+05", IDS, genes(lambda i: "1e+05" if i == 4 else f"G{i}"), STOPPED, "'1e+05' is a number"),
]  # fmt: skip
