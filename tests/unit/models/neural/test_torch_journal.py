"""A training that is killed goes on to the same bytes; every epoch leaves a line."""

import json
import signal
import subprocess
import sys

import pytest

from rna2model.models.neural import loop, losses
from tests.unit.models.neural.test_torch import LABELS, SETTINGS, build_of, folds_of
from tests.unit.models.test_models import expression, make, quiet

KILLED = """
import os, signal, sys
sys.path[:0] = {path!r}
from rna2model import models
from rna2model.models.neural import checkpoint
from tests.unit.models.test_models import expression, make, quiet

class Killed(checkpoint.Checkpoint):
    saved_times = 0
    def due(self):
        return True
    def save(self, *state):
        super().save(*state)
        Killed.saved_times += 1
        if Killed.saved_times == {times}:
            os.kill(os.getpid(), signal.SIGKILL)

checkpoint.Checkpoint = Killed
X, y = expression(n=24, p=40)
make({name!r}, checkpoint={folder!r} + "/checkpoint", journal={folder!r} + "/epochs.jsonl").fit(X, y, log=quiet)
"""


@pytest.mark.parametrize(("name", "times"), [("mlp", 70), ("vae", 75)])
def test_a_killed_training_goes_on_to_the_same_bytes(name, times, tmp_path, repository):
    path = [str(repository / "scripts"), str(repository / "tests/unit")]
    code = KILLED.format(path=path, name=name, folder=str(tmp_path), times=times)
    job = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert job.returncode == -signal.SIGKILL, job.stderr
    assert list((tmp_path / "checkpoint").iterdir())

    X, y = expression(n=24, p=40)
    log = []
    files = {"checkpoint": tmp_path / "checkpoint", "journal": tmp_path / "epochs.jsonl"}
    make(name, **files).fit(X, y, log=log.append).save(tmp_path / "resumed")
    make(name, journal=tmp_path / "whole.jsonl").fit(X, y, log=quiet).save(tmp_path / "whole")
    assert any("goes on after epoch" in line for line in log)
    for file in (tmp_path / "whole").iterdir():
        assert file.read_bytes() == (tmp_path / "resumed" / file.name).read_bytes()
    assert (tmp_path / "whole.jsonl").read_text() == (tmp_path / "epochs.jsonl").read_text()
    assert not (tmp_path / "checkpoint").exists()


def test_a_checkpoint_of_other_data_is_not_taken_up(tmp_path):
    from rna2model.models.neural import checkpoint

    log = []
    store = checkpoint.Checkpoint(tmp_path)
    for seed in (0, 1, 0):
        plan = loop.Plan(losses.cross_entropy, 3, log=log.append, checkpoint=store)
        program = loop.train(build_of("mlp"), folds_of(seed=seed), SETTINGS[:1], LABELS, plan)
        assert program.epoch == 3
    assert log == ["training: goes on after epoch 3"]


def test_every_epoch_leaves_a_line(tmp_path):
    X, y = expression(n=24, p=40)
    model = make("mlp", journal=tmp_path / "epochs.jsonl").fit(X, y, log=quiet)
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text().splitlines()]
    tuning = [line for line in lines if line["validation_loss"]]
    final = [line for line in lines if line["program"] == "mlp final"]
    assert [line["epoch"] for line in tuning] == list(range(1, len(tuning) + 1))
    assert [line["epoch"] for line in final] == list(range(1, model.settings_["epochs"] + 1))
    assert min(line["validation_loss"][0] for line in tuning) == pytest.approx(
        -model.settings_["candidates"][0]["minus_log_loss"], abs=1e-6
    )
    assert final[-1]["train_loss"][0] < final[0]["train_loss"][0] and final[0]["learning_rate"] == [0.01]
