"""One index for all projects (`reference.store`): scripts/index_store.sh keeps and finds it by the content that it is made of.

Snakemake's own `cache` is not used: it needs an environment variable on every node, takes no folder that only some may write, has no
lock, and its key holds the paths in a command, which differ between projects.
"""

from __future__ import annotations

from rna2model import REPOSITORY
from rna2model.reference import fingerprint

SCRIPT = str(REPOSITORY / "scripts" / "index_store.sh")
TOOL_VERSION = {
    "star": "STAR --version",
    "hisat2": "hisat2-build --version | sed -n '1s/.*version //p'",
    "salmon": "salmon --version | sed 's/.* //'",
}


class IndexCommands:
    """Commands of the rules that make an index.

    store : folder in which indices are kept, or None

    Attributes
    ----------
    as_without_store : {command of a rule: what it is without a store}
    """

    as_without_store: dict[str, str]

    def __init__(self, store: str | None) -> None:
        self.store, self.as_without_store = store, {}

    def environment(self) -> dict[str, str]:
        """{variable: value} that the jobs need."""
        return {"RNA2MODEL_INDEX_STORE": SCRIPT, "RNA2MODEL_STORE": self.store} if self.store else {}

    def kept(self, tool: str, command: str) -> str:
        """The `shell` of a rule that makes the index of `tool`; with a store it is looked for there first, and kept there."""
        if not self.store:
            return command
        options = fingerprint.text_sha256(command)[:16]  # the command has them all; STAR's overhang is 100
        version = TOOL_VERSION[tool]
        stored = (
            f'source "$RNA2MODEL_INDEX_STORE"\nbuild() {{{{\n{command}\n}}}}\n'
            f'index_in_store {tool} "$({version})" {options} {{log:q}} {{output:q}} {{input:q}}'
        )
        self.as_without_store[stored] = command
        return stored
