"""The sample sheet: nf-core sheets work, and every problem is named with row and column."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snakemake.io import PeriodicityDetector

from rna2model.inputs import config, sheet, sheet_text
from rna2model.inputs import design_checks as designs


@pytest.fixture
def write(tmp_path):
    """Write a sheet (and the FASTQ files it names) and read it back."""

    def write(
        text,
        name="samples.tsv",
        files=("a_R1.fastq.gz", "a_R2.fastq.gz", "b_R1.fastq.gz"),
        encoding="utf-8",
        **options,
    ):
        for file in files:
            (tmp_path / file).write_bytes(b"")
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return sheet.read(path, **options)

    return write


def tsv(*rows):
    return "\n".join("\t".join(row.split()) for row in rows).replace("_E_", "") + "\n"


def test_an_nf_core_sheet_works_unchanged(write):
    samples, problems = write(
        "sample,fastq_1,fastq_2,strandedness\nA,a_R1.fastq.gz,a_R2.fastq.gz,auto\nB,b_R1.fastq.gz,,reverse\n",
        "samples.csv",
    )
    assert problems == []
    assert (samples["A"].layout, samples["B"].layout) == ("paired", "single")
    assert samples["B"].strandedness == "reverse"


def test_repeated_rows_are_lanes_in_the_order_of_the_sheet(write):
    samples, problems = write(tsv("sample fastq_1", "A a_R1.fastq.gz", "A b_R1.fastq.gz"))
    assert problems == [] and [p[-13:] for p in samples["A"].fastq_1] == ["a_R1.fastq.gz", "b_R1.fastq.gz"]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(write):
    samples, problems = write("\ufeffsample\tfastq_1\tsex\r\nA\ta_R1.fastq.gz\tf\r\n\r\n")
    assert problems == [] and samples["A"].metadata == {"sex": "f"}


def test_numeric_names_stay_text(write):
    samples, _ = write(tsv("sample fastq_1", "101 a_R1.fastq.gz"))
    assert list(samples) == ["101"]


@pytest.mark.parametrize(
    "name", ["a;rm -rf", "$(touch x)", "../up", "a b", "-rf", "`id`", "a'b", "naïve", ""]
)
def test_a_name_a_shell_or_path_could_misread_is_refused(write, name):
    _, problems = write(f"sample\tfastq_1\n{name}\ta_R1.fastq.gz\n")
    assert any("row 2, column sample" in p for p in problems)


def test_all_problems_come_at_once_with_row_and_column(write):
    _, problems = write(
        tsv(
            "sample fastq_1 strandedness",
            "A missing.fastq.gz auto",
            "B b_R1.fastq.gz sideways",
            "C reads.txt auto",
        )
    )
    text = "\n".join(problems)
    assert "row 2, column fastq_1: no such file" in text
    assert "row 3, column strandedness: 'sideways' must be auto" in text
    assert "row 4, column fastq_1: 'reads.txt' must end in" in text


def test_lanes_that_disagree_on_metadata_are_refused(write):
    _, problems = write(tsv("sample fastq_1 donor", "A a_R1.fastq.gz d1", "A b_R1.fastq.gz d2"))
    assert (
        problems == [p for p in problems if "row 3, column donor: 'd2' differs from 'd1' in row 2" in p] != []
    )


def test_a_library_cannot_mix_single_and_paired_lanes(write):
    _, problems = write("sample\tfastq_1\tfastq_2\nA\ta_R1.fastq.gz\ta_R2.fastq.gz\nA\tb_R1.fastq.gz\t\n")
    assert any("mixes single-end and paired-end" in p for p in problems)


def test_one_file_under_two_samples_is_refused(write):
    _, problems = write(tsv("sample fastq_1", "A a_R1.fastq.gz", "B a_R1.fastq.gz"))
    assert any("the same file twice" in p and "row 2" in p and "row 3" in p for p in problems)


@pytest.mark.parametrize("level", [1, 9])
def test_a_lane_that_was_delivered_twice_is_refused_with_both_rows(write, tmp_path, level):
    for name in ("lane1", "again", "lane2"):
        read = f"@A:{name.replace('again', 'lane1')}:1 1:N:0:A\n{'ACGT' * 9}\n+\n{'F' * 36}\n"
        packed = gzip.compress(read.encode(), level if name == "again" else 6)
        (tmp_path / f"{name}_R1.fastq.gz").write_bytes(packed)
    rows = [f"A {name}_R1.fastq.gz" for name in ("lane1", "lane2", "again")]
    _, problems = write(tsv("sample fastq_1", *rows))
    assert (
        len(problems) == 1
        and "rows 2 and 4, column fastq_1" in problems[0]
        and "begin with the same read" in problems[0]
    )
    assert write(tsv("sample fastq_1", *rows[:2]))[1] == []


def test_an_accession_twice_in_a_sample_is_refused(write):
    _, problems = write(tsv("sample accession layout", "A SRR123456 paired", "A SRR123456 paired"))
    assert any("row 3, column accession: SRR123456 is there twice" in problem for problem in problems)


def test_names_that_differ_only_by_case_or_leading_zeros_are_refused(write):
    _, problems = write(tsv("sample fastq_1", "S1 a_R1.fastq.gz", "s1 b_R1.fastq.gz"))
    assert any("differ only by case" in p for p in problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("sample\tfastq_1\n", "no sample rows"),
        ("name\tfastq_1\nA\ta\n", "column 'sample' is missing"),
        ("sample\tx\nA\t1\n", "'fastq_1', 'bam' or 'accession' is needed"),
        ("sample\tfastq_1\tfastq_1\nA\ta\tb\n", "is there twice"),
        ("sample\tfastq_1\nA\ta_R1.fastq.gz\tmore\n", "row 2: has 3 cells"),
    ],
)
def test_a_sheet_that_is_no_sheet_is_explained(write, text, expected):
    _, problems = write(text)
    assert any(expected in p for p in problems)


def test_a_sheet_in_another_encoding_is_explained(write):
    _, problems = write("sample\tfastq_1\tnote\nA\ta_R1.fastq.gz\tcafé\n", encoding="latin-1")
    assert "UTF-8" in problems[0]


def design_problems(write, text, correction="none", **design):
    samples, problems = write(text, matrix=True)
    assert problems == []
    expression = {"batch_correction": correction}
    full, _ = config.complete({"design": design, "evaluation": {"folds": 2}, "expression": expression})
    return designs.check_columns("sheet", samples, full)


def test_a_target_column_that_is_absent_is_named_with_those_that_exist(write):
    (problem,) = design_problems(write, tsv("sample status", "A x", "B y"), target="condition")
    assert "'condition'" in problem and "status" in problem


def test_one_class_is_not_enough(write):
    (problem,) = design_problems(write, tsv("sample condition", "A x", "B x"))
    assert "at least two classes, found only 'x'" in problem


def test_excluded_samples_do_not_count_as_a_class(write):
    text = "sample\tcondition\texclude\nA\tx\t\nB\ty\tswapped tube\nC\tx\t\n"
    (problem,) = design_problems(write, text)
    assert "only 'x'" in problem


def test_a_labelled_sample_needs_its_group(write):
    (problem,) = design_problems(write, "sample\tcondition\tdonor\nA\tx\td1\nB\ty\t\nC\t\t\n", group="donor")
    assert "row 3, column donor" in problem


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["A x d1", "B y d2", "C x d3"], "y: 1 samples in 1 groups"),
        (["A x d1", "B x d1", "C y d2", "D y d3"], "x: 2 samples in 1 groups"),
        (["A x d1", "B x d4", "C y d2", "D y d3"], ""),
    ],
)
def test_too_few_samples_or_donors_for_the_folds_is_said_at_the_start(write, rows, expected):
    samples, _ = write(tsv("sample condition donor", *rows), matrix=True)
    full, _ = config.complete({"design": {"group": "donor"}, "evaluation": {"folds": 2}})
    message = designs.too_few_to_train(samples, full)
    assert expected in message and bool(expected) == bool(message)


def test_correcting_a_batch_that_is_the_target_is_refused_before_any_job(write):
    text = tsv("sample condition run", "A x r1", "B x r1", "C y r2", "D y r2")
    (problem,) = design_problems(write, text, correction="combat", batch="run")
    assert "batch and target coincide (r1: x; r2: y)" in problem
    assert design_problems(write, text, batch="run") == []


def test_reads_may_come_as_bam_files_or_accessions(write):
    text = "sample\tfastq_1\tbam\taccession\tlayout\nA\t\ta.bam\t\t\nB\t\t\tSRR948304\tPAIRED\nB\t\t\tSRR948305\tpaired\n"
    samples, problems = write(text, files=("a.bam",))
    assert problems == []
    assert samples["A"].bam.endswith("a.bam")
    assert (samples["B"].accessions, samples["B"].layout) == (["SRR948304", "SRR948305"], "paired")
    assert samples["B"].metadata["accession"] == "SRR948304,SRR948305"


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("A\ta_R1.fastq.gz\ta.bam\t\t", "has both fastq_1 and bam"),
        ("A\t\t\tGSM123456\tpaired", "column accession: 'GSM123456' is no run"),
        ("A\t\t\tSRR948304\t", "column layout: '' must be paired or single"),
        ("A\t\t\t\t", "column fastq_1: is empty"),
        ("A\t\ta.bam\t\t\nA\t\tb.bam\t\t", "row 3, column bam: sample 'A' already has bam"),
        ("A\ta_R1.fastq.gz\t\t\t\nA\t\t\tSRR948304\tsingle", "already has fastq_1"),
    ],
)
def test_sources_that_are_unclear_are_refused(write, row, expected):
    _, problems = write(
        f"sample\tfastq_1\tbam\taccession\tlayout\n{row}\n", files=("a_R1.fastq.gz", "a.bam", "b.bam")
    )
    assert any(expected in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("row", "tools", "expected"),
    [
        ("A\t\ta.bam", {"quantification": {"tool": "salmon"}}, "salmon counts from reads"),
        ("A\ta_R1.fastq.gz\t", {"alignment": {"tool": "none"}}, "every sample needs a BAM file"),
        ("A\ta_R1.fastq.gz\t", {"alignment": {"tool": "none"}, "quantification": {"tool": "salmon"}}, ""),
        ("A\t\ta.bam", {"alignment": {"tool": "none"}}, ""),
    ],
)
def test_each_counter_gets_the_kind_of_reads_it_takes(write, row, tools, expected):
    samples, _ = write(f"sample\tfastq_1\tbam\n{row}\n", files=("a_R1.fastq.gz", "a.bam"))
    full, _ = config.complete(tools)
    problems = designs.check_sources("sheet", samples, full)
    assert (expected in problems[0]) if expected else problems == []


@settings(max_examples=400)
@given(
    st.from_regex(r"[A-C_]{0,3}", fullmatch=True),
    st.from_regex(r"[A-B1._-]{1,5}", fullmatch=True),
    st.integers(1, 25),
    st.from_regex(r"[A-B]{0,2}", fullmatch=True),
)
def test_a_repetitive_name_is_refused_exactly_where_snakemake_would_stop(start, part, times, end):
    name = (start + part * times + end)[:100]
    assert sheet_text.is_periodic(name) == (PeriodicityDetector().is_periodic(name) is not None)


@pytest.mark.parametrize("name", ["a" * 20, "x" + "ab" * 20, "a_" * 20 + "a_", "1" * 100])
def test_a_repetitive_name_is_a_sentence_in_the_sheet_check(write, name):
    _, problems = write(tsv("sample fastq_1", f"{name} a_R1.fastq.gz"))
    assert len(problems) == 1 and "ends with the same text 20 times or more" in problems[0]
    assert write(tsv("sample fastq_1", f"{name[:98]}_s a_R1.fastq.gz"))[1] == []
