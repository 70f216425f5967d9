"""A tool that fails on one sample's data excludes that sample from the run, and the others go
on to the end of the run (`qc.on_tool_failure: exclude`). What looks like memory, time, disk, node or environment is tried again
and stops the run. scripts/guard.sh decides it for commands, rna2model/core/tool_failure.py for scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPT = str(REPOSITORY / "scripts" / "guard.sh")


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """{variable: value} that every job needs."""
    return {"RNA2MODEL_GUARD": SCRIPT, "RNA2MODEL_ON_TOOL_FAILURE": config["qc"]["on_tool_failure"]}


def guarded(command: str, outputs: str = "files") -> str:
    """The `shell` of a per-sample rule; if the sample's data are at fault, its outputs are marked and the job does not
    fail.

    outputs : "files" or "folders"
    """
    return (
        f'source "$RNA2MODEL_GUARD"\ntool() {{{{\n{command}\n}}}}\n'
        f"guard {{wildcards.sample}} {outputs} {{log:q}} {{input:q}} -- {{output:q}}"
    )


def guarded_folder(command: str) -> str:
    """Like `guarded`, for a rule whose output is a folder."""
    return guarded(command, outputs="folders")
