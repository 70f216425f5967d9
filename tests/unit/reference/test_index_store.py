"""`reference.store`: one index for all that is made of the same, whoever asks, wherever it lies; whole or not at all."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from rna2model.reference import index_store
from tests.command import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "index_store.sh"
ODD = "re fs (ü) 'x' $HOME {a} & *"
BUILD = "hisat2-build -q genome.fa index/genome"


def write_genome(folder, seed=1, width=60, end="\n", lower=False, note=""):
    folder.mkdir(parents=True, exist_ok=True)
    drawn = random.Random(seed)
    text = ""
    for name, length in (("one", 3000), ("two", 1000)):
        bases = "".join(drawn.choices("ACGT", k=length))
        bases = bases.lower() if lower else bases
        text += f">{name}{note}{end}" + "".join(
            bases[at : at + width] + end for at in range(0, length, width)
        )
    (folder / "genome.fa").write_text(text, newline="")
    (folder / "annotation.gtf").write_text("some exons\n")
    return folder


def command(build=BUILD, version="2.2.1", options="none", inputs="genome.fa annotation.gtf", before=""):
    return (
        f'set -euo pipefail; source "{SCRIPT}"; {before}\n'
        f"build() {{ echo built >>builds; mkdir -p index; {build} >log 2>&1; }}\n"
        f"index_in_store hisat2 {version} {options} log index {inputs}"
    )


def start(project, store, *arguments, **options):
    environment = os.environ | {"RNA2MODEL_STORE": str(store)}
    umask = options.pop("umask", -1)
    return subprocess.Popen(
        ["bash", "-c", command(*arguments, **options)],
        cwd=project,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        umask=umask,
    )


def make(project, store, *arguments, **options):
    """(builds so far in the project, what was said) of a job that must end well, with an index that HISAT2 reads."""
    job = start(project, store, *arguments, **options)
    stderr = job.communicate(timeout=60)[1]
    assert job.returncode == 0, stderr
    names = subprocess.run(
        ["hisat2-inspect", "--names", "index/genome"], cwd=project, capture_output=True, text=True
    )
    assert [line.split()[0] for line in names.stdout.splitlines()] == ["one", "two"]
    builds = project / "builds"
    return len(builds.read_text().split()) if builds.exists() else 0, stderr


def stored(store):
    return sorted(path.name for path in (store / "indices").glob("hisat2-*") if path.is_dir())


needs_hisat2 = pytest.mark.skipif(not shutil.which("hisat2-build"), reason="HISAT2 is not installed")


@needs_hisat2
@pytest.mark.parametrize(
    "other, same",
    [
        ({}, True),
        ({"width": 17, "end": "\r\n", "lower": True, "note": " a description"}, True),
        ({"seed": 2}, False),
    ],
)
def test_an_index_is_known_by_names_and_bases(other, same, tmp_path):
    store = tmp_path / ODD
    one, two = write_genome(tmp_path / "one"), write_genome(tmp_path / "elsewhere/two", **other)
    assert make(one, store) == (1, "")
    assert make(two, store) == (0 if same else 1, "")
    assert len(stored(store)) == (1 if same else 2)
    links = list((two / "index").iterdir())
    assert len(links) == 8 and all(store in path.resolve().parents for path in links)


@needs_hisat2
def test_another_version_option_or_annotation_is_another_index(tmp_path):
    store, project = tmp_path / "refs", write_genome(tmp_path / "p")
    make(project, store)
    make(project, store, version="2.2.3")
    make(project, store, options="other")
    (project / "annotation.gtf").write_text("other exons\n")
    assert make(project, store) == (4, "")
    assert len(stored(store)) == 4
    made_of = (store / "indices" / stored(store)[0] / "made_of.txt").read_text()
    assert "tool\thisat2\n" in made_of and "\ngenome.fa\t" in made_of


@needs_hisat2
def test_two_at_once_build_once(tmp_path):
    store, projects = tmp_path / "refs", [write_genome(tmp_path / f"p{n}") for n in range(3)]
    jobs = [start(project, store, build=f"sleep 1; {BUILD}") for project in projects]
    messages = [job.communicate(timeout=60)[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0]
    assert sum((project / "builds").exists() for project in projects) == 1
    assert sum("waiting for whoever makes" in text for text in messages) == 2
    assert all(len(list((project / "index").iterdir())) == 8 for project in projects)


@needs_hisat2
@pytest.mark.parametrize("when", ["build", "copy"])
def test_a_killed_build_leaves_nothing_half_made(when, tmp_path):
    store, project = tmp_path / "refs", write_genome(tmp_path / "p")
    slow = {"build": "sleep 60", "copy": f'{BUILD}; cp() {{ mkdir -p "${{@: -1}}"; sleep 60; }}'}[when]
    job = start(project, store, build=slow)
    for _ in range(100):
        if (project / "builds").exists() and (when == "build" or list(store.glob("indices/*.half.*/index"))):
            break
        time.sleep(0.05)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate()
    assert stored(store) == [name for name in stored(store) if ".half." in name]
    assert make(write_genome(tmp_path / "next"), store) == (1, "")
    assert len(stored(store)) == 1 and ".half." not in stored(store)[0]


@needs_hisat2
def test_an_index_that_was_cut_short_is_not_used(tmp_path):
    store = tmp_path / "refs"
    make(write_genome(tmp_path / "one"), store)
    file = store / "indices" / stored(store)[0] / "index" / "genome.2.ht2"
    os.truncate(file, 10)
    builds, stderr = make(write_genome(tmp_path / "two"), store)
    assert builds == 1 and "is not whole" in stderr
    assert not any(path.is_symlink() for path in (tmp_path / "two/index").iterdir())
    assert file.stat().st_size == 10


@needs_hisat2
def test_colleagues_can_read_and_add_whatever_the_umask(tmp_path):
    store, project = tmp_path / "refs", write_genome(tmp_path / "p")
    store.mkdir()
    store.chmod(0o770)
    make(project, store, umask=0o077)
    assert (store / "indices").stat().st_mode & 0o777 == 0o770
    place = store / "indices" / stored(store)[0]
    for path in (place, *place.rglob("*")):
        assert path.stat().st_mode & 0o077 == (0o050 if path.is_dir() else 0o040), path


@needs_hisat2
@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed")
def test_a_store_of_others_is_read(tmp_path):
    """As another user: root may write everything."""
    above = [folder for folder in tmp_path.parents if folder.name.startswith(("pytest-", "popen-"))]
    for folder in (tmp_path, *above):
        folder.chmod(0o755)
    store, known, other = (
        tmp_path / "refs",
        write_genome(tmp_path / "a"),
        write_genome(tmp_path / "b", seed=2),
    )
    make(known, store, umask=0o022)
    (tmp_path / "mine").mkdir()
    for name, source in (("known", known), ("other", other)):
        shutil.copytree(
            source, tmp_path / "mine" / name, ignore=shutil.ignore_patterns("index", "builds", "log")
        )
    subprocess.run(["chown", "-R", "65534:65534", tmp_path / "mine"], check=True)
    answers = {}
    for name in ("known", "other"):
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", command()]
        environment = os.environ | {"RNA2MODEL_STORE": str(store)}
        answers[name] = subprocess.run(
            user, cwd=tmp_path / "mine" / name, env=environment, capture_output=True, text=True, check=True
        ).stderr
    assert answers["known"] == "" and not (tmp_path / "mine/known/builds").exists()
    assert "cannot be written" in answers["other"] and len(stored(store)) == 1
    assert not any(path.is_symlink() for path in (tmp_path / "mine/other/index").iterdir())


@needs_hisat2
@pytest.mark.parametrize(
    "failing",
    [
        {"before": "awk() { return 127; }"},
        {"before": "sha256sum() { return 1; }; shasum() { return 1; }"},
        {"before": "tr() { head -c 500; return 1; }"},
        {"inputs": "genome.fa absent.txt"},
        {"version": "''"},
    ],
)
def test_what_cannot_be_described_is_not_kept(failing, tmp_path):
    """Else two genomes of which no checksum can be had would have the same."""
    store = tmp_path / "refs"
    builds, stderr = make(write_genome(tmp_path / "p"), store, **failing)
    assert builds == 1 and "cannot be had: the index is made in the results" in stderr
    assert not store.exists()


def links(folder, store, key="star-2.7.11b-abc"):
    place = store / "indices" / key / "index"
    place.mkdir(parents=True)
    (place / "SA").write_text("x")
    folder.mkdir(parents=True)
    (folder / "SA").symlink_to(place / "SA")
    return folder


def test_links_follow_a_store_that_moved(tmp_path):
    index = links(tmp_path / "results/reference/star", tmp_path / "old")
    assert index_store.repair(tmp_path / "results", None) == []
    (tmp_path / "old").rename(tmp_path / "new")
    (problem,) = index_store.repair(tmp_path / "results", None)
    assert "star-2.7.11b-abc" in problem and "reference.store" in problem
    assert index_store.is_broken(index)
    assert index_store.repair(tmp_path / "results", str(tmp_path / "new")) == []
    assert (index / "SA").read_text() == "x"


def test_a_store_is_looked_at_before_any_job(tmp_path, monkeypatch):
    def prepared(path, **more):
        config = {"reference": {"store": path}}
        return index_store.prepare(config, [tmp_path], **more), config["reference"]["store"]

    (tmp_path / "file").write_text("")
    (tmp_path / "refs").mkdir()
    assert prepared(None) == ([], None)
    assert prepared("refs") == ([], str(tmp_path / "refs"))
    assert prepared("not/yet") == ([], str(tmp_path / "not/yet"))
    assert "is a file" in prepared("file")[0][0]
    assert "object storage" in prepared("refs", store="s3")[0][0]
    assert "it is a file" in prepared("file/refs")[0][0]
    monkeypatch.setattr(index_store.os, "access", lambda path, mode: mode != os.W_OK)
    assert "you may not write there" in prepared("not/yet")[0][0]
    assert "you may not write" in index_store.note(str(tmp_path / "refs"))
