"""`make lock`: exact packages of each environment, from a channel on this disk."""

import hashlib
import json
import subprocess
import sys

import pytest
import yaml

pytest.importorskip("rattler", reason="py-rattler is not installed (make setup)")


def record(name, version, *depends):
    text = f"{name}-{version}"
    return f"{text}-0.tar.bz2", {
        "name": name,
        "version": version,
        "build": "0",
        "build_number": 0,
        "depends": list(depends),
        "md5": hashlib.md5(text.encode()).hexdigest(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "subdir": "linux-64",
    }


@pytest.fixture
def channel(tmp_path):
    """A conda channel with two versions of a tool, its library and one that needs a newer glibc than we support."""
    packages = [
        record("tool", "1.0", "library >=2"),
        record("tool", "1.1", "library >=2"),
        record("library", "2.5"),
        record("library", "2.6", "__glibc >=2.39"),
        record("aligner", "2.7", "hts >=1.22,<1.23"),
        record("sorter", "1.24", "hts >=1.24"),
        record("sorter", "1.22", "hts >=1.22,<1.23"),
        record("hts", "1.22"),
        record("hts", "1.24"),
        record("pytorch-gpu", "2.13", "__cuda", "library"),
    ]
    others = [record("tool", "1.0"), record("sorter", "1.22")]
    for subdir, content in (("linux-64", dict(packages)), ("osx-arm64", dict(others)), ("noarch", {})):
        (tmp_path / "channel" / subdir).mkdir(parents=True)
        index = {"info": {"subdir": subdir}, "packages": content, "packages.conda": {}}
        (tmp_path / "channel" / subdir / "repodata.json").write_text(json.dumps(index))
    return (tmp_path / "channel").as_uri()


def lock(repository, folder, *dependencies, channel, options=(), others=()):
    """`make lock` of tool.yaml with the dependencies, and of further files with those of `others`."""
    files = []
    for name, listed in {"tool": dependencies, **dict(others)}.items():
        content = {"channels": [channel], "dependencies": list(listed)}
        files.append(folder / f"{name}.yaml")
        files[-1].write_text(yaml.safe_dump(content))
    command = [sys.executable, repository / "envs/lock.py", *files, *options]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def test_pins_are_exact_with_all_that_a_package_needs_and_run_on_old_machines(repository, tmp_path, channel):
    done = lock(repository, tmp_path, "tool=1.0", channel=channel)
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "tool.linux-64.pin.txt").read_text().splitlines()
    assert lines[1] == "@EXPLICIT"
    urls, sums = zip(*(line.split("#") for line in lines[2:]), strict=True)
    assert [url.rsplit("/", 1)[1] for url in urls] == ["library-2.5-0.tar.bz2", "tool-1.0-0.tar.bz2"]
    assert sums[1] == hashlib.md5(b"tool-1.0").hexdigest()


@pytest.mark.parametrize("wanted", ["tool >=3", "nowhere >=1"])
def test_what_cannot_be_solved_is_told_and_nothing_is_written(repository, tmp_path, channel, wanted):
    done = lock(repository, tmp_path, wanted, channel=channel)
    assert done.returncode == 1 and wanted in done.stderr.partition("Nothing")[0]
    assert "Nothing was written" in done.stderr and not list(tmp_path.glob("*.pin.txt"))


def test_a_channel_out_of_reach_is_told_without_a_traceback(repository, tmp_path):
    done = lock(repository, tmp_path, "tool=1.0", channel="http://127.0.0.1:9/none")
    assert (
        done.returncode == 1 and "must reach every channel" in done.stderr and "Traceback" not in done.stderr
    )


CLASH = ["aligner=2.7", "sorter=1.24"]  # as STAR 2.7.11b and samtools 1.24, which need different htslib


def test_the_solvers_whole_answer_is_shown_of_every_environment(repository, tmp_path, channel):
    others = {"clash": CLASH, "absent": ["nowhere >=1"]}
    done = lock(repository, tmp_path, "tool=1.0", channel=channel, others=others)
    assert done.returncode == 1 and not list(tmp_path.glob("*.pin.txt"))
    for part in (
        "clash.yaml linux-64",
        "aligner 2.7",
        "sorter 1.24",
        "hts >=1.24",
        "absent.yaml",
        "nowhere >=1",
    ):
        assert part in done.stderr, part


def test_a_range_lets_the_solver_take_the_version_that_fits(repository, tmp_path, channel):
    """As star.yaml does with samtools >=1.21."""
    done = lock(repository, tmp_path, "aligner=2.7", "sorter >=1.21", channel=channel)
    assert done.returncode == 0, done.stderr
    assert "sorter-1.22-" in (tmp_path / "tool.linux-64.pin.txt").read_text()


def test_both_platforms_are_locked_into_a_folder(repository, tmp_path, channel):
    options = ["--platform", "linux-64", "osx-arm64", "--out", tmp_path / "locks"]
    done = lock(repository, tmp_path, "tool=1.0", channel=channel, options=options)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "locks").iterdir()} == {
        "tool.linux-64.pin.txt",
        "tool.osx-arm64.pin.txt",
    }
    text = (tmp_path / "locks/tool.osx-arm64.pin.txt").read_text()
    assert text.startswith("# platform: osx-arm64\n@EXPLICIT\n") and "osx-arm64/tool-1.0" in text


def test_keep_going_writes_what_can_be_solved_and_still_fails(repository, tmp_path, channel):
    options = ["--platform", "linux-64", "osx-arm64", "--keep-going"]
    done = lock(repository, tmp_path, "aligner=2.7", channel=channel, options=options)
    assert done.returncode == 1 and "tool.yaml osx-arm64: " in done.stderr
    assert [path.name for path in tmp_path.glob("*.pin.txt")] == ["tool.linux-64.pin.txt"]


def test_builds_for_gpus_are_locked_without_a_driver_here_and_not_for_macos(repository, tmp_path, channel):
    options = ["--platform", "linux-64", "osx-arm64"]
    done = lock(repository, tmp_path, "pytorch-gpu >=2.12", channel=channel, options=options)
    assert done.returncode == 0 and "macOS has no CUDA" in done.stdout, done.stderr
    assert "pytorch-gpu-2.13-" in (tmp_path / "tool.linux-64.pin.txt").read_text()
