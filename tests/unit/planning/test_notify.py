"""The command that hears of a run's end, and the names of a project's jobs."""

import re

import pytest

from rna2model.planning import notify


def test_the_command_gets_the_status_and_the_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "tell.sh"
    script.write_text('#!/bin/sh\nprintf "%s|" "$@" "$RNA2MODEL_STATUS" "$RNA2MODEL_RESULTS" > told\n')
    script.chmod(0o755)
    warnings = []
    notify.tell(f"{script} 'two words'", "failed", "my results", warnings.append)
    where = str(tmp_path / "my results")
    assert (tmp_path / "told").read_text() == f"two words|failed|{where}|failed|{where}|" and not warnings
    notify.tell(None, "failed", "results", warnings.append)
    assert not warnings


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo no mailer >&2; false", "exit status 1: no mailer"),
        ("/nowhere/mail", "exit status 127"),
        ("'", "exit status"),
        ("sleep 9;", "timed out"),
        ("a\0b", "could not tell"),
        ("kill -9 $$;", "exit status -9"),
    ],
)
def test_a_command_that_fails_is_a_warning(command, message, monkeypatch, tmp_path):
    monkeypatch.setattr(notify, "SECONDS", 0.5)
    warnings = []
    notify.tell(command, "finished", tmp_path, warnings.append)
    assert len(warnings) == 1 and message in warnings[0]


@pytest.mark.parametrize(
    ("folder", "prefix"),
    [
        ("/data/my study (2)", "my-study-2"),
        ("/data/ß", "rna2model"),
        ("/" + "x" * 90, "x" * 40),
        ("/", "rna2model"),
    ],
)
def test_the_prefix_is_one_that_the_executor_takes(folder, prefix):
    assert notify.job_prefix(folder) == prefix
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,50}", prefix)
