"""The checked config and sheet as one file, which the process that plans writes and its jobs read.

Jobs are processes of their own that start minutes or days later. If they read the user's files again, a row added or a
file moved in the meantime would change or stop their work.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import whole_files
from rna2model.inputs.sheet import Sample
from rna2model.reference.fingerprint import text_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(".snakemake/rna2model")  # below the working directory, which all jobs share or are sent
KEY = "rna2model_snapshot"  # no key that a user's config can have
KEPT = 90 * 24 * 3600  # seconds; jobs of a run that was killed may still wait in a queue


def of(config: Mapping[str, Any], samples: Mapping[str, Sample]) -> str:
    """Text of the snapshot: equal config and samples give equal text."""
    held = {"config": config, "samples": [asdict(sample) for sample in samples.values()]}
    return json.dumps({KEY: held}, indent=0)


def read(held: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Sample]] | None:
    """(config, {name: Sample}) of a config that is a snapshot; None for any other config."""
    snapshot = held.get(KEY)
    if snapshot is None:
        return None
    return snapshot["config"], {one["name"]: Sample(**one) for one in snapshot["samples"]}


def write(text: str, folder: str | Path = FOLDER) -> Path | None:
    """Write the snapshot atomically under a name derived from its content.

    Returns the path; None where nothing can be written, so that jobs, if there are any, read the user's files.
    """
    path = Path(folder) / f"{text_sha256(text)[:16]}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _forget_old(path.parent)
        whole_files.write(path, text)  # also gives an older copy today's date
    except OSError:
        return None
    return path


def _forget_old(folder: Path) -> None:
    for path in folder.glob("*.json"):
        if time.time() - path.stat().st_mtime > KEPT:
            path.unlink(missing_ok=True)
