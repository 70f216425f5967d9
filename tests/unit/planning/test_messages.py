"""What a person is told after the last job, and the commands that leave marks instead of errors."""

import json
from types import SimpleNamespace

from rna2model.core import tool_failure
from rna2model.planning import guard, messages
from rna2model.planning.index_commands import IndexCommands


def job(rule, log, **wildcards):
    return SimpleNamespace(rule=SimpleNamespace(name=rule), log=[log], wildcards_dict=wildcards)


def test_each_failed_job_is_named_with_sample_rule_log_and_its_own_sentence(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("...\nerror: design: the classes\n  are one\n")
    jobs = [job("train", log, split="r1f1"), job("align_star", tmp_path / "none.log", sample="a")]
    text = messages.failed_jobs(jobs, "The disk is full.")
    assert text.startswith("rna2model: 2 jobs failed after all retries (sample, rule, log):")
    assert f"  split r1f1  train  {log}\n      design: the classes are one" in text
    assert f"  a  align_star  {tmp_path / 'none.log'}" in text
    assert text.index("The disk is full.") < text.index("Nothing was built") and "exclude" in text
    assert "(rule, log)" in messages.failed_jobs(jobs[:1]) and "exclude" not in messages.failed_jobs(jobs[:1])
    assert "stopped before its end" in messages.failed_jobs([])


def test_jobs_of_a_group_failed_together():
    group = SimpleNamespace(jobs=["a", "b"])
    assert messages.jobs_that_failed(SimpleNamespace(failed=[group, "c"])) == ["a", "b", "c"]


def test_samples_that_a_tool_excluded_and_reports_that_are_missing_are_told(tmp_path):
    facts = {"problem": "star failed twice: x", "failure": {"rule": "align_star", "log": "l", "file": "bam"}}
    table = "sample\tstatus\nbad\texcluded\nlow\texcluded\ngood\tincluded\nother\texcluded\n"
    texts = {
        "results/samples.tsv": table,
        "results/qc/bad/bad.json": json.dumps(facts),
        "results/qc/low/low.json": json.dumps({"problem": "few reads"}),
        "results/qc/other/other.json": json.dumps(facts),
    }
    report = tmp_path / "good_fastqc.zip"
    tool_failure.Failure("good", "fastqc", "f.log", str(report), "fastqc failed twice").mark([report])
    quality = {"good": [report], "low": [tmp_path / "none"]}
    used = ["bad", "low", "good"]
    failures = messages.tool_failures(used, "results", lambda path: texts.get(path, ""), quality.__getitem__)
    assert [(fault.sample, fault.rule) for fault in failures] == [("bad", "align_star"), ("good", "fastqc")]
    text = messages.went_on_without(failures, lambda path: path.upper())
    assert "2 jobs failed" in text and "  bad  star failed twice: x  L" in text
    assert f"--forcerun BAM {str(report).upper()}" in text


def test_a_guarded_command_is_a_function_that_the_guard_calls_with_the_files_of_the_job():
    command = guard.guarded("tool {input} > {output}")
    assert command.splitlines() == [
        'source "$RNA2MODEL_GUARD"',
        "tool() {{",
        "tool {input} > {output}",
        "}}",
        "guard {wildcards.sample} files {log:q} {input:q} -- {output:q}",
    ]
    assert "guard {wildcards.sample} folders" in guard.guarded_folder("x")
    assert guard.environment({"qc": {"on_tool_failure": "stop"}})["RNA2MODEL_ON_TOOL_FAILURE"] == "stop"


def test_an_index_is_looked_for_in_the_store_and_recorded_as_without():
    without, with_store = IndexCommands(None), IndexCommands("/store")
    assert without.kept("star", "STAR ...") == "STAR ..." and without.environment() == {}
    command = with_store.kept("star", "STAR ...")
    assert 'index_in_store star "$(STAR --version)"' in command and "build() {{\nSTAR ...\n}}" in command
    assert with_store.as_without_store == {command: "STAR ..."}
    assert with_store.kept("star", "STAR --other") != command
    assert with_store.environment()["RNA2MODEL_STORE"] == "/store"
