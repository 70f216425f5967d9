"""A job's log can be followed while it runs, and the console hears of long work wherever the job runs."""

import logging
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from rna2model.core import job, tool_failure
from snakemake_logger_plugin_progress import MOST_NEWS, LogHandler, LogHandlerSettings
from tests.command import REPOSITORY


def run(folder, body):
    """Run `body` as a script of a job; what it wrote on its console."""
    script = f"""
        from types import SimpleNamespace
        from pathlib import Path
        from rna2model.core import job
        job.start(SimpleNamespace(log=[{str(folder / "job.log")!r}]))
        seen = lambda: Path({str(folder / "job.log")!r}).read_text()
    """
    code = textwrap.dedent(script) + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr


def test_a_line_is_in_the_log_while_the_job_still_runs(tmp_path):
    run(tmp_path, "print('epoch 25'); assert 'epoch 25' in seen()")


def test_news_are_marked_in_the_log(tmp_path):
    run(tmp_path, "job.news('epoch 25'); assert seen() == 'progress: epoch 25\\n'")


@pytest.fixture
def console(capsys):
    """The handler of `--logger progress`, and a function that tells it of an event of Snakemake."""
    handler = LogHandler(SimpleNamespace(dryrun=False), LogHandlerSettings(news_every=3600))
    handler.setFormatter(logging.Formatter())

    def tell(event, **fields):
        handler.emit(logging.makeLogRecord({"event": event, "levelno": logging.INFO, **fields}))
        return capsys.readouterr().err

    yield handler, tell
    handler.close()


def start(tell, path, number=1, **wildcards):
    tell(LogEvent.JOB_INFO, jobid=number, rule_name="train_torch", wildcards=wildcards, log=[str(path)])


def test_the_console_hears_the_last_news_of_a_running_job_once(console, tmp_path):
    handler, tell = console
    path = tmp_path / "r1f1.log"
    path.write_text(f"{job.NEWS}epoch 300, of the attempt before\n")
    start(tell, path, model="mlp", split="r1f1")
    assert handler.news() == []
    path.write_text(f"{job.NEWS}epoch 25\n{job.NEWS}epoch 50\na library's own line\n{job.NEWS}half a li")
    assert handler.news() == ["train_torch mlp r1f1: epoch 50"]
    assert handler.news() == []
    with path.open("a") as file:
        file.write("ne\n")
    assert handler.news() == ["train_torch mlp r1f1: half a line"]
    path.unlink()
    assert handler.news() == []


def test_a_job_that_ended_or_failed_is_heard_of_no_more(console, tmp_path):
    handler, tell = console
    for number in (1, 2):
        start(tell, tmp_path / f"{number}.log", number)
        (tmp_path / f"{number}.log").write_text(f"{job.NEWS}epoch 25\n")
    tell(LogEvent.JOB_FINISHED, job_id=1)
    assert len(handler.news()) == 1
    (tmp_path / "2.log").write_text(f"{job.NEWS}epoch 50\n")
    assert "out of memory" in tell(LogEvent.JOB_ERROR, jobid=2, msg="out of memory")
    assert handler.news() == []


def test_hundreds_of_trainings_do_not_flood_the_console(console, tmp_path):
    handler, tell = console
    for number in range(30):
        start(tell, tmp_path / f"{number}.log", number)
        (tmp_path / f"{number}.log").write_text(f"{job.NEWS}epoch {number}\n")
    lines = handler.news()
    assert len(lines) == MOST_NEWS + 1 and lines[-1] == f"... and {30 - MOST_NEWS} more are under way"


def test_a_step_that_ends_has_a_line_with_the_time_left(console):
    _, tell = console
    start(tell, "none.log", sample="d01")
    tell(LogEvent.JOB_FINISHED, job_id=1)
    line = tell(LogEvent.PROGRESS, done=2, total=10)
    assert line.startswith("[ 2/10] 0:00, about 0:00 left") and line.endswith("train_torch d01\n")


SNAKEFILE = """
rule train:
    output: "{sample}.txt"
    log: "{sample}.log"
    shell: "echo 'progress: epoch 25, validation loss 0.5' > {log}; sleep 4; touch {output}"
"""


def snakemake(folder, *arguments):
    """What Snakemake says on the console of a user with `logger: progress`."""
    (folder / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "-s", "Snakefile", "--cores", "1", "--logger", "progress"]
    command += ["--logger-progress-news-every", "1", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stderr


def test_snakemake_shows_the_news_of_a_job_that_still_runs(tmp_path):
    """Read from the log alone: as of a job on another machine, nothing of its own console comes here."""
    console = snakemake(tmp_path, "long.txt")
    assert console.count("train long: epoch 25, validation loss 0.5\n") == 1
    assert console.index("epoch 25") < console.index("[1/1]")
    assert "Nothing to be done" in snakemake(tmp_path, "long.txt")
    assert (REPOSITORY / "profiles/slurm/config.yaml").read_text().count("\nlogger: progress\n") == 1


def test_a_dry_run_shows_what_would_run_and_why(tmp_path):
    console = snakemake(tmp_path, "-n", "one.txt", "two.txt")
    assert console.count("train one: Missing output files: one.txt\n") == 1 and "[0/" not in console
    assert console.count("total        2\n") == 1 and console.count("This was a dry-run") == 1
    assert "train one" not in snakemake(tmp_path, "-n", "--quiet", "rules", "--", "one.txt", "two.txt")


def as_script(folder, body, prefix="own", theirs="theirs"):
    """`body` in a script under an environment's Python, as Snakemake starts it: its own path at the end of sys.path."""
    for package in ("snakemake", "torch"):
        (folder / theirs / package).mkdir(parents=True)
        (folder / theirs / package / "__init__.py").write_text("")
    library = REPOSITORY / "scripts"
    code = f"""
        import sys
        sys.path[:] = [path for path in sys.path if "site-packages" not in path and path != {str(library)!r}]
        sys.path.extend([{str(folder / theirs)!r}, "/usr/lib/python9/lib-dynload", {str(library)!r}, {str(folder)!r}])
        import snakemake as _
        from types import SimpleNamespace
        from rna2model.core import job
        sys.prefix = {str(folder / prefix)!r}
        job.start(SimpleNamespace(log=[{str(folder / "job.log")!r}]))
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code) + textwrap.dedent(body)], capture_output=True, text=True
    )


def test_a_script_in_an_environment_sees_no_packages_of_snakemakes_own_python(tmp_path):
    body = f"""
        assert sys.path[-1] == {str(REPOSITORY / "scripts")!r}, sys.path
        assert {str(tmp_path / "theirs")!r} not in sys.path and {str(tmp_path)!r} not in sys.path
        import rna2model.qc.gate
        import torch
    """
    done = as_script(tmp_path, body)
    assert done.stderr.startswith("error: package torch is missing or broken in the Python of"), done.stderr
    assert "Traceback" not in done.stderr + (tmp_path / "job.log").read_text()


def test_packages_of_the_python_that_snakemake_runs_in_stay(tmp_path):
    done = as_script(tmp_path, "import torch", prefix="theirs")
    assert done.returncode == 0, done.stderr


def test_a_broken_environment_is_named_and_tried_again(tmp_path):
    """It says which file it was made of, and counts as the machine's fault: no sample is excluded for it."""
    (tmp_path / "own/conda-meta").mkdir(parents=True)
    (tmp_path / "own.yaml").write_bytes((REPOSITORY / "envs/star.yaml").read_bytes())
    stderr = as_script(tmp_path, "import torch").stderr
    assert f"in environment envs/star.yaml, {tmp_path}/own; remove that folder" in stderr
    assert (
        tool_failure.is_infrastructure(stderr) and tool_failure.stopped_for_good(tmp_path / "job.log") is None
    )
