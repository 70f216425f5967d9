"""The file of a user's models: imported from its text, which jobs and bundles carry, and its errors as the user's own lines.

The text is what was checked before the first job; the file itself may have changed or be on another machine since. It is one
module of its own, so that it stands by itself: what is beside it would be missing where a bundle serves.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import inspect
import linecache
import sys
import traceback
import types
from typing import TYPE_CHECKING, Any

from rna2model.core.errors import InputProblem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "own_code"  # the module of my_models.py is own_code.my_models, whatever else is installed
SEARCH = "SEARCH"  # {name: {hyperparameter: [values]}} of a file


def sha256(text: str) -> str:
    """Checksum of the file with this text (UTF-8)."""
    return hashlib.sha256(text.encode()).hexdigest()


def imported(code: Mapping[str, str]) -> types.ModuleType:
    """The module of a file's text. code : {"file": its name, "text"}. InputProblem with its line where it does not import."""
    stem = code["file"].rpartition("/")[2].removesuffix(".py")
    name, digest = f"{PACKAGE}.{stem}", sha256(code["text"])
    known = sys.modules.get(name)
    if known is not None and known.__dict__.get("__sha256__") == digest:
        return known
    module = types.ModuleType(name)
    module.__dict__.update(__file__=code["file"], __sha256__=digest)
    lines = code["text"].splitlines(keepends=True)
    linecache.cache[code["file"]] = (len(code["text"]), None, lines, code["file"])  # lines of tracebacks
    sys.modules[name] = module
    try:
        with in_users_words(code["file"], "it does not import"):
            exec(compile(code["text"], code["file"], "exec", dont_inherit=True), module.__dict__)
    except InputProblem:
        sys.modules.pop(name, None)
        raise
    with contextlib.suppress(ImportError, AttributeError):  # workers of joblib cannot import it by its name
        from joblib.externals import cloudpickle

        cloudpickle.register_pickle_by_value(module)
    return module


@contextlib.contextmanager
def in_users_words(file: str, what: str) -> Iterator[None]:
    """Any error within it as an InputProblem: `file`, line and text of the line that led to it, and `what` was to be done."""
    try:
        yield
    except InputProblem:
        raise
    except (Exception, SystemExit) as error:
        raise InputProblem(described(error, file, what)) from error


def described(error: BaseException, file: str, what: str) -> str:
    """Text of an error that the code of `file` raised, or something that it called."""
    number = None
    if isinstance(error, SyntaxError) and error.filename == file:
        number = error.lineno
    else:
        numbers = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file
        ]
        number = numbers[-1] if numbers else None
    line = linecache.getline(file, number).strip() if number else ""
    place = f"{file}, line {number} ({line})" if number else file
    text = " ".join((error.msg if isinstance(error, SyntaxError) else str(error)).split())
    hint = ""
    if isinstance(error, ImportError):
        hint = (
            "; a file of models stands by itself (a bundle carries no other), and its packages must be in the environments"
            " of the rules (envs/)"
        )
    return f"{place}: {what}: {type(error).__name__}: {text}{hint}"


def suggestion(module: types.ModuleType, name: str) -> str:
    """What else the file defines, as the end of a sentence."""
    own = [
        key
        for key, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    ]
    near = difflib.get_close_matches(name, own, n=1)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f"; it has {', '.join(own)}" if own else ""


def is_module(made: Any) -> bool:
    """Whether what a file names is a class of torch.nn.Module; torch is not imported for it."""
    torch = sys.modules.get("torch")
    return torch is not None and inspect.isclass(made) and issubclass(made, torch.nn.Module)


def searched(module: types.ModuleType, file: str, name: str) -> dict[str, list[Any]]:
    """{hyperparameter: [values]} that the file gives for `name` in its SEARCH; InputProblem for another shape."""
    search = getattr(module, SEARCH, {})
    values_of = search.get(name, {}) if isinstance(search, dict) else None
    if not isinstance(values_of, dict) or not all(
        isinstance(values, list | tuple) and len(values) for values in values_of.values()
    ):
        raise InputProblem(
            f"{file}: {SEARCH} has to be {{function: {{hyperparameter: [values]}}}}, such as"
            f' {SEARCH} = {{"{name}": {{"max_depth": [1, 2]}}}}'
        )
    return {str(key): list(values) for key, values in values_of.items()}
