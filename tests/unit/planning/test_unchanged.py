"""Which files hold what others held, and how paths are named; the plans of whole projects: tests/workflow/test_unchanged.py."""

import os

import pytest

from rna2model.core import paths
from rna2model.inputs.sheet import Sample
from rna2model.planning import archived_reads, same_content

LARGE = os.urandom(3_000_000)


@pytest.mark.parametrize(
    ("name", "content", "same"),
    [
        ("x.fastq.gz", LARGE, True),
        ("x.fastq.gz", LARGE[:-1], False),
        ("x.bam", LARGE[:-1] + b"x" if LARGE[-1:] != b"x" else LARGE[:-1] + b"y", False),
        ("genome.fa", LARGE[:1_500_000] + bytes(100) + LARGE[1_500_100:], False),
        (
            "x.fastq.gz",
            LARGE[:1_500_000] + bytes(100) + LARGE[1_500_100:],
            True,
        ),  # by size and ends, as documented
    ],
)
def test_large_reads_are_known_by_size_and_ends_and_all_else_by_all_of_it(tmp_path, name, content, same):
    for folder, written in (("a", LARGE), ("b", content)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(written)
    assert (same_content.of(tmp_path / "a" / name) == same_content.of(tmp_path / "b" / name)) == same


def test_a_folder_is_known_by_names_and_content_of_its_files(tmp_path):
    for folder, text in (("a", "1"), ("b", "1"), ("c", "2")):
        (tmp_path / folder / "below").mkdir(parents=True)
        (tmp_path / folder / "below/SA").write_text(text)
    a, b, c = (same_content.of(tmp_path / folder) for folder in "abc")
    assert a == b != c and same_content.of(tmp_path / "none") is None
    (tmp_path / "b/below/SA").rename(tmp_path / "b/below/SB")
    assert same_content.of(tmp_path / "b") != a


@pytest.mark.parametrize(
    ("before", "now", "recorded", "same"),
    [
        (["/p/reads/a"], ["reads/a"], {}, True),  # named from the folder since
        (["reads/a", "g"], ["elsewhere/a", "g"], {"reads/a": "A", "g": "G"}, True),
        (["reads/a", "g"], ["elsewhere/b", "g"], {"reads/a": "A", "g": "G"}, False),
        (["reads/a"], ["elsewhere/a"], {}, False),  # nobody recorded what it held
        (["reads/a"], ["elsewhere/gone"], {"reads/a": "A"}, False),
        (["a"], ["a", "elsewhere/a"], {"a": "A"}, False),  # a lane more
        (["x", "y"], ["elsewhere/a", "elsewhere/b"], {"x": "B", "y": "A"}, True),
    ],
)
def test_inputs_are_the_same_by_name_or_by_recorded_content(before, now, recorded, same):
    content = {"elsewhere/a": "A", "elsewhere/b": "B"}.get
    assert same_content.same_inputs(before, now, recorded, "/p", content) == same


def test_the_content_recorded_of_a_moved_file_is_found_under_its_old_name():
    content = {"elsewhere/a": "A"}.get
    for recorded in ({"reads/a": "A"}, {"/p/elsewhere/a": "A"}):
        assert same_content.recorded_content("elsewhere/a", {"elsewhere/a"}, recorded, "/p", content) == "A"
    other = {"reads/b": "A"}  # still an input of its own
    assert (
        same_content.recorded_content("elsewhere/a", {"elsewhere/a", "reads/b"}, other, "/p", content) is None
    )


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/p/x", "x"),
        ("/p/a/../x", "a/../x"),
        ("/p2/x", "/p2/x"),
        ("/p/", "/p/"),
        ("x", "x"),
        (None, None),
        ("/p/-x", "/p/-x"),
        ("/p//x", "/p//x"),
    ],
)
def test_a_path_below_the_working_directory_is_named_from_there(path, named):
    assert paths.below("/p", path) == named


@pytest.mark.parametrize("facts", ["qc/a/a.json", "qc/samples/a.json"])  # the second of earlier versions
def test_only_a_sample_with_counts_and_facts_may_lack_its_reads(tmp_path, facts):
    for file in ("counts/a.tsv", facts, "counts/b.tsv"):
        (tmp_path / "results" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "results" / file).write_text("")
    counted = archived_reads.counted("results", tmp_path)
    assert counted("a") and not counted("b") and not counted("c")
    sample = Sample("a", 2, "auto", "", {}, fastq_1=[str(tmp_path / "gone")], fastq_2=[str(tmp_path)])
    assert archived_reads.missing({"a": sample}) == {"a": [str(tmp_path / "gone")]}
