"""Bad input as a user meets it: a clear message before any job, or a verdict on the one sample."""

import gzip

import pytest

from tests.conftest import snakemake
from tests.workflow.conftest import Run


def refused(run, *expected):
    """The run ended before any job, with these texts and without a traceback."""
    assert run.returncode != 0
    assert "Traceback" not in run.text, run.text[-3000:]
    assert "no job was started" in run.text
    for text in expected:
        assert text in run.text, run.text[-3000:]


def test_everything_wrong_with_sheet_and_config_is_said_at_once(tiny):
    sheet = tiny.sheet.copy()
    sheet.loc[sheet.index[0], "fastq_1"] = "reads/absent_R1.fastq.gz"
    sheet.loc[sheet.index[1], "sample"] = "d02$(touch canary)"
    run = tiny(sheet=sheet, trimming={"tool": "fastpp"}, modles=["mlp"])
    refused(run, "unknown key 'modles'", "'fastpp' is not one of fastp, cutadapt, trim_galore, none")
    run = tiny(sheet=sheet, design={"target": "status"})
    refused(run, "absent_R1.fastq.gz", "row 2, column fastq_1", "row 3, column sample", "'status'")
    assert not (tiny.folder / "canary").exists() and not tiny.results.exists()


def test_lanes_with_different_metadata_are_refused(tiny):
    sheet = tiny.sheet.copy()
    sheet.loc[sheet.index[1], "sample"] = sheet.iloc[0]["sample"]
    refused(tiny(sheet=sheet), "row 3, column batch: 'b2' differs from 'b1' in row 2")


def test_a_target_with_one_class_is_refused(tiny):
    refused(tiny(sheet=tiny.sheet.assign(condition="control")), "at least two classes, found only 'control'")


def test_faulty_reads_become_verdicts_and_the_others_go_on(tiny):
    sheet = tiny.sheet
    one, two = (tiny.folder / sheet.iloc[0][column] for column in ("fastq_1", "fastq_2"))
    one.write_bytes(one.read_bytes()[:-200])
    lines = gzip.decompress((tiny.folder / sheet.iloc[1]["fastq_2"]).read_bytes()).splitlines(keepends=True)
    (tiny.folder / sheet.iloc[1]["fastq_2"]).write_bytes(gzip.compress(b"".join(lines[:-40])))
    before = two.read_bytes()
    tiny(str(tiny.results / "samples.tsv"), check=True)
    status = Run(tiny.folder, tiny.results).table("samples.tsv").set_index("sample")
    assert list(status["status"]) == ["excluded", "excluded", "included", "included"]
    assert status.iloc[0]["reason"].startswith(f"truncated gzip: {one.name}")
    assert status.iloc[1]["reason"].startswith("R1 and R2 have different numbers of reads")
    assert two.read_bytes() == before


def test_an_annotation_with_other_chromosome_names_is_explained(tiny):
    gtf = tiny.folder / "annotation.gtf"
    gtf.write_text(gtf.read_text().replace("chr", ""))
    refused(tiny(), "add 'chr' to column 1 of the GTF")
    assert not (tiny.results / "reference/genes.tsv").exists()


def test_an_empty_config_lists_what_is_needed(tmp_path):
    (tmp_path / "config.yaml").write_text("results: out\n")
    refused(
        snakemake(tmp_path), "reference.fasta is missing", "reference.gtf is missing", "samples: no such file"
    )


@pytest.mark.parametrize("text", ["a: [1\n", "- just\n- a list\n"])
def test_a_config_that_is_no_yaml_mapping_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)
    assert snakemake(tmp_path, check=False).returncode != 0
