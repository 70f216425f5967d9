"""Isolate a run from the user's shell: its variables must not change numbers, names or messages.

The family: the locale (decimal comma, order of sorting, translated messages), options that tools take from variables
(GREP_OPTIONS, _JAVA_OPTIONS), what shells and interpreters read first (BASH_ENV, exported functions, PYTHONPATH,
PERL5LIB, the user's site-packages), and folders that cannot be written (TMPDIR, HOME).

Kept, because a cluster needs them: PATH, LD_LIBRARY_PATH, what `module` is made of, JAVA_HOME, REF_PATH and REF_CACHE
(where references of CRAM files are found), numbers of threads, everything of CUDA, conda and Snakemake; only the priority of channels is always strict, and Anaconda's
`defaults` is no channel unless the user's .condarc names it, so that conda takes the same packages whatever its own settings say.
"""

from __future__ import annotations

import contextlib
import locale
import os
import re
import stat
import sys
from pathlib import Path

from rna2model import REPOSITORY

# Said here: `nodefaults` in a file keeps `defaults` away with old condas only; 26.7 looks for a channel of that name, and stops.
CONDA_CHANNELS = "conda-forge,bioconda"
OWN_CACHE = "rna2model-cache-"
UTF8_LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8")
DROPPED = re.compile(
    "|".join(
        [
            "LC_.*|LANG|LANGUAGE",  # set anew below
            "BASH_ENV|ENV|SHELLOPTS|BASHOPTS|CDPATH|GLOBIGNORE|POSIXLY_CORRECT|BASH_FUNC_(?!_?(module|ml|lmod)).*",
            "GREP_OPTIONS|AWKPATH|AWKLIBPATH|TAR_OPTIONS|GZIP|PIGZ|BZIP2?|XZ_OPT|XZ_DEFAULTS|UNZIP|ZIPOPT",
            "PYTHON(HOME|STARTUP|INSPECT|OPTIMIZE|WARNINGS|VERBOSE|DEBUG|DEVMODE|CASEOK|SAFEPATH|USERBASE|EXECUTABLE)",
            "PYTHON(IOENCODING|UTF8|COERCECLOCALE|PLATLIBDIR)|MPLBACKEND|MATPLOTLIBRC|MULTIQC_.*",
            "PERL5?LIB|PERL5OPT|PERL_UNICODE",
            "_JAVA_OPTIONS|JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|CLASSPATH",
            "R_(LIBS|LIBS_USER|LIBS_SITE|PROFILE|PROFILE_USER|ENVIRON|ENVIRON_USER|DEFAULT_PACKAGES)",
            "HISAT2_INDEXES|BOWTIE2_INDEXES",
        ]
    )
)


def settle() -> list[str]:
    """Make the environment of this process and of all that it starts independent of the user's; return notes (list of str).

    To be called again in every process of a run: a cluster's node may have set other variables.
    """
    letters = _letters()
    for name in [name for name in os.environ if DROPPED.fullmatch(name)]:
        del os.environ[name]
    os.environ |= {
        "LANG": "C",
        "LC_CTYPE": letters,
        "PYTHONNOUSERSITE": "1",
        "CONDA_CHANNEL_PRIORITY": "strict",
        "CONDA_CHANNELS": CONDA_CHANNELS,
    }
    if is_own_python():
        os.environ.pop("PYTHONPATH", None)  # any other Python may have Snakemake itself from there
    return _temporary_folders()


def is_own_python() -> bool:
    """Whether this Python is the one that `make setup` installed, with all packages it needs."""
    return Path(sys.prefix).resolve() == (REPOSITORY / ".venv").resolve()


def _letters():
    """The LC_CTYPE under which Python, Java and shells read every path alike."""
    users_locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    if sys.getfilesystemencoding().lower() != "utf-8":
        return users_locale  # this process has read its paths in that encoding
    before = locale.setlocale(locale.LC_CTYPE)
    for name in UTF8_LOCALES:
        try:
            locale.setlocale(locale.LC_CTYPE, name)
        except locale.Error:
            continue
        locale.setlocale(locale.LC_CTYPE, before)
        return name
    return users_locale


def _temporary_folders():
    """Replace temporary folders (TMPDIR, TMP, TEMP) that cannot be written; returns notes about them."""
    import tempfile

    notes = []
    for name in ("TMPDIR", "TMP", "TEMP"):
        folder = os.environ.get(name)
        if folder and not _is_writable(folder):
            os.environ[name] = tempfile.gettempdir()
            notes.append(
                f"{name} is {folder}, where no file can be written: temporary files go to {os.environ[name]}"
            )
    return notes


def _is_writable(folder):
    """Whether a file can be created in `folder`; tried, since permissions do not show full, read-only or remote disks."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def at_start() -> None:
    """Set what cannot be changed once Snakemake runs: the place of its cache and the modules that it imports.

    Called by every start of the Python of `make setup` (rna2model.pth there), so it must be quick and never fail.
    """
    with contextlib.suppress(OSError):  # no folder at all can be written, which Snakemake says
        if not _has_cache():
            os.environ["XDG_CACHE_HOME"] = _private_folder()
    with contextlib.suppress(OSError):  # the folder it starts in is gone, which Snakemake says
        if os.environ.get("PYTHONPATH") and _starts_a_run(sys.orig_argv):
            foreign = {os.path.abspath(folder) for folder in os.environ["PYTHONPATH"].split(os.pathsep)}
            sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) not in foreign]
            del os.environ["PYTHONPATH"]


def _starts_a_run(command):
    """Whether a command line (list of str) is that of Snakemake, or of a program of this repository."""
    own = [REPOSITORY / "scripts", REPOSITORY / "resources"]
    started = [Path(part) for part in command[1:3]]  # python -m snakemake, python program
    return any(path.name == "snakemake" or any(map(path.resolve().is_relative_to, own)) for path in started)


def _has_cache():
    """Whether Snakemake could keep its cache where it would look for it."""
    cache = os.environ.get("XDG_CACHE_HOME", "").strip() or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(cache, "snakemake", "snakemake", "source-cache")  # as snakemake.workflow has it
    if cache.startswith("~"):  # a user whom the system does not know
        return False
    if os.path.basename(cache).startswith(OWN_CACHE) and not _is_private(cache):  # made on another node
        return False
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _private_folder():
    """A private folder of this user among the temporary files, with the same path each time unless another user owns
    that name."""
    import tempfile

    folder = os.path.join(tempfile.gettempdir(), f"{OWN_CACHE}{os.getuid()}")
    with contextlib.suppress(OSError):
        os.mkdir(folder, 0o700)
    return folder if _is_private(folder) else tempfile.mkdtemp(prefix=OWN_CACHE)


def _is_private(folder):
    """Whether `folder` is a folder of this user that nobody else can write."""
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    mine = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
    return mine and _is_writable(folder)
