"""`make predict` on an installation that others use: another user, nothing written, no set-up."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.command import REPOSITORY
from tests.workflow.test_serving_runs import counts, made  # noqa: F401  (fixtures)

NOBODY = 65534
PARTS = ("Makefile", "Snakefile", "config", "envs", "profiles", "resources", "rules", "scripts")


def tree(folder):
    """{path: (size, date)} of all files and folders of an installation."""
    stats = {path: path.lstat() for path in folder.rglob("*")}
    return {str(path): (one.st_size, one.st_mtime_ns) for path, one in stats.items()}


def make_predict(installation, folder, user=None, **variables):
    command = ["make", "-f", installation / "Makefile", "predict", "CORES=1"]
    command += [f"{name}={value}" for name, value in variables.items()]
    if user is not None:
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"HOME": str(folder)}
    return subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, env=environment
    )


def is_for_all(python):
    """Whether another user can start a Python: by a shell, since setpriv itself starts it as root."""
    start = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    return subprocess.run([*start, "sh", "-c", f"'{python}' -c ''"], capture_output=True).returncode == 0


def with_python_for_all(installation):
    """Where .venv has its Python from a folder of root's: the same packages with the system's Python, if it fits."""
    if is_for_all(installation / ".venv/bin/python"):
        return
    system = Path(f"/usr/bin/python3.{sys.version_info[1]}")
    if not is_for_all(system):
        pytest.skip("the Python of .venv lies where no other user may go, and the system has no such Python")
    (installation / ".venv").unlink()
    command = [system, "-m", "venv", "--without-pip", installation / ".venv"]
    subprocess.run(command, check=True)
    packages = f"lib/python3.{sys.version_info[1]}/site-packages"
    (installation / ".venv" / packages).rmdir()
    (installation / ".venv" / packages).symlink_to(REPOSITORY / ".venv" / packages)
    for name in (".requirements", "snakemake_options"):
        shutil.copy(REPOSITORY / ".venv" / name, installation / ".venv")


@pytest.fixture
def shared():
    """A folder that everybody may enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="rna2model-shared-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def installation(shared):
    """This repository's files as an installation of their own, with the .venv that is there."""
    if not (REPOSITORY / ".venv/.requirements").exists():
        pytest.skip("make predict runs in the .venv that make setup makes")
    home = shared / "rna2model"
    home.mkdir()
    for name in PARTS:
        path = REPOSITORY / name
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(path, home / name, ignore=ignore) if path.is_dir() else shutil.copy(path, home)
    (home / ".venv").symlink_to(REPOSITORY / ".venv")
    return home


@pytest.fixture
def prediction(shared, made, counts):  # noqa: F811
    from tests.workflow.test_serving_runs import PredictionFolder

    folder = shared / "work"
    folder.mkdir()
    shutil.copytree(made, folder / "bundle")
    return PredictionFolder(folder, folder / "bundle", counts)


def test_predicting_writes_nothing_into_the_installation(installation, prediction):
    before = tree(installation)
    done = make_predict(installation, prediction.folder, BUNDLE="bundle", COUNTS="counts.tsv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert tree(installation) == before and (prediction.results / "predictions.tsv").exists()


def test_another_user_predicts_with_an_installation_that_only_root_may_write(installation, prediction):
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("only root can run a command as another user (with setpriv)")
    with_python_for_all(installation)
    for path in [prediction.folder, *prediction.folder.rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    done = make_predict(installation, prediction.folder, NOBODY, BUNDLE="bundle", COUNTS="counts.tsv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (prediction.results / "predictions.tsv").stat().st_uid == NOBODY


def test_an_installation_that_is_not_ready_says_what_to_run(installation, prediction):
    (installation / ".venv").unlink()
    done = make_predict(installation, prediction.folder, BUNDLE="bundle", COUNTS="counts.tsv")
    assert done.returncode == 2 and "Run 'make setup' there" in done.stderr, done.stderr
    assert not (installation / ".venv").exists() and not prediction.results.exists()


def test_set_up_never_removes_a_venv_that_is_in_use(tmp_path):
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system has no /proc")
    (tmp_path / "envs").mkdir()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name in ("setup.sh", "requirements.txt"):
        shutil.copy(REPOSITORY / "envs" / name, tmp_path / "envs")
    shutil.copy(shutil.which("sleep"), tmp_path / ".venv/bin/work")
    work = subprocess.Popen([".venv/bin/work", "60"], cwd=tmp_path)
    try:
        time.sleep(0.2)
        environment = {**os.environ, "PYTHON": sys.executable}
        done = subprocess.run([tmp_path / "envs/setup.sh"], capture_output=True, text=True, env=environment)
        assert done.returncode == 1 and f"work with it: {work.pid}" in done.stderr, done.stderr
        assert (tmp_path / ".venv/bin/work").exists()
    finally:
        work.kill()
        work.wait()
