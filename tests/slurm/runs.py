"""Runs on the test cluster: a small project, profiles/slurm as a user would edit it, Snakemake as a process."""

import shutil
import signal
import subprocess

import numpy as np
import pandas as pd
import yaml

from tests.command import REPOSITORY, command
from tests.slurm import accounting
from tests.workflow.conftest import make_demo

TOO_LITTLE = 60  # MB: Snakemake alone needs more
ENOUGH = 1000
# the executor waits ten seconds longer after each look that found no job ended: at 4, 18, 42 seconds
QUICK = ("--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "4")

LIBRARIES = ("d02_b1", "d02_b2", "d08_b1", "d08_b2", "truncated")


def small_matrix(folder):
    """A small count matrix with a signal, its sheet and config; one torch model on a GPU."""
    rng = np.random.default_rng(1)
    names = [f"s{i:02}" for i in range(16)]
    means = rng.lognormal(4, 1, 60)[:, None] * np.where(
        np.arange(16) % 2, np.r_[np.full(10, 6), np.ones(50)][:, None], 1
    )
    pd.DataFrame(rng.poisson(means), index=[f"g{i}" for i in range(60)], columns=names).to_csv(
        folder / "counts.tsv", sep="\t"
    )
    pd.DataFrame({"sample": names, "condition": ["a", "b"] * 8}).to_csv(
        folder / "samples.tsv", sep="\t", index=False
    )
    config = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["mlp"]}
    config |= {
        "evaluation": {"folds": 2, "inner_folds": 2, "permutations": 0},
        "training": {"gpus": 1, "gpu_fallback": "cpu"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def small_reads(folder):
    """Four small simulated libraries and one whose file breaks off, with sheet and config."""
    make_demo(folder, "--pairs", "1500")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet[sheet["sample"].isin(LIBRARIES)].to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = yaml.safe_load((folder / "config.yaml").read_text()) | {"qc": {"min_reads": 100}}
    config |= {
        "results": "results",
        "design": {"target": "condition", "batch": "batch"},
        "evaluation": {"folds": 2},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def edited_profile(folder, *edits, resources=None, account=accounting.ACCOUNT, qos=accounting.QOS):
    """A copy of the profile after `edits` ("text in it", "text of a user"); `resources`: its set-resources.

    Where the cluster has accounting it demands an account, which the user writes there, too.
    """
    if not accounting.missing():
        edits += (("  # slurm_account: my_account", f"  slurm_account: {account}"),) if account else ()
        edits += (("# slurm-qos: normal", f"slurm-qos: {qos}"),)
    shutil.copytree(REPOSITORY / "profiles/slurm", folder)
    path = folder / "config.yaml"
    text = path.read_text()
    for old, new in edits:
        assert text.count(old) == 1, f"not once in the profile: {old}"
        text = text.replace(old, new)
    path.write_text(text + (yaml.safe_dump({"set-resources": resources}) if resources else ""))
    return folder


def start(running, folder, profile, *arguments):
    """Snakemake with a profile, as a process with its text in a pipe."""
    return subprocess.Popen(
        command(folder, "--profile", profile, *QUICK, *arguments, cores=None),
        env=running.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # a shell's background jobs ignore Ctrl-C, and so would what they start
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(run, seconds=300):
    """The text of a run that must succeed."""
    text, _ = run.communicate(timeout=seconds)
    assert run.returncode == 0, text[-5000:]
    return text
