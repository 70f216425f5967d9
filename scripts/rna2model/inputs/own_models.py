"""Models of the user's own: `my_models.py:boosted` among the config's models is what the function `boosted` of that file returns.

Everywhere else the model is called `boosted`. Its file is read, imported and tried once, before any job; jobs get the text that
was tried (`own_models` of the checked config), wherever they run and whatever becomes of the file meanwhile.
"""

from __future__ import annotations

import copy
import keyword
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.core.paths import locate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY = "own_models"  # of the checked config: {name: {"file", "text"}}; no key that a user can give
ENTRY = re.compile(r"(?P<file>.*\.py):(?P<name>.*)", re.S)
FILE_NAME = re.compile(r"[A-Za-z_]\w*\.py", re.ASCII)
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
LARGEST = 1_000_000  # bytes of a file; a job is sent its text


def named(written: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """(the user's config with names in place of `file.py:name`, {name: file}, problems), of a config as it was written."""
    full, files = dict(copy.deepcopy(written)), dict[str, str]()
    problems: list[str] = []
    entries = full.get("models")
    if not isinstance(entries, list):
        return full, {}, []
    for place, entry in enumerate(entries):
        match = ENTRY.fullmatch(entry) if isinstance(entry, str) else None
        if not match:
            continue
        file, name = match["file"], match["name"]
        entries[place] = name
        problems += [f"config: models: {entry}: {text}" for text in _name_problems(file, name, files)]
        files[name] = file
    return full, files, problems


def _name_problems(file, name, before):
    """What is wrong with the names alone; before : {name: file} of the entries before this one."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        yield f"after the colon stands the name of a function of the file, not {name!r}"
    if not FILE_NAME.fullmatch(Path(file).name):
        yield f"Python cannot import a file called {Path(file).name!r}; use letters, digits and _ only"
    if name in _built_in():
        yield f"{name} is a model of rna2model; call your function otherwise"
    same = [other for other in before if other.lower() == name.lower()]
    if same:
        yield (
            f"{before[same[0]]}:{same[0]} is there, too, and results are named by the function; call one otherwise"
        )
    stems = {Path(other).name: other for other in before.values()}
    if stems.get(Path(file).name, file) != file:
        yield f"{stems[Path(file).name]} is a file of the same name; rename one"


def _built_in():
    return {name for task in models.TASKS for name in models.named(task)}


def schema_with(schema: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The config's schema in which a model may also be called as one of `names`, wherever models are named."""
    if not names:
        return schema
    full = copy.deepcopy(schema)
    properties = full["properties"]
    for node in (
        properties["models"]["items"],
        properties["evaluation"]["properties"]["permuted_models"]["items"],
        properties["training"]["properties"]["search"]["propertyNames"],
    ):
        node["enum"] = [*node["enum"], *(name for name in names if name not in node["enum"])]
    return full


def resolve(config: dict[str, Any], folders: Sequence[str | Path], thorough: bool = True) -> list[str]:
    """Read the files of `config[KEY]` ({name: {"file"}}), found from `folders`, in place; returns all problems.

    thorough : also import them and call the functions, without fitting anything
    """
    if config["training"]["retrain"] == "never":  # the bundle brings what it needs
        return []
    problems = []
    for name, own in config[KEY].items():
        path = Path(locate(own["file"], folders))
        try:
            own["text"] = _text(path)
            if thorough:
                _try_out(name, own, config)
        except InputProblem as problem:
            problems.append(f"config: models: {problem}")
    return list(dict.fromkeys(problems))


def _text(path):
    if not path.is_file():
        raise InputProblem(
            f"no such file: {path} (relative paths are looked for in the working directory, then beside the config)"
        )
    try:
        text = path.read_bytes()
        if len(text) > LARGEST:
            raise InputProblem(
                f"{path} has {len(text)} bytes; a file of models is code, and at most {LARGEST}"
            )
        return text.decode("utf-8")
    except OSError as error:
        raise InputProblem(f"{path}: {error.strerror}") from None
    except ValueError:
        raise InputProblem(f"{path} is no text (UTF-8)") from None


def _try_out(name, own, config):
    task, training = config["design"]["task"], config["training"]
    search = training["search"].get(name)
    model = models.make(name, task=task, own=own, search=search, seed=config["evaluation"]["seed"])
    model.check()
    own["network"] = hasattr(model, "network")
