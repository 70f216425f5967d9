"""The files between reads and cohort: reference/genes.tsv and counts/<sample>.tsv, each read in one place."""

import numpy as np
import pytest

from rna2model.core import gene_table
from rna2model.core.errors import InputProblem
from rna2model.reads import strandedness

GENES = "gene_id\tgene_name\tchromosome\tstart\tend\tstrand\tlength\tbiotype\n"


def test_the_gene_table_reads_the_same_as_rows_and_as_a_frame(tmp_path):
    """Ids and chromosomes that look like numbers, and a symbol that looks like a missing value, stay text."""
    path = tmp_path / "genes.tsv"
    rows = ["0012\tNA\t1\t11\t20\t+\t10\tprotein_coding", "g2\tSEPT2\t1\t31\t60\t-\t30\tlncRNA"]
    path.write_text(GENES + "".join(f"{row}\n" for row in rows))
    read, frame = gene_table.read(path), gene_table.as_frame(path)
    assert [row["gene_id"] for row in read] == list(frame.index) == ["0012", "g2"]
    assert list(frame["gene_name"]) == ["NA", "SEPT2"] and list(frame["chromosome"]) == ["1", "1"]
    assert [int(row["length"]) for row in read] == frame["length"].tolist() == [10, 30]
    assert strandedness.clear_genes(path) == [("1", 10, 20, "+"), ("1", 30, 60, "-")]


def test_counts_come_in_the_order_that_is_asked_for(tmp_path):
    path = tmp_path / "s1.tsv"
    path.write_text("gene_id\tcount\ng1\t5\ng2\t0\ng3\t4000000000\n")
    assert gene_table.read_counts(path) == {"g1": 5, "g2": 0, "g3": 4_000_000_000}
    for order, expected in ((["g1", "g2", "g3"], [5, 0, 4e9]), (["g3", "g1", "g2"], [4e9, 5, 0])):
        counts = gene_table.counts_in_order(path, order)
        assert counts.dtype == np.int64 and counts.tolist() == expected


@pytest.mark.parametrize("genes", [["g1", "g2"], ["g1", "g2", "g3", "g4"], ["g1", "g2", "g4"]])
def test_counts_of_other_genes_than_those_of_the_reference_are_refused(genes, tmp_path):
    (tmp_path / "s1.tsv").write_text("gene_id\tcount\ng1\t5\ng2\t0\ng3\t4\n")
    with pytest.raises(InputProblem, match=r"s1\.tsv does not hold the genes of the reference, each once"):
        gene_table.counts_in_order(tmp_path / "s1.tsv", genes)
