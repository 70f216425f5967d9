"""Where `make setup` takes the tools from: what it would call is recorded by stand-ins of conda, sudo and apt-get."""

import shutil
import subprocess

import pytest

NEEDED = (
    "bash",
    "cat",
    "dirname",
    "env",
    "grep",
    "head",
    "printf",
    "sort",
)  # of the system, beside what a test gives
PROGRAMS = {
    "conda": "echo conda {}",
    "id": "echo {}",
    "sudo": 'echo "sudo $*" >> "$CALLS"; "$@"',
    "apt-get": 'echo "apt-get $*" >> "$CALLS"',
}


@pytest.fixture
def machine(repository, tmp_path):
    """A function that runs envs/tools.sh on a machine with the given programs; (status, what it said, calls, options)."""

    def run(user=1000, conda=None, missing=("STAR",), lacks=(), folder="here", **variables):
        home, bin = tmp_path / folder, tmp_path / "bin"
        for made in (home / "envs", home / ".venv", bin):
            made.mkdir(parents=True)
        for name in ("tools.sh", "debian.txt"):
            shutil.copy(repository / "envs" / name, home / "envs")
        for name in NEEDED:
            (bin / name).symlink_to(shutil.which(name))
        lines = (repository / "envs/debian.txt").read_text().splitlines()[1:]
        tools = {line.split("\t")[0]: "true" for line in lines}
        for name, body in (tools | PROGRAMS).items():
            if name in (*missing, *lacks) or (name == "conda" and not conda):
                continue
            (bin / name).write_text(
                f"#!{shutil.which('bash')}\n{body.format({'conda': conda}.get(name, user))}\n"
            )
            (bin / name).chmod(0o755)
        calls = tmp_path / "calls"
        calls.touch()
        env = {"PATH": str(bin), "CALLS": str(calls), **variables}
        done = subprocess.run([home / "envs/tools.sh"], capture_output=True, text=True, env=env)
        options = (home / ".venv/snakemake_options").read_text().split()
        return done.returncode, done.stdout + done.stderr, calls.read_text().splitlines(), options

    return run


INSTALLED = ["apt-get update -qq", "apt-get install -y -qq --no-install-recommends rna-star"]


def test_set_up_never_calls_sudo_unasked_and_says_what_it_would_install(machine):
    status, output, calls, _ = machine()
    assert (status, calls) == (1, [])
    assert "missing: STAR\n" in output and "SETUP_APT=1 make setup" in output
    assert "apt-get install --no-install-recommends rna-star\n" in output


@pytest.mark.parametrize("value", ["", "0", "yes"])
def test_anything_but_one_does_not_ask_for_sudo(machine, value):
    status, _, calls, _ = machine(SETUP_APT=value)
    assert (status, calls) == (1, [])


def test_with_setup_apt_it_installs_by_sudo_and_as_root_without(machine):
    status, output, calls, _ = machine(SETUP_APT="1")
    assert status == 0 and "with sudo apt-get" in output
    assert [call for call in calls if not call.startswith("sudo")] == INSTALLED
    assert len(calls) == 4


def test_root_installs_without_sudo(machine):
    status, output, calls, _ = machine(user=0)
    assert (status, calls) == (0, INSTALLED) and "with apt-get" in output


def test_advice_is_only_what_can_help(machine):
    status, output, calls, _ = machine(lacks=("apt-get",), SETUP_APT="1")
    assert (status, calls) == (1, []) and "no apt-get" in output and "SETUP_APT" not in output


def test_no_sudo_on_the_machine_is_said(machine):
    status, output, calls, _ = machine(lacks=("sudo",), SETUP_APT="1")
    assert (status, calls) == (1, []) and "there is no sudo here" in output and "rna-star" in output


def test_nothing_is_installed_where_all_tools_are_there(machine):
    assert machine(missing=(), SETUP_APT="1") == (0, "setup: all tools are there\n", [], [])


def test_conda_brings_the_tools_into_one_folder_for_all_projects(machine, tmp_path):
    status, _, calls, options = machine(conda="26.7.0", user=0)
    assert (status, calls) == (0, [])
    assert options == [
        "--software-deployment-method",
        "conda",
        "--conda-prefix",
        str(tmp_path / "here/.conda"),
    ]


def test_the_folder_of_the_environments_can_be_named(machine):
    *_, options = machine(conda="24.7.1", SNAKEMAKE_CONDA_PREFIX="/shared/conda")
    assert options[-2:] == ["--conda-prefix", "/shared/conda"]


def test_a_folder_with_a_space_is_said_and_not_named(machine):
    _, output, _, options = machine(conda="26.7.0", folder="my work")
    assert options == ["--software-deployment-method", "conda"] and "has a space" in output


def test_an_old_conda_is_not_used(machine):
    status, output, calls, options = machine(conda="23.11.0")
    assert (status, calls, options) == (1, [], []) and "24.7.1 or newer" in output
