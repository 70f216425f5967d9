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
    ]
    for subdir, content in (("linux-64", dict(packages)), ("noarch", {})):
        (tmp_path / "channel" / subdir).mkdir(parents=True)
        index = {"info": {"subdir": subdir}, "packages": content, "packages.conda": {}}
        (tmp_path / "channel" / subdir / "repodata.json").write_text(json.dumps(index))
    return (tmp_path / "channel").as_uri()


def lock(repository, folder, *dependencies, channel):
    content = {"channels": [channel, "nodefaults"], "dependencies": list(dependencies)}
    (folder / "tool.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, repository / "envs/lock.py", folder / "tool.yaml"]
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
