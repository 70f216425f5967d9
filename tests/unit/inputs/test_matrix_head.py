"""What the first rows of a matrix show is said before any job; what only the whole file shows is not guessed from them."""

import gzip

import pytest

from rna2model.cohort import count_matrix
from rna2model.core.errors import InputProblem
from rna2model.inputs import matrix_head
from tests.unit.cohort.tables.test_tables import FORMATS, FRAME, NAMES, feature_counts, put, tsv


@pytest.mark.parametrize("kind", FORMATS)
def test_a_matrix_that_is_read_has_no_problem_in_its_head(tmp_path, kind):
    content, name, _ = FORMATS[kind]
    assert matrix_head.problems(put(tmp_path, content(), name), NAMES) == []


def test_published_matrices_have_none(real_data):
    paths = []
    for path in sorted(real_data.glob("matrices/*/*counts*.tsv*")):
        opened = gzip.open if path.name.endswith(".gz") else open
        with opened(path, "rt") as file:
            header, first = (next(file).rstrip("\n").split("\t") for _ in range(2))
        samples = header if len(header) < len(first) else header[1:]
        paths.append(path)
        assert matrix_head.problems(path, samples[-6:]) == []
    assert len(paths) > 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.rename(columns={NAMES[1]: "other"}), f"has no column for 1 samples of the sheet: {NAMES[1]}"),
        (lambda table: table.T.rename_axis("sample"), "is transposed: samples are its rows"),
        (lambda table: table.rename(columns={NAMES[1]: NAMES[0]}), f"sample column '{NAMES[0]}' is there twice"),
    ],
)  # fmt: skip
def test_the_head_says_what_the_job_would_say(tmp_path, change, message):
    path = put(tmp_path, tsv(change(FRAME)))
    (problem,) = matrix_head.problems(path, NAMES)
    assert message in problem
    with pytest.raises(InputProblem) as raised:
        count_matrix.load(path, NAMES, "counts")
    assert message in str(raised.value)


def test_words_among_the_numbers_of_several_samples_are_said_at_once_and_commas_left_to_the_job(tmp_path):
    table = FRAME.astype(object)
    table.iloc[2, 0], table.iloc[3, 1], table.iloc[4, 1] = "many", "few", "few"
    problems = matrix_head.problems(put(tmp_path, tsv(table)), NAMES)
    genes = list(FRAME.index)
    assert [problem.partition(": ")[2] for problem in problems] == [
        f"gene {genes[2]}, sample {NAMES[0]}: 'many' is not a number.",
        f"gene {genes[3]}, sample {NAMES[1]}: 'few' is not a number.",
    ]
    table = FRAME.astype(object)
    table.iloc[2, 0], table.iloc[3, 0] = "8,866", "NA"
    assert matrix_head.problems(put(tmp_path, tsv(table)), NAMES) == []


def test_names_that_would_match_are_shown_with_the_columns_that_nobody_claims(tmp_path):
    paths = feature_counts().replace(NAMES[0], "SomethingElse")
    (problem,) = matrix_head.problems(put(tmp_path, paths, "m.txt"), NAMES)
    assert NAMES[0] in problem and "SomethingElse" in problem


@pytest.mark.parametrize(("content", "message"), [(b"", "it is empty"), (b"\0\1\2" * 50, "it is no text")])
def test_what_is_no_table_is_said_to_be_none(tmp_path, content, message):
    (problem,) = matrix_head.problems(put(tmp_path, content), NAMES)
    assert message in problem
    assert matrix_head.problems(tmp_path / "nowhere.tsv", NAMES) == []
