"""The user's shell does not reach a run: variables as people, desktops and clusters set them, and what tools make of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rna2model.core import environment

NEUTRAL = {
    "LANG": "C",
    "PYTHONNOUSERSITE": "1",
    "CONDA_CHANNEL_PRIORITY": "strict",
    "CONDA_CHANNELS": "conda-forge,bioconda",
}
LOCALES = ["de_DE.UTF-8", "tr_TR.UTF-8", "C", "POSIX", "C.UTF-8", "no_SUCH", "", "fr_FR@euro"]
HOSTILE = ["BASH_ENV", "ENV", "CDPATH", "POSIXLY_CORRECT", "GREP_OPTIONS", "AWKPATH", "TAR_OPTIONS", "GZIP", "XZ_OPT", "PYTHONSTARTUP", "PYTHONHOME", "PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONINSPECT", "PYTHONUSERBASE", "MPLBACKEND", "MULTIQC_TITLE", "MULTIQC_CONFIG_PATH", "PERL5LIB", "PERL5OPT", "_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "CLASSPATH", "R_LIBS", "R_LIBS_USER", "R_PROFILE_USER", "HISAT2_INDEXES", "LANGUAGE", "LC_NUMERIC", "LC_COLLATE", "LC_MESSAGES", "SHELLOPTS", "BASH_FUNC_samtools%%"]  # fmt: skip
NEEDED = [
    "PATH",
    "LD_LIBRARY_PATH",
    "BASH_FUNC_module%%",
    "JAVA_HOME",
    "REF_PATH",
    "REF_CACHE",
    "OMP_NUM_THREADS",
]
NEEDED += ["CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "CONDA_PREFIX", "SNAKEMAKE_PROFILE", "HOME", "USER"]


def settled(variables):
    """The environment that the variables become."""
    os.environ.clear()
    os.environ.update(variables)
    environment.settle()
    return dict(os.environ)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["LC_ALL", "LANG", "LC_CTYPE", "LC_TIME"]), st.sampled_from(LOCALES)),
    st.dictionaries(st.sampled_from(HOSTILE), st.text(st.characters(min_codepoint=33, max_codepoint=126))),
    st.dictionaries(st.sampled_from(NEEDED), st.text(st.characters(min_codepoint=33, max_codepoint=126))),
)
def test_all_that_changes_tools_goes_and_what_a_cluster_needs_stays(locales, hostile, needed):
    before = dict(os.environ)
    try:
        variables = settled({**locales, **hostile, **needed})
        assert variables == {**needed, **NEUTRAL, "LC_CTYPE": "C.UTF-8"}
        assert settled(variables) == variables  # a job settles what its run has settled
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_numbers_order_and_messages_are_those_of_c(german, tmp_path):
    """A German desktop, with the awk, sort and bash that jobs use; non-ASCII letters stay letters."""
    script = "awk 'BEGIN {print 1 / 4}'; printf '%.2f\\n' 0.25; printf 'b\\nB\\na\\nA\\n' | sort | tr -d '\\n'; x=ü; echo ${#x}"
    program = f"from rna2model.core import environment; import subprocess; environment.settle(); subprocess.run(['bash', '-c', {script!r}])"
    shown = [
        subprocess.run(command, env={**os.environ, **german}, capture_output=True, text=True).stdout.split()
        for command in (["bash", "-c", script], [sys.executable, "-c", program])
    ]
    assert "0,25" in shown[0]  # the machine does know the decimal comma
    assert shown[1] == ["0.25", "0.25", "ABab1"]


@pytest.mark.parametrize("tmpdir", ["missing", "file", ""])
def test_temporary_files_go_where_they_can(tmp_path, monkeypatch, tmpdir):
    (tmp_path / "file").write_text("")
    folder = str(tmp_path / tmpdir)
    monkeypatch.setenv("TMPDIR", folder)
    notes = environment._temporary_folders()
    if tmpdir:
        assert len(notes) == 1 and f"TMPDIR is {folder}" in notes[0]
        assert os.path.isdir(os.environ["TMPDIR"]) and os.environ["TMPDIR"] != folder
    else:
        assert notes == [] and os.environ["TMPDIR"] == folder


def started(repository, *command, **variables):
    """What a Python of `make setup` shows that is started with variables of a user."""
    if not environment.is_own_python():
        pytest.skip("only the Python of make setup settles what comes before Snakemake")
    env = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True)


@pytest.mark.parametrize("home", ["/proc/none", "file/home", None])
def test_snakemake_starts_without_a_home(repository, tmp_path, home):
    """Compute nodes and containers: HOME missing, read-only, below a file, or of a user whom the system does not know."""
    (tmp_path / "file").write_text("")
    variables = {"HOME": str(tmp_path / home)} if home else {"XDG_CACHE_HOME": "/proc/none"}
    show = "import os; print(os.environ['XDG_CACHE_HOME'])"
    cache = Path(started(repository, "-c", show, **variables, TMPDIR=str(tmp_path)).stdout.strip())
    assert cache.parent == tmp_path and cache.stat().st_mode & 0o777 == 0o700
    (tmp_path / "Snakefile").write_text("rule all:\n    shell: 'echo it runs'\n")
    command = ["-m", "snakemake", "-s", str(tmp_path / "Snakefile"), "-d", str(tmp_path), "--cores", "1"]
    done = started(repository, *command, **variables, TMPDIR=str(tmp_path))
    assert done.returncode == 0 and "it runs" in done.stdout, done.stderr


def test_a_folder_that_somebody_else_could_write_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    usual = Path(environment._private_folder())
    assert usual.name == f"rna2model-cache-{os.getuid()}" and environment._private_folder() == str(usual)
    usual.chmod(0o777)
    assert environment._private_folder() != str(usual)


def test_a_home_that_works_is_used_as_ever(repository, tmp_path):
    show = "import os; print(os.environ.get('XDG_CACHE_HOME'))"
    assert started(repository, "-c", show, HOME=str(tmp_path)).stdout == "None\n"


def test_modules_of_the_shell_are_not_those_of_a_run(repository, tmp_path):
    """PYTHONPATH as a cluster's module sets it, with another numpy; other programs of this Python keep it."""
    (tmp_path / "numpy.py").write_text("raise SystemExit('the wrong numpy')")
    (tmp_path / "shown.py").write_text("import os, sys; print(os.environ.get('PYTHONPATH'))")
    variables = {"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)}
    assert started(repository, str(tmp_path / "shown.py"), **variables).stdout == f"{tmp_path}\n"
    (tmp_path / "Snakefile").write_text(
        "import numpy\nrule all:\n    shell: 'echo PYTHONPATH=${{PYTHONPATH-none}}'\n"
    )
    command = ["-m", "snakemake", "-s", str(tmp_path / "Snakefile"), "-d", str(tmp_path), "--cores", "1"]
    done = started(repository, *command, **variables)
    assert done.returncode == 0 and done.stdout == "PYTHONPATH=none\n", done.stderr
