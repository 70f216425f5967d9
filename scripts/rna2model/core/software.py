"""Message for a package that cannot be imported: the environment is broken, not the data."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from rna2model import REPOSITORY

ENVIRONMENTS = REPOSITORY / "envs"
# pandas names what it could not import in its text only
NAMED = re.compile(
    r"(?:Missing optional dependency|tried using:|No module named|cannot import name .* from) '([\w.]+)'"
    r"|`Import ([\w.]+)` failed"  # pandas 3
)


def problem(error: ImportError) -> str:
    """A sentence on an ImportError: the package, the environment, and how to rebuild it."""
    text = " ".join(str(error).split())
    named = NAMED.search(text)
    package = (error.name or (named and (named[1] or named[2])) or "").split(".")[0]
    what = f"package {package} is missing or broken" if package else "a package is missing or broken"
    return f"{what} in {_environment()} ({type(error).__name__}: {text})"


def _environment():
    """The environment of this Python and how to make it again."""
    prefix = Path(sys.prefix)
    made_of = _file_of(prefix)
    if made_of or (prefix / "conda-meta").is_dir():
        named = f"environment {made_of}, " if made_of else "the environment "
        return f"{named}{prefix}; remove that folder, and the next run makes it again"
    return f"the Python of {prefix}; `make setup` after removing .venv makes that of a run again"


def _file_of(prefix):
    """envs/<name>.yaml that Snakemake made the environment at `prefix` of (it keeps a copy beside it), or None."""
    copy = prefix.with_name(f"{prefix.name}.yaml")
    if not copy.is_file():
        return None
    same = (path for path in sorted(ENVIRONMENTS.glob("*.yaml")) if path.read_bytes() == copy.read_bytes())
    return next((f"envs/{path.name}" for path in same), None)
