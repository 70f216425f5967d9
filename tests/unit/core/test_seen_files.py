"""A file that an earlier start looked into is not opened again while its size and date are the same."""

import gzip
import os
import time

import pytest

from rna2model.core import seen_files
from rna2model.inputs import sheet
from rna2model.planning import disk, same_content

SAMPLES = 30


@pytest.fixture
def starts(tmp_path, monkeypatch):
    """A function that looks at the sheet as each start does and returns the FASTQ files that it opened."""
    reads, rows = tmp_path / "reads", ["sample\tfastq_1"]
    reads.mkdir()
    for number in range(SAMPLES):
        for lane in (1, 2):
            path = reads / f"s{number}_L{lane}.fastq.gz"
            path.write_bytes(gzip.compress(f"@{number}:{lane}\nACGT\n+\nIIII\n".encode()))
            os.utime(path, (1e9, 1e9))
            rows.append(f"s{number}\treads/{path.name}")
    (tmp_path / "samples.tsv").write_text("\n".join(rows) + "\n")

    def look(asks=True):
        monkeypatch.setattr(seen_files, "_seen", None)
        same_content._of_file.cache_clear()
        if asks:
            seen_files.start(tmp_path)
        opened = []
        with monkeypatch.context() as patch:
            patch.setattr("builtins.open", lambda path, *more, **named: note(opened, path, *more, **named))
            samples, problems = sheet.read(tmp_path / "samples.tsv")
            sizes = sum(disk.packed_reads(sample) for sample in samples.values())
            contents = [same_content.of(path) for path in sorted(reads.iterdir())]
        seen_files.write("results")
        return sorted({path for path in opened if path.endswith(".gz")}), (problems, sizes, contents)

    return look


def note(opened, path, *more, real=open, **named):
    opened.append(str(path))
    return real(path, *more, **named)


def test_a_second_start_opens_no_fastq_and_finds_the_same(starts):
    opened, facts = starts()
    assert len(opened) == 2 * SAMPLES
    assert starts() == ([], facts)
    assert starts(asks=False) == (opened, facts)  # a job has no records, and looks


@pytest.mark.parametrize("change", ["content and date", "date", "replaced"])
def test_only_a_changed_file_is_opened_again(starts, tmp_path, change):
    starts()
    path = tmp_path / "reads/s3_L2.fastq.gz"
    if change == "content and date":
        path.write_bytes(gzip.compress(b"@3:1\nACGT\n+\nIIII\n"))  # now as the first lane
    elif change == "replaced":
        path.write_bytes(b"@x\nAC\n+\nII\n")
    date = 1e9 if change == "replaced" else 1.1e9
    os.utime(path, (date, date))
    opened, (problems, _, _) = starts()
    assert str(path) in opened
    other = {str(path)} | ({str(path).replace("L2", "L1")} if problems else set())
    assert set(opened) <= other and bool(problems) == (change == "content and date")


def test_what_was_seen_right_after_a_change_is_not_taken_for_its_content(starts, tmp_path):
    path = tmp_path / "reads/s3_L2.fastq.gz"
    now = time.time()
    os.utime(path, (now, now))
    starts()
    assert starts()[0] == [str(path)]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"reads/s0_L1.fastq.gz": 1}', '{"reads/s0_L1.fastq.gz": [[], 2]}']
)
def test_records_that_cannot_be_used_cost_the_looks_only(starts, tmp_path, text):
    _, facts = starts()
    (tmp_path / seen_files.PLACE).write_text(text)
    opened, again = starts()
    assert again == facts and len(opened) == 2 * SAMPLES
    assert starts()[0] == []


def test_the_files_that_a_run_makes_are_not_remembered(tmp_path):
    seen = seen_files.Seen(tmp_path / "seen", str(tmp_path))
    seen.made = "results/"
    for name in ("results", "results2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.fastq.gz").write_text("x")
        seen.answer("gzip", str(tmp_path / name / "x.fastq.gz"), lambda file: False)
    seen.write()
    assert list(seen_files.Seen(tmp_path / "seen", str(tmp_path)).records) == ["results2/x.fastq.gz"]


def test_records_of_thousands_of_samples_are_read_in_less_time_than_the_files(tmp_path):
    path = tmp_path / "x.fastq.gz"
    path.write_bytes(b"x")
    seen = seen_files.Seen(tmp_path / "seen", str(tmp_path))
    seen.answer("gzip", str(path), lambda file: True)
    record = seen.records["x.fastq.gz"]
    seen.records |= {f"reads/sample{number}_R1.fastq.gz": record for number in range(40_000)}
    seen.write()
    start = time.process_time()
    assert len(seen_files.Seen(tmp_path / "seen", str(tmp_path)).records) == 40_001
    assert time.process_time() - start < 2  # 0.1 s here
