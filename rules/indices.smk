"""One index for all projects (`reference.store`): scripts/index_store.sh keeps and finds it by the content that it is made of.

Snakemake's own `cache` is not used: it needs an environment variable on every node, takes no folder that only some may write, has no
lock, and its key holds the paths in a command, which differ between projects.
"""

from rna2model import fingerprint, indexstore
from snakemake.persistence import PersistenceBase

INDEX_STORE = config["reference"]["store"] if FROM_READS else None
AS_WITHOUT_STORE = {}  # {command of a rule: what it is without a store}
TOOL_VERSION = {
    "star": "STAR --version",
    "hisat2": "hisat2-build --version | sed -n '1s/.*version //p'",
    "salmon": "salmon --version | sed 's/.* //'",
}
if INDEX_STORE:
    os.environ |= {
        "RNA2MODEL_INDEX_STORE": str(REPOSITORY / "scripts" / "index_store.sh"),
        "RNA2MODEL_STORE": INDEX_STORE,
    }


def kept(tool, command):
    """The `shell` of a rule that makes the index of `tool`; with a store it is looked for there first, and kept there."""
    if not INDEX_STORE:
        return command
    options = fingerprint.text_sha256(command)[:16]  # the command has them all; STAR's overhang is 100
    version = TOOL_VERSION[tool]
    stored = (
        f'source "$RNA2MODEL_INDEX_STORE"\nbuild() {{{{\n{command}\n}}}}\n'
        f'index_in_store {tool} "$({version})" {options} {{log:q}} {{output:q}} {{input:q}}'
    )
    AS_WITHOUT_STORE[stored] = command
    return stored


def record_as_without_store(code):
    """Have Snakemake take an index for the same wherever it is kept: a store that is named, moved or left runs nothing again."""

    def code_now(records, rule):
        return AS_WITHOUT_STORE.get(rule.shellcmd) or code(records, rule)

    PersistenceBase._code = code_now


if INDEX_STORE:
    record_as_without_store(PersistenceBase._code)
    if ASKS and (note := indexstore.note(INDEX_STORE)):
        logger.warning(f"rna2model: {note}")
