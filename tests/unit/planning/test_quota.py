"""Quotas, as `lfs quota` and `quota` print them: the smallest rest is what is free."""

import os
from pathlib import Path

import pytest

from rna2model.planning import disk, quota


@pytest.mark.parametrize(
    ("row", "rest"),
    [
        ("/scratch 1000 5000 6000 - 12 0 0 -", 4000 * 1024),  # Lustre manual: kB used, quota, limit
        ("/scratch 1000 0 6000 - 12 0 0 -", 5000 * 1024),
        ("/scratch 5500* 5000 6000 6d23h 12 0 0 -", 0),  # over the soft limit
        ("/scratch 1000 0 0 - 12 0 0 -", None),  # no limit
        ("/scratch [1000] 5000 6000 - 12 0 0 -", 4000 * 1024),  # a server did not answer: at least
        ("Cannot open quotafile of device", None),
        ("", None),
    ],
)
def test_a_row_leaves_what_its_smaller_limit_does(row, rest):
    assert quota.rest_of_row(row.split()) == rest


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Function of a command's name and the shell lines that stand for it: no test machine has Lustre."""

    def answer(name, lines):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return answer


def test_a_project_of_lustre_limits_more_than_its_user(answers, tmp_path):
    answers(
        "lfs",
        'case "$*" in project*) echo " 4711 P $3";; *"-p 4711"*) echo "/lustre/a/long/name"; echo " 900 1000 0 - 1 0 0 -";;'
        ' *-u*) echo "/lustre 10 5000 0 - 1 0 0 -";; esac',
    )
    assert quota.left(tmp_path) == (100 * 1024, "lfs quota of project 4711")
    full = disk.shortage(str(tmp_path / "results"))
    assert "lfs quota of project 4711" in full and "102 kB are free" in full


def test_only_the_disk_of_the_results_counts(answers, tmp_path):
    mount = Path(tmp_path)
    while not os.path.ismount(mount):
        mount = mount.parent
    answers(
        "quota",
        f'[ "$1" = -u ] && echo "Disk quotas for user me (uid 1):" && echo "{mount} 10 30 40 0 0 0" && echo "/other 9 10 0"',
    )
    assert quota.left(tmp_path) == (20 * 1024, f"quota of the user on {mount}")


def test_without_a_quota_the_disk_is_what_is_free(answers, tmp_path):
    answers("lfs", "exit 1")
    answers("quota", "exit 1")
    assert quota.left(tmp_path) is None
