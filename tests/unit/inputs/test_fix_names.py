"""`make sheet FIX_NAMES=sheet COUNTS=matrix`: a sheet whose names the matrix has, and nothing that was guessed between two."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from rna2model.cohort import count_matrix
from rna2model.core.errors import InputProblem
from rna2model.inputs import fix_names
from tests.command import REPOSITORY

SHEET = "sample\tcondition\tnote\n{}"


def files(folder, names, columns, genes=12):
    """(sheet, matrix) of samples `names`, whose columns in the matrix are called `columns`."""
    sheet, counts = folder / "samples.tsv", folder / "counts.tsv"
    rows = "".join(f'{name}\t{"ab"[i % 2]}\t"two, words"\n' for i, name in enumerate(names))
    sheet.write_text(SHEET.format(rows))
    values = np.random.default_rng(1).poisson(200, (genes, len(columns)))
    pd.DataFrame(values, index=[f"gene{i}" for i in range(genes)], columns=columns).to_csv(counts, sep="\t")
    return sheet, counts


def of_r(name):
    """What R's make.names makes of a name."""
    legal = "".join(c if c.isalnum() or c in "._" else "." for c in name)
    return legal if legal[0].isalpha() else f"X{legal}"


@given(
    names=some.lists(
        some.from_regex(r"[0-9A-Z][0-9]{1,2}-[a-z]{1,3}", fullmatch=True), min_size=2, max_size=6, unique=True
    )
)
def test_the_new_sheet_names_the_columns_that_r_wrote_and_keeps_every_other_cell(names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    columns = [of_r(name) for name in names]
    sheet, counts = files(folder, names, columns)
    text, complete = fix_names.write(sheet, counts)
    fixed = pd.read_csv(folder / "samples.fixed.tsv", sep="\t")
    before = pd.read_csv(sheet, sep="\t")
    assert complete and fixed["sample"].tolist() == columns
    assert fixed.drop(columns="sample").equals(before.drop(columns="sample"))
    assert all(f"{name} is now {column}" in text for name, column in zip(names, columns, strict=True))
    assert count_matrix.load(counts, columns, "counts")[0].shape == (12, len(columns))


def test_a_name_that_fits_two_columns_stays_and_the_command_says_so(tmp_path):
    names = ["TCGA-AA-1000", "TCGA-AA-1001"]
    columns = ["TCGA-AA-1000-01A", "TCGA-AA-1000-11A", "TCGA-AA-1001-01A"]
    sheet, counts = files(tmp_path, names, columns)
    command = [sys.executable, str(REPOSITORY / "scripts/sheet.py"), "--fix-names", str(sheet)]
    done = subprocess.run([*command, "--counts", str(counts)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "no column for TCGA-AA-1000; nothing fits it alone" in done.stdout
    fixed = pd.read_csv(tmp_path / "samples.fixed.tsv", sep="\t")["sample"].tolist()
    assert fixed == ["TCGA-AA-1000", "TCGA-AA-1001-01A"]
    again = subprocess.run([*command, "--counts", str(counts)], capture_output=True, text=True)
    assert again.returncode == 2 and "exists and stays as it is" in again.stderr
    elsewhere = [*command, "--counts", str(counts), "--out", str(tmp_path / "new" / "folder")]
    assert subprocess.run(elsewhere).returncode == 1
    assert (tmp_path / "new/folder/samples.fixed.tsv").is_file()
    missing = subprocess.run(command, capture_output=True, text=True)
    assert missing.returncode == 2 and "which matrix has the names?" in missing.stderr


def test_names_that_match_as_they_are_write_nothing(tmp_path):
    sheet, counts = files(tmp_path, ["s1", "s2"], ["/x/s1.bam", "s2"])
    text, complete = fix_names.write(sheet, counts)
    assert complete and "nothing was written" in text and not (tmp_path / "samples.fixed.tsv").exists()


@pytest.mark.parametrize(
    ("text", "words"), [("name\tcondition\na\tx\n", "column 'sample' is missing"), ("", "samples.tsv")]
)
def test_a_sheet_that_cannot_be_read_is_refused(tmp_path, text, words):
    _, counts = files(tmp_path, ["s1"], ["S1"])
    (tmp_path / "samples.tsv").write_text(text)
    with pytest.raises(InputProblem, match=words):
        fix_names.write(tmp_path / "samples.tsv", counts)
