"""Runs of `make predict` side by side, killed, refused and failed: the lock, the exit codes and status.json."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from rna2model import models
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.inputs import config
from rna2model.planning import run_lock
from rna2model.serving import bundle, reference_panel
from tests.command import LOCAL, REPOSITORY

GENES = [f"G{i:03}" for i in range(80)]
LABELS = np.tile(["case", "control"], 12)
SERVE = [sys.executable, "-B", REPOSITORY / "scripts/serve.py"]


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(5)
    effect = np.where(LABELS[:, None] == "case", np.r_[np.full(8, 4.0), np.ones(72)], 1)
    return rng.poisson(rng.lognormal(5, 1, 80) * effect).astype(float)


@pytest.fixture(scope="module")
def made(counts, tmp_path_factory):
    """A bundle of a matrix of 24 samples."""
    folder = tmp_path_factory.mktemp("bundle")
    normalizer = methods.make("tmm", GENES).fit(counts, groups=LABELS)
    normalizer.save(folder / "n")
    batches = np.full(24, "", dtype=object)
    X = normalizer.transform(counts)
    correction = registry.make("none").fit(X, batches)
    correction.save(folder / "b")
    models.make("logistic_l2", inner_folds=3).fit(X, LABELS, log=lambda *_: None).save(folder / "m")
    full = config.complete({"counts": "m.tsv", "design": {"target": "label"}})[0]
    facts = {"model": "logistic_l2", "batch_correction": "none", "classes": {"case": 12, "control": 12}}
    facts |= {"counts_unit": "counts", "qc": full["qc"]} | {
        key: full[key] for key in ("design", "expression")
    }
    bundle.assemble(
        folder / "bundle",
        folder / "n",
        folder / "b",
        folder / "m",
        facts,
        kept=reference_panel.Panel().fit(X),
    )
    return folder / "bundle"


class PredictionFolder:
    """A folder with a bundle and the matrix of four samples, and the command that predicts them."""

    def __init__(self, folder, made, counts):
        self.folder, self.results, self.bundle = folder, folder / "results", made
        table = pd.DataFrame(counts[:4].T, index=GENES, columns=["s1", "s2", "s3", "s4"]).astype(int)
        table.rename_axis("gene_id").to_csv(folder / "counts.tsv", sep="\t")
        self.table = table

    def command(self, *more):
        options = ["--bundle", self.bundle, "--counts", self.folder / "counts.tsv", *more]
        return [str(part) for part in (*SERVE, *options)]

    def run(self, *more):
        return subprocess.run(self.command(*more), cwd=self.folder, capture_output=True, text=True)

    def start(self, *more):
        return subprocess.Popen(
            self.command(*more), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def status(self):
        return json.loads((self.results / "status.json").read_text())

    def states(self):
        return {name: sample["state"] for name, sample in self.status()["samples"].items()}

    def wait_for(self, path, seconds=60):
        end = time.monotonic() + seconds
        while not path.exists():
            assert time.monotonic() < end, f"{path} did not come"
            time.sleep(0.05)


@pytest.fixture
def prediction(tmp_path, made, counts):
    return PredictionFolder(tmp_path, made, counts)


def modes(folder):
    """{path: permissions} of the files and folders that a run made."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


@pytest.mark.parametrize("mask", [0o002, 0o027])
def test_all_that_a_run_writes_has_the_permissions_of_the_umask(prediction, mask):
    before = os.umask(mask)
    try:
        assert prediction.run().returncode == 0
    finally:
        os.umask(before)
    permissions = modes(prediction.results)
    assert {
        "predictions.tsv",
        "status.json",
        "logs/predict/new_samples.log",
        "cohort.h5ad",
    } <= permissions.keys()
    wrong = {
        name: oct(mode)
        for name, mode in permissions.items()
        if mode != (0o777 if (prediction.results / name).is_dir() else 0o666) & ~mask
    }
    assert not wrong


def test_two_runs_at_once_predict_or_name_the_other(prediction):
    first = prediction.start()
    prediction.wait_for(prediction.results / "serving.lock")
    beside = prediction.start("--results", prediction.folder / "beside")
    second = prediction.run()
    assert second.returncode == 6, second.stderr
    assert f"process {first.pid} on {socket.gethostname()}" in second.stderr and "since" in second.stderr
    assert first.wait() == 0 and beside.wait() == 0
    status = prediction.status()
    assert status["state"] == "finished" and status["exit_code"] == 0 and status["ended"] >= status["started"]
    assert prediction.states() == dict.fromkeys(["s1", "s2", "s3", "s4"], "predicted")
    assert set(status["samples"]["s1"]["times"]) == {"queued", "running", "predicted"}
    assert len(status["bundle_sha256"]) == 64 and not (prediction.results / "serving.lock").exists()
    tables = [(prediction.folder / name / "predictions.tsv").read_bytes() for name in ("results", "beside")]
    assert tables[0] == tables[1]
    assert (
        len(list((prediction.results / "serving").iterdir())) == 1
    )  # of the run that was refused nothing is left


def test_a_killed_run_is_followed_by_the_next(prediction):
    """First the starter alone dies: its Snakemake goes on and holds the lock. Then both are gone."""
    first = prediction.start()
    prediction.wait_for(prediction.results / "serving.lock")
    child = None
    while child is None:
        processes = json.loads((prediction.results / "serving.lock").read_text())["processes"]
        child = processes[1]["pid"] if len(processes) > 1 else None
    os.kill(child, signal.SIGSTOP)
    first.kill()
    first.wait()
    second = prediction.run()
    assert second.returncode == 6 and f"process {child}" in second.stderr, second.stderr
    os.kill(child, signal.SIGKILL)
    while run_lock.is_alive({**processes[1]}):
        time.sleep(0.05)
    third = prediction.run()
    assert third.returncode == 0, third.stdout + third.stderr
    assert "did not end" in third.stdout and set(prediction.states().values()) == {"predicted"}


def test_what_is_excluded_refused_or_fails_has_its_own_exit_code(prediction):
    prediction.table.assign(s2=0).rename_axis("gene_id").to_csv(prediction.folder / "counts.tsv", sep="\t")
    done = prediction.run()
    assert done.returncode == 3, done.stdout + done.stderr
    assert prediction.states() == {"s1": "predicted", "s2": "excluded", "s3": "predicted", "s4": "predicted"}
    table = pd.read_csv(prediction.results / "samples.tsv", sep="\t", index_col="sample")
    assert prediction.status()["samples"]["s2"]["reason"] == table.loc["s2", "reason"]

    (prediction.folder / "sheet.tsv").write_text("sample\ns1\ns1\n")
    done = prediction.run("--samples", prediction.folder / "sheet.tsv")
    assert done.returncode == 4 and "Traceback" not in done.stderr, done.stderr
    status = prediction.status()
    assert (status["state"], status["exit_code"]) == ("refused", 4) and status["reason"]

    assert prediction.run("--bundle", prediction.folder / "nowhere").returncode == 4
    assert subprocess.run([str(part) for part in SERVE], capture_output=True).returncode == 4


def test_a_failed_job_is_told_of_each_sample(prediction, made):
    """Half of the model's genes are not in the matrix, which the prediction refuses."""
    shutil.copytree(made, prediction.folder / "bundle")
    prediction.bundle = prediction.folder / "bundle"
    prediction.table.iloc[:40].rename_axis("gene_id").to_csv(
        prediction.folder / "counts.tsv", sep="\t"
    )  # half of the genes
    done = prediction.run("--", "--cores", "1", *LOCAL, "--retries", "0")
    assert done.returncode == 5, done.stdout + done.stderr
    status = prediction.status()
    assert status["state"] == "failed" and "predict" in status["reason"]
    assert set(prediction.states().values()) == {"failed"}
    assert all("predict" in sample["reason"] for sample in status["samples"].values())
