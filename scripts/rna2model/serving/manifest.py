"""manifest.json of a bundle: what it holds, how its samples were made, who trained it. Read without any heavy import."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core import files
from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

FORMAT = 1
NAME = "manifest.json"
OWN = {NAME, "MODEL_CARD.md"}  # files of a bundle that are not listed in its manifest
TIMESTAMP = "model/.snakemake_timestamp"  # of a bundle that came through object storage
NEEDED = ("normalizer.safetensors", "batch_model.safetensors", "model/model.json")


def write(folder: str | Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write `facts` (JSON-able) with the checksums of all files in `folder`; returns the manifest."""
    folder = Path(folder)
    listed = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in OWN)
    manifest = {"format": FORMAT, **facts}
    manifest["files"] = {path.relative_to(folder).as_posix(): files.checksum(path) for path in listed}
    manifest["manifest_sha256"] = own_sha256(manifest)
    (folder / NAME).write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def own_sha256(manifest: Mapping[str, Any]) -> str:
    """SHA-256 of the manifest without this entry; shows an edit by hand, not one that recomputes it."""
    content = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read(folder: str | Path) -> dict[str, Any]:
    """The manifest of the bundle in `folder`; InputProblem when it is damaged, edited, or of another format."""
    folder = Path(folder)
    try:
        manifest = json.loads((folder / NAME).read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise InputProblem(f"{folder} is not a bundle: manifest.json cannot be read ({error}).") from None
    if not isinstance(manifest, dict):
        raise InputProblem(f"{folder} is not a bundle: manifest.json holds no mapping.")
    if manifest.get("format") != FORMAT:
        raise InputProblem(
            f"{folder} has bundle format {manifest.get('format')}, this version reads {FORMAT}."
        )
    if manifest.get("manifest_sha256") != own_sha256(manifest):
        raise InputProblem(
            f"{folder}/manifest.json was changed after the bundle was made; get the bundle again, or train it again."
        )
    return manifest


def check_files(folder: str | Path, manifest: Mapping[str, Any]) -> None:
    """InputProblem unless `folder` holds exactly the listed files (further ones only beside them), as they were made."""
    folder, listed = Path(folder), manifest.get("files")
    if not isinstance(listed, dict) or not set(NEEDED) <= set(listed):
        raise InputProblem(f"{folder} is not a bundle: its manifest does not list {', '.join(NEEDED)}.")
    for name, digest in listed.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InputProblem(f"{folder}/manifest.json names {name!r}, which lies outside of the bundle.")
        if not path.is_file() or files.checksum(path) != digest:
            raise InputProblem(
                f"{path} is missing or differs from the bundle's manifest; get the bundle again."
            )
    inside = {path.relative_to(folder).as_posix() for path in (folder / "model").rglob("*") if path.is_file()}
    if unlisted := sorted(inside - set(listed) - {TIMESTAMP}):
        raise InputProblem(f"{folder}/{unlisted[0]} is not in the bundle's manifest; get the bundle again.")


def code_refusal(folder: str | Path, manifest: Mapping[str, Any]) -> str:
    """Why a bundle with code of its own is not served unless that is allowed; empty for one without."""
    from rna2model.models.own import carried

    refusals = [
        carried.refusal(Path(folder) / "model" / code["file"], code) for code in manifest.get("code") or ()
    ]
    return "\n  ".join(refusals)


def remember(
    samples: Sequence[str], groups: Sequence[str] | None, rows: NDArray[np.float64] | None, salt: str
) -> dict[str, Any]:
    """The training samples as salted hashes of names, groups and counts, so that a bundle recognises them without naming them.

    Whoever has the bundle and a list of names can still test these names: pseudonyms, no anonymity.

    groups : list or None; rows : (n, g) counts in the order of the bundle's gene ids, or None
    """
    record = {"n": len(samples), "salt": salt}
    record["samples"] = sorted(_hashed(salt, name) for name in samples)
    record["groups"] = sorted({_hashed(salt, name) for name in groups or ()})
    record["counts"] = sorted(_hashed_row(salt, row) for row in (() if rows is None else rows))
    return record


def trained(
    manifest: Mapping[str, Any],
    samples: Sequence[str],
    groups: Sequence[str] | None = None,
    rows: NDArray[np.float64] | None = None,
) -> dict[str, str]:
    """{sample: reason} of the samples that were in training, by name, group or equal counts."""
    record = manifest.get("training") or {"salt": "", "samples": (), "groups": (), "counts": ()}
    known = {key: set(record[key]) for key in ("samples", "groups", "counts")}
    reasons = {}
    for place, name in enumerate(samples):
        if _hashed(record["salt"], name) in known["samples"]:
            reasons[name] = "a sample of this name was in training"
        elif groups is not None and _hashed(record["salt"], groups[place]) in known["groups"]:
            reasons[name] = f"other samples of {groups[place]!r} were in training"
        elif rows is not None and _hashed_row(record["salt"], rows[place]) in known["counts"]:
            reasons[name] = "a sample with the same counts was in training"
    return reasons


def _hashed(salt, name):
    return hashlib.sha256(f"{salt}\t{name}".encode()).hexdigest()


def _hashed_row(salt, row):
    import numpy as np

    return hashlib.sha256(salt.encode() + np.ascontiguousarray(row, dtype=np.float64).tobytes()).hexdigest()
