"""A job's log can be followed while it runs, and long work is heard of on the console."""

import subprocess
import sys
import textwrap


def run(folder, body):
    """Run `body` as a script of a job; what it wrote on its console."""
    script = f"""
        from types import SimpleNamespace
        from pathlib import Path
        from rna2model import job
        job.start(SimpleNamespace(log=[{str(folder / "job.log")!r}]))
        seen = lambda: Path({str(folder / "job.log")!r}).read_text()
    """
    code = textwrap.dedent(script) + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr


def test_a_line_is_in_the_log_while_the_job_still_runs(tmp_path):
    run(tmp_path, "print('epoch 25'); assert 'epoch 25' in seen()")


def test_the_console_hears_of_long_work_now_and_then_the_log_of_everything(tmp_path):
    heard = run(
        tmp_path,
        """
        import time
        log = job.news("train_mlp r1f1", every=0.2)
        log("epoch 1"); time.sleep(0.25); log("epoch 2, validation 0.5"); log("epoch 3")
        """,
    )
    assert heard == "train_mlp r1f1: epoch 2, validation 0.5\n"
    assert (tmp_path / "job.log").read_text().splitlines() == [
        "epoch 1",
        "epoch 2, validation 0.5",
        "epoch 3",
    ]
