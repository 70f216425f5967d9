"""Write paths below the working directory as relative ones, since Snakemake compares paths as text and the folder may
move."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Given = TypeVar("Given", str, str | None)
FILE_KEYS = (  # (section, keys) of the config that name files or folders
    (None, ("samples", "counts", "results")),
    ("reference", ("fasta", "gtf", "index")),
    ("trimming", ("rrna",)),
    ("training", ("pretrained", "bundle")),
    ("expression", ("gene_sets",)),
    ("features", ("gene_sets",)),
)


def below(folder: str | Path, path: Given) -> Given:
    """`path` as named from `folder` if it is written as one below it, else as it is (None stays None).

    Only the text is looked at: what lies behind a link inside the folder moves with the link. What tools would take for an
    option keeps its folder.
    """
    start = os.path.join(folder, "")
    rest = path[len(start) :] if path and path.startswith(start) else ""
    return rest if rest and not rest.startswith(("-", "/")) else path


def make_relative(config: dict[str, Any], samples: Mapping[str, Any], folder: str | Path) -> None:
    """Name all files of a checked config and its samples from `folder`, in place."""
    for section, keys in FILE_KEYS:
        node = config[section] if section else config
        node |= {key: below(folder, node[key]) for key in keys}
    for sample in samples.values():
        for column in ("bam", "counts_file"):
            setattr(sample, column, below(folder, getattr(sample, column)))
        for column in ("fastq_1", "fastq_2"):
            setattr(sample, column, [below(folder, file) for file in getattr(sample, column)])


def locate(path: str | Path, folders: Sequence[str | Path]) -> str | Path:
    """`path` itself if absolute, else its first existing place in `folders`, else in the first of them.

    Without folders it is as it was given: a name in object storage.
    """
    if not folders:
        return path
    path = Path(os.path.expanduser(path))  # a user that does not exist is left as it is
    if path.is_absolute():
        return path
    places = [Path(folder) / path for folder in folders]
    return next((place for place in places if os.path.exists(place)), places[0])
