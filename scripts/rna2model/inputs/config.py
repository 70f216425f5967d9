"""Check the configuration against its schema and complete it with the defaults.

Every problem is collected; nothing stops at the first.
"""

from __future__ import annotations

import copy
import difflib
import math
import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from rna2model import REPOSITORY, models
from rna2model.core.paths import locate
from rna2model.inputs import config_contradictions, own_models

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMAS = REPOSITORY / "config" / "schemas"
ODD_NUMBER = re.compile(r"[-+]?0[\d_]+|.*:.*")  # octal, sexagesimal
BRACES = re.compile(r"[{}]")  # Snakemake takes what is between them for a wildcard
NOT_STORED = "a folder cannot be given where files lie in object storage; set it to null"


def _is_number(_, value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_integer(_, value):
    return isinstance(value, int) and not isinstance(value, bool)


# Stricter than JSON schema: NaN would pass every limit, and 5.0 would be an integer
Validator = extend(
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"number": _is_number, "integer": _is_integer}
    ),
)


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema `name` (config or samples) as a dict."""
    return yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text())


def text_problems(path: str | Path) -> list[str]:
    """Problems visible only in the text of a config file: YAML keeps the last of two equal keys, and reads 010 as eight."""
    problems, seen = [], set()

    def look(node, where):
        if id(node) in seen:  # an anchor
            return
        seen.add(id(node))
        if (
            isinstance(node, yaml.ScalarNode)
            and node.tag.endswith(":int")
            and ODD_NUMBER.fullmatch(node.value)
        ):
            problems.append(
                f"config: {where}: {node.value} is not the number it looks like to YAML; write it plainly"
            )
        for number, child in enumerate(node.value if isinstance(node, yaml.SequenceNode) else ()):
            look(child, f"{where}.{number}")
        keys = set()
        for key, child in node.value if isinstance(node, yaml.MappingNode) else ():
            name = ".".join(filter(None, [where, str(key.value)]))
            if name in keys:
                line = key.start_mark.line + 1
                problems.append(
                    f"config: {name} is there twice (line {line} of {path}); keep one, the other would be lost"
                )
            keys.add(name)
            look(child, name)

    try:
        look(yaml.compose(Path(path).read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader), "")
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return []  # the reader of the file reports that
    return problems


def complete(config: dict[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """Return (config with defaults, problems: list of str). `config` is what the user wrote."""
    written = {
        key: value for key, value in copy.deepcopy(config).items() if value is not None
    }  # `qc:` with nothing under it
    written, own, problems = own_models.named(written)
    allowed = own_models.schema_with(schema("config"), list(own))
    problems += [_explain(error) for error in Validator(allowed).iter_errors(written)]
    if problems:
        return None, sorted(problems)
    full = _with_defaults(written, schema("config"))
    if (
        "normalization" not in (config.get("expression") or {})
        and full["counts_unit"] in config_contradictions.UNITS_NORMALIZED
    ):
        full["expression"]["normalization"] = "none"
    task = full["design"]["task"]
    if "models" not in written:
        full["models"] = models.DEFAULT[task]
    full["shipped_model"] = full["models"][0]
    beside = ["average"] if "stack" in full["models"] else []  # the least that a stack has to beat
    full["models"] = list(dict.fromkeys([*full["models"], *models.ALWAYS[task], *beside]))
    full[own_models.KEY] = {name: {"file": file} for name, file in own.items()}
    return full, config_contradictions.problems(full)


def _with_defaults(value, node):
    """`value` with defaults, keys in the schema's order, since Snakemake compares parameters as text."""
    full = {}
    for key, child in node["properties"].items():
        setting = value.get(key, copy.deepcopy(child.get("default")))
        if "properties" in child and "anyOf" not in child:
            setting = _with_defaults(setting, child)
        full[key] = (
            dict(sorted(setting.items())) if "anyOf" in child and isinstance(setting, dict) else setting
        )
    return full


def _explain(error):
    """One schema violation in a user's words."""
    where = ".".join(str(part) for part in error.absolute_path)
    place = f"config: {where}" if where else "config"
    if "errorMessage" in error.schema:
        return f"{place}: {error.instance!r} {error.schema['errorMessage']}"
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        unknown = [key for key in error.instance if key not in known]
        return "; ".join(f"{place}: unknown key {key!r}{_suggest(key, known)}" for key in unknown)
    if (
        where == "expression.batch_correction"
        and re.sub("[^a-z]", "", str(error.instance).lower()) == "combatseq"
    ):
        return f"{place}: {config_contradictions.NO_COMBAT_SEQ}"
    if error.validator == "enum":
        return f"{place}: {error.instance!r} is not one of {_listed(error.validator_value)}" + _suggest(
            error.instance, error.validator_value
        )
    if error.validator == "type":
        wanted = error.validator_value
        wanted = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{place}: must be {wanted}, not {error.instance!r}"
    if error.validator in ("minimum", "maximum"):
        word = "least" if error.validator == "minimum" else "most"
        return f"{place}: must be at {word} {error.validator_value}, not {error.instance!r}"
    return f"{place}: {error.message}"


def _listed(values):
    return ", ".join(str(value) for value in values)


def _suggest(word, known):
    close = difflib.get_close_matches(str(word), [str(item) for item in known], n=1)
    return f" (did you mean {close[0]!r}?)" if close else f" (known: {_listed(known)})"


def unreadable(path: str | Path, folder: bool = False) -> str:
    """Why `path` cannot be read as a file (or folder), or an empty text."""
    if os.path.isfile(path) or os.path.isdir(path):
        if os.path.isdir(path) != folder:
            return "is a file, not a folder" if folder else "is a folder"
        if BRACES.search(str(path)):
            return "a path with { or } cannot be used, rename or link it"
        return "" if os.access(path, os.R_OK) else "you may not read it"
    return "is a link to a file that is not there" if os.path.islink(path) else "no such file"


def resolve_files(config: dict[str, Any], folders: Sequence[str | Path], store: Any = None) -> list[str]:
    """Resolve the paths of `config` against `folders`; return the problems (missing files).

    `store`: the object storage where all of them but the sheet lie, if this run has one.
    """
    problems = []
    reads = not config["counts"]
    wanted: list[tuple[tuple[str, ...], str, bool]] = [((), "samples", True), ((), "counts", False)]
    wanted += [(("reference",), key, reads and key != "index") for key in ("fasta", "gtf", "index")]
    wanted += [(("trimming",), "rrna", False), (("training",), "pretrained", False)]
    wanted += [(("training",), "bundle", False)]
    wanted += [((section,), "gene_sets", False) for section in ("expression", "features")]
    for parents, key, required in wanted:
        node = config
        for parent in parents:
            node = node[parent]
        name = ".".join([*parents, key])
        if node[key] is None:
            if required:
                problems.append(f"config: {name} is missing; reads need a reference genome and annotation")
            continue
        folder = key in ("index", "pretrained", "bundle")
        if store and key != "samples":
            path = node[key]
            why = NOT_STORED if folder else store.unreadable([path]).get(path)
        else:
            path = locate(node[key], folders)
            why = unreadable(path, folder)
        if why:
            problems.append(f"config: {name}: {why}: {path}")
        elif key == "rrna" and "," in str(path):
            problems.append(
                f"config: {name}: bowtie2 takes a path with a comma for two; rename or link it: {path}"
            )
        node[key] = str(path)
    return problems
