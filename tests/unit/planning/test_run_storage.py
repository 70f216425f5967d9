"""Which storage a run takes: S3, or copies on the nodes' own disks (fs), where files stay those of a shared disk."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from rna2model.core.errors import InputProblem
from rna2model.planning import s3_patches
from rna2model.planning.run_storage import RunStorage


class Entry:
    """An object of a bucket as boto3 lists it."""

    def __init__(self, key, size, second):
        self.key, self.size, self.last_modified = key, size, datetime.fromtimestamp(second)


class Stored:
    """An object as the plugin has it; `asked` collects the questions that went to the storage."""

    asked, entries, refuses = [], [], False

    def __init__(self, address):
        self.bucket, self.key = address.removeprefix("s3://").split("/", 1)
        self._is_dir = None

    def local_suffix(self):
        return f"{self.bucket}/{self.key}"

    def s3bucket(self):
        if Stored.refuses:
            raise PermissionError("AccessDenied")
        filtered = lambda Prefix: [entry for entry in Stored.entries if entry.key.startswith(Prefix)]  # noqa: E731
        return SimpleNamespace(objects=SimpleNamespace(filter=filtered))

    def ask(self, question, answer):
        Stored.asked.append((question, self.key))
        return answer

    def is_dir(self):
        if self._is_dir is None:
            self._is_dir = self.ask("is_dir", any(e.key.startswith(f"{self.key}/") for e in Stored.entries))
        return self._is_dir

    def exists(self):
        return self.ask("exists", any(entry.key == self.key for entry in Stored.entries))

    def mtime(self):
        return self.ask("mtime", -1.0)

    def size(self):
        return self.ask("size", -1)


def run_storage(provider, **more):
    settings = SimpleNamespace(
        default_storage_provider=provider, default_storage_prefix="s3://bucket/run", shared_fs_usage=set()
    )
    registry = SimpleNamespace(default_storage_provider=SimpleNamespace(object=more.get("kind", Stored)))
    workflow = SimpleNamespace(
        storage_settings=settings,
        storage_registry=registry,
        is_main_process=True,
        iocache=SimpleNamespace(active=True),
        configfiles=[],
    )
    return RunStorage(workflow, lambda address: f"storage({address})")


@pytest.fixture
def bucket():
    Stored.entries = [Entry("run/a", 3, 100), Entry("run/folder/b", 5, 200), Entry("run/folder/c", 7, 150)]
    Stored.asked, Stored.refuses = [], False
    return Stored


@pytest.mark.parametrize(("provider", "only_named"), [(None, False), ("fs", True)])
def test_files_of_a_shared_disk_keep_their_paths(provider, only_named):
    found = run_storage(provider)
    assert found.only_named == only_named and not found.is_stored
    assert found.as_input("reads/a.fastq.gz") == "reads/a.fastq.gz" and found.unpacked(["/a/b"]) == []
    assert found.as_input("s3://other/x") == "s3://other/x"


@pytest.mark.parametrize("provider", ["gcs", "http", "azure"])
def test_other_storage_is_refused_with_what_would_do(provider):
    with pytest.raises(InputProblem, match="only s3 and fs"):
        run_storage(provider)


def test_an_address_of_its_own_is_asked_of_the_storage_and_a_path_is_completed_by_snakemake():
    found = run_storage("s3")
    assert found.as_input("s3://other/x") == "storage(s3://other/x)"
    assert found.as_input("reads/a") == "reads/a" and found.as_input(None) is None


def test_what_lies_outside_the_folder_that_jobs_get_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problems = run_storage("s3").unpacked(["config.yaml", "../samples.tsv"])
    assert len(problems) == 1 and problems[0].startswith("../samples.tsv lies outside the working directory")


def test_the_list_of_a_run_has_folders_with_their_sizes_and_last_changes(bucket):
    found = run_storage("s3").listed()
    assert found == {"bucket/run/a": (100, 3), "bucket/run/folder": (200, 12)} | {
        "bucket/run/folder/b": (200, 5),
        "bucket/run/folder/c": (150, 7),
    }


def patched(storage):
    kind = type("Kind", (Stored,), {})
    assert s3_patches.ask_again_for_folders.__wrapped__(kind) is None
    s3_patches.answer_from_one_list.__wrapped__(kind, storage)
    return kind


def test_one_list_answers_for_all_files_while_the_run_is_planned(bucket):
    storage = run_storage("s3")
    kind = patched(storage)
    a, folder, none = (kind(f"s3://bucket/run/{name}") for name in ("a", "folder", "none"))
    assert a.exists() and folder.exists() and not none.exists()
    assert (a.mtime(), folder.size()) == (100, 12) and bucket.asked == []
    assert not kind("s3://elsewhere/a").exists() and bucket.asked == [("exists", "a")]
    storage.workflow.iocache.active = False  # jobs run
    assert a.exists() and bucket.asked[-1] == ("exists", "run/a") and len(bucket.asked) == 2


def test_a_role_that_may_not_list_asks_for_each_file(bucket):
    Stored.refuses = True
    kind = patched(run_storage("s3"))
    assert kind("s3://bucket/run/a").exists() and bucket.asked == [("exists", "run/a")]


def test_a_folder_that_a_job_makes_later_is_seen(bucket):
    folder = patched(run_storage("s3"))("s3://bucket/run/model")
    assert not folder.is_dir()
    Stored.entries.append(Entry("run/model/x", 1, 1))
    assert folder.is_dir() and folder.is_dir()
    assert bucket.asked == [("is_dir", "run/model")] * 2  # what is there is remembered
