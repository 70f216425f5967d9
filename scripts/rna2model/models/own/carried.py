"""The code that a model's folder carries: whether it may be imported, and whether it is what the model was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem
from rna2model.models.own import source

if TYPE_CHECKING:
    from collections.abc import Mapping


def code_in(folder: Path, description: Mapping[str, Any], allow_code: bool) -> dict[str, str]:
    """{"file", "text"} of the code that a model's folder carries, by its parsed model.json.

    InputProblem unless it may be imported and is what was trained with.
    """
    own = description["own"]
    path = folder / str(own["file"])
    if Path(own["file"]).name != own["file"] or not path.is_file():
        raise InputProblem(f"{path}: the code of {description['name']} is not there; get the folder again.")
    if not allow_code:
        raise InputProblem(refusal(path, own))
    text = path.read_bytes().decode()
    if source.sha256(text) != own["sha256"]:
        raise InputProblem(
            f"{path} differs from the file that {description['name']} was trained with (sha256 {own['sha256']}); get it again,"
            " or train again."
        )
    return {"file": own["file"], "text": text}


def refusal(path: str | Path, own: Mapping[str, Any]) -> str:
    """Why code at `path` is not imported, and what allows it. own : {"file", "sha256", "types"} of the model."""
    types = f", with the types {', '.join(own['types'])}" if own["types"] else ""
    return (
        f"{path} is Python code of whoever trained the model (sha256 {own['sha256']}); it would be imported to predict{types}."
        " Read it; then allow it: --allow-code (make predict ... ALLOW_CODE=1), or training.allow_code: true in a config"
    )
