"""`reference.store`: a folder where indices are kept for all projects (scripts/index_store.sh), looked at before any job.

The family: another path of the same genome, gz or plain, other line lengths; another annotation, tool version or option; a store
that is on another disk, was moved, cannot be written, or is gone, while results hold links into it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core.paths import locate

if TYPE_CHECKING:
    from collections.abc import Sequence

INDICES = "indices"  # folder in the store
TOOLS = ("star", "hisat2", "salmon")  # folders of results/reference that may be links into a store


def prepare(config: dict[str, Any], folders: Sequence[str | Path], store: Any = None) -> list[str]:
    """Make `reference.store` of a config absolute in place, found from `folders` as other paths; return the problems (list of str).

    store : the object storage of the run, if it has one
    """
    named = config["reference"]["store"]
    if not named:
        return []
    if store:
        return [
            "config: reference.store: a folder cannot be given where files lie in object storage; set it to null"
        ]
    path = config["reference"]["store"] = os.path.abspath(locate(named, folders))
    if os.path.exists(path):
        if not os.path.isdir(path):
            return [f"config: reference.store: is a file, not a folder: {path}"]
        if not os.access(path, os.R_OK | os.X_OK):
            return [f"config: reference.store: you may not read it: {path}"]
        return []
    nearest = next(one for one in Path(path).parents if one.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK):
        return []
    why = "you may not write there" if nearest.is_dir() else "it is a file"
    return [f"config: reference.store: {path} is not there, and cannot be made in {nearest}: {why}"]


def note(store: str | Path) -> str:
    """A note if the store is read-only, else an empty text. The folder need not exist yet."""
    places = [Path(store) / INDICES, Path(store)]
    nearest = next((path for path in places if path.is_dir()), None)
    if nearest is None or os.access(nearest, os.W_OK):
        return ""
    return f"reference.store: you may not write {nearest}: an index that is there is used, any other is made in the results"


def is_broken(index: str | Path) -> bool:
    """Whether the folder `index` has broken links."""
    return any(path.is_symlink() and not path.exists() for path in Path(index).glob("*"))


def repair(results: str | Path, store: str | Path | None = None) -> list[str]:
    """Problems (list of str) of indices in `results` with broken links; if `store` has the same index, it is linked
    instead.

    To Snakemake a folder of other links to the same index is the same, so that nothing runs again where a store was moved.
    """
    problems = []
    for tool in TOOLS:
        index = Path(results) / "reference" / tool
        if not is_broken(index):
            continue
        links = [path for path in index.iterdir() if path.is_symlink()]
        old = Path(os.readlink(links[0])).parents[1]  # .../indices/TOOL-VERSION-KEY/index/file
        new = Path(store) / INDICES / old.name / "index" if store else None
        if new and all((new / link.name).exists() for link in links):
            for link in links:
                half = link.with_name(f".{link.name}.{os.getpid()}")
                os.symlink(new / link.name, half)
                os.replace(half, link)
        else:
            problems.append(
                f"{index} is links into {old}, which is not there or cannot be read. Bring it back, or name the store that has"
                f" {old.name} now as reference.store; or remove {index}: it is then made again when samples are aligned, and all"
                " are aligned again with them"
            )
    return problems
