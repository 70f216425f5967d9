"""A job that fails on the data of its sample leaves its mark, and the jobs after it hand it on."""

import json
import os
import re
import subprocess
import sys
import textwrap

import pytest

from rna2model.core import tool_failure
from rna2model.qc import gate
from tests.command import REPOSITORY
from tests.guard import bash

JOB = """
tool() {{
{command}
}}
RNA2MODEL_ON_TOOL_FAILURE={policy}
guard s1 {kind} {folder}/logs/align/s1.log {folder}/reads.fastq -- {folder}/one {folder}/two
"""


def test_a_job_of_all_samples_is_not_called_a_sample():
    assert tool_failure.of_what({"sample": "s1", "mate": "R1"}) == "s1, R1"
    assert tool_failure.of_what({"split": "full", "model": "mlp"}) == "split full, model mlp"
    assert tool_failure.of_what({}) == "all samples"


@pytest.fixture
def guarded(tmp_path):
    """Function that runs a command as the rule `align` of sample s1 does; its exit status."""
    (tmp_path / "logs/align").mkdir(parents=True)
    (tmp_path / "reads.fastq").write_text("@r\n")

    def run(command, status, policy="exclude", kind="files"):
        command = command.replace("LOG", str(tmp_path / "logs/align/s1.log"))
        bash(JOB.format(command=command, policy=policy, kind=kind, folder=tmp_path), status=status)
        return [tool_failure.of(tmp_path / name) for name in ("one", "two")]

    run.folder = tmp_path
    return run


def test_the_same_failure_twice_is_a_verdict(guarded):
    fail = "echo 'Error: odd read {} in /a/{}' 2>&1 >LOG; exit 3"
    assert guarded(fail.format(17, "x"), 3) == [None, None]
    failure, other = guarded(fail.format(23, "y"), 0)
    assert failure == other
    assert failure.reason == "align failed twice: Error: odd read 23 in /a/y"
    assert (failure.sample, failure.rule, failure.file) == ("s1", "align", f"{guarded.folder}/one")
    assert guarded(fail.format(17, "x"), 3) == [failure, failure]  # the next time counts anew


@pytest.mark.parametrize(
    "between",
    [
        "echo 'Error: another' >LOG; exit 3",
        "kill -9 $BASHPID",
        "echo 'No space left on device' >&2; exit 3",
        "true",
    ],
)
def test_two_failures_with_another_end_between_are_none(guarded, between):
    same = "echo 'Error: odd' >LOG; exit 3"
    guarded(same, 3)
    status = 0 if between == "true" else 137 if "kill" in between else 3
    assert guarded(between, status) == [None, None]
    assert guarded(same, 3) == [None, None]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("sh -c 'kill -9 $$' | (cat >/dev/null; exit 1)", 1),
        ("(sh -c 'kill -9 $$' | (cat >/dev/null; exit 1)) 2>LOG", 1),
        ("nosuchtool 2>LOG", 127),
        ("prlimit --fsize=10 sh -c 'echo 12345678901234567890 >$0.big' LOG", 153),
    ],
)
def test_what_the_machine_did_is_never_a_verdict(guarded, command, status):
    for _ in range(3):
        assert guarded(command, status) == [None, None]


def test_stop_gives_every_failure_back(guarded):
    for _ in range(3):
        assert guarded("echo 'Error: odd' >LOG; exit 3", 3, policy="stop") == [None, None]
    assert bash('sentence_of "$1" ""', guarded.folder / "logs/align/s1.log") == "Error: odd"


def test_commands_stop_at_their_first_failure_and_clean_up(guarded):
    folder = guarded.folder
    guarded(f"trap 'touch {folder}/cleaned' EXIT; false; touch {folder}/went_on", 1)
    assert (folder / "cleaned").exists() and not (folder / "went_on").exists()
    guarded(f"exec >LOG; echo said; echo made >{folder}/one; touch {folder}/two; exit 0; false", 0)
    assert (folder / "logs/align/s1.log").read_text() == "said\n" and (folder / "one").read_text() == "made\n"


@pytest.mark.parametrize("kind", ["files", "folders"])
def test_a_mark_is_handed_on(guarded, kind):
    folder, fault = (
        guarded.folder,
        tool_failure.Failure("s1", "trim", "trim.log", "s1.fastq", "trim failed twice: odd"),
    )
    if kind == "folders":
        (folder / "reads.fastq").unlink()
        (folder / "reads.fastq").mkdir()
    fault.mark([folder / "reads.fastq" if kind == "files" else folder / "reads.fastq/failed.txt"])
    assert guarded(f"touch {folder}/ran", 0, kind=kind) == [fault, fault]
    assert not (folder / "ran").exists() and (folder / "one").is_dir() == (kind == "folders")
    assert guarded("true", 1, policy="stop") == [fault, fault]
    assert "--forcerun s1.fastq" in (folder / "logs/align/s1.log").read_text()


def test_other_files_are_no_marks(tmp_path):
    for content in (b"", b"#rna2", b"\x1f\x8b\x00\x00", b"BAM\1\x00\xff" * 99):
        path = tmp_path / "file"
        path.write_bytes(content)
        assert tool_failure.of(path) is None
        assert bash('first_line "$1"; case $line in "$MARK"*) echo marked ;; esac', path) == ""
    assert tool_failure.of(tmp_path) is None and tool_failure.of(tmp_path / "none") is None


def test_every_command_of_a_single_sample_is_guarded(repository):
    for path in (repository / "rules").rglob("*.smk"):
        for rule in re.split(r"^ *rule ", path.read_text(), flags=re.M)[1:]:
            outputs = re.search(r"^ *output:\n(.*?)^ *(?:conda|log):", rule, re.M | re.S)
            if outputs and re.search(r"{{sample}}|{QC}", outputs[1]) and "shell:" in rule:
                assert re.search(r"shell:\s+guarded", rule), f"{path.name}: {rule.split(':')[0]}"


SCRIPT = """
from types import SimpleNamespace
from snakemake.iocontainers import InputFiles, Log, OutputFiles, Wildcards
from rna2model.core import job
from rna2model.core.errors import InputProblem
job.start(SimpleNamespace(
    input=InputFiles(["reads.fastq"]), output=OutputFiles(["one"]), log=Log(["logs/describe/s1.log"]),
    wildcards=Wildcards(fromdict={"sample": "s1"}),
    config={"qc": {"on_tool_failure": POLICY}},
))
"""


@pytest.fixture
def script(tmp_path):
    """Function that runs the script of a sample twice; the exit statuses, what its output is the mark of, its log."""
    (tmp_path / "logs/describe").mkdir(parents=True)
    (tmp_path / "reads.fastq").write_text("@r\n")

    def run(body, policy="exclude", times=2):
        code = SCRIPT.replace("POLICY", repr(policy)) + textwrap.dedent(body)
        statuses = [
            subprocess.run(
                [sys.executable, "-c", code],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")},
                capture_output=True,
            ).returncode
            for _ in range(times)
        ]
        return statuses, tool_failure.of(tmp_path / "one"), (tmp_path / "logs/describe/s1.log").read_text()

    run.folder = tmp_path
    return run


def test_a_script_that_fails_twice_is_a_verdict(script):
    statuses, failure, log = script("raise ValueError('odd\\tread 7')")
    assert statuses == [1, 0] and failure.reason == "describe failed twice: ValueError: odd read 7"
    assert "Traceback" in log  # for whoever mends it
    assert json.loads(json.dumps(gate.of_failure(failure)))["problem"] == failure.reason


def test_what_is_wrong_with_the_input_is_tried_once(script):
    statuses, failure, log = script("raise InputProblem('s1: 3 fragments, but 4')", times=1)
    assert (
        statuses == [0]
        and failure.reason == "describe stopped: 3 fragments, but 4"
        and "Traceback" not in log
    )


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError",
        "import nosuchpackage",
        "open('nosuchfolder/file', 'w')",
        "raise OSError(28, 'No space left on device')",
        "import os; os.kill(os.getpid(), 9)",
        "raise InputProblem('reads.fastq cannot be read: Input/output error')",
    ],
)
def test_a_script_is_not_to_blame_for_the_machine(script, body):
    statuses, failure, _ = script(body)
    assert 0 not in statuses and failure is None


def test_a_script_stops_where_it_is_asked_to(script):
    statuses, failure, _ = script("raise InputProblem('odd')", policy="stop")
    assert statuses == [1, 1] and failure is None
    assert tool_failure.stopped_for_good(script.folder / "logs/describe/s1.log") == "odd"


def test_a_script_hands_a_mark_on(script):
    fault = tool_failure.Failure("s1", "trim", "trim.log", "s1.fastq", "trim failed twice: odd")
    fault.mark([script.folder / "reads.fastq"])
    statuses, failure, _ = script("raise SystemError('it was run')", times=1)
    assert statuses == [0] and failure == fault


def test_an_input_problem_of_an_earlier_run_says_nothing_of_this_one(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("reading\nerror: the index is of another genome:\nchrIV\n")
    assert tool_failure.stopped_for_good(log) == "the index is of another genome:\nchrIV"
    assert tool_failure.stopped_for_good(log, since=log.stat().st_mtime + 1) is None
    log.write_text("error: results cannot be written: Read-only file system\n")
    assert tool_failure.stopped_for_good(log) is None and tool_failure.stopped_for_good("none.log") is None


def test_the_facts_of_a_failed_sample_keep_its_reads_and_its_first_problem(tmp_path):
    fault = tool_failure.Failure("s1", "align_star", "star.log", "s1.bam", "align_star failed twice: odd")
    verdict = tmp_path / "verdict.json"
    verdict.write_text(json.dumps({"reads": 12, "problem": None}))
    facts = gate.of_failure(fault, verdict)
    assert facts["reads"] == facts["fates"]["faulty"] == sum(facts["fates"].values()) == 12
    assert facts["problem"] == fault.reason and facts["failure"]["file"] == "s1.bam"
    verdict.write_text(json.dumps({"reads": 12, "problem": "no reads"}))
    facts = gate.of_failure(fault, verdict)
    assert facts["problem"] == "no reads" and "failure" not in facts  # nobody need look for a tool
    fault.mark([verdict])
    assert gate.of_failure(fault, verdict)["reads"] == 0
