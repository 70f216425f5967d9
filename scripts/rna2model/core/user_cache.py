"""The user's cache, kept between runs outside of results and installation."""

from __future__ import annotations

import os
from pathlib import Path


def folder(name: str) -> Path:
    """The folder `name` of this user's cache of rna2model (XDG_CACHE_HOME, else ~/.cache); it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip() or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "rna2model" / name


def conda_options(options: list[str]) -> list[str]:
    """Options of Snakemake with a prefix for conda that this user can use: that of the installation, where it holds environments
    or may be written, else one in the user's cache."""
    if "--conda-prefix" not in options:
        return options
    place = options.index("--conda-prefix") + 1
    prefix = Path(options[place])
    nearest = next(path for path in (prefix, *prefix.parents) if path.exists())
    if os.access(nearest, os.W_OK) or (prefix.is_dir() and any(prefix.glob("*/conda-meta"))):
        return options
    return [*options[:place], str(folder("conda")), *options[place + 1 :]]
