"""Which code a job runs: a hash of a script's text, of the modules of ours that it imports, and of the files they read.

Imports are found in the text, without running it: those of imported modules, too, those within functions, relative ones, and
`import_module("package.module")`. What is named as "package.module:Class", as the models are, is followed only where a rule
names it (`of_module`). A file of resources/ belongs to the modules that name it below `REPOSITORY`.
Comments, docstrings, blank lines, line breaks within brackets and __version__ change no hash, nor does another version of Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import re
import token
import tokenize
from ast import literal_eval
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rna2model.core import whole_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

APART = {"job"}  # handles logs and failures of jobs: every script imports it, and no result depends on it
SILENT = {token.COMMENT, token.NL}
LAYOUT = {token.INDENT: "{", token.DEDENT: "}"}
# From Python 3.12 on an f-string is several tokens; these begin and end it.
BEGIN, END = (
    {getattr(token, f"{kind}STRING_{edge}", None) for kind in "FT"} - {None} for edge in ("START", "END")
)
MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def code_of_scripts(folder: Path, models: Mapping[str, str], memory: Path) -> Callable[..., str]:
    """A function of (script, *models) that returns the hash of a script and of the models that it makes or loads.

    folder : has the scripts, and their library below it; models : {model: its modules, apart by spaces}; memory : folder that keeps the hashes
    for the jobs of a run, which start often and need one of them.
    """
    files = sorted([*folder.rglob("*.py"), *folder.with_name("resources").glob("**/*.*")])
    state = hashlib.sha256(repr(sorted(models.items())).encode())
    for path in filter(Path.is_file, files):
        state.update(str(path.relative_to(folder.parent)).encode() + path.read_bytes())
    kept = memory / f"code-{state.hexdigest()[:16]}.json"
    try:
        known = json.loads(kept.read_text())
    except (OSError, ValueError):
        source = SourceCode(folder)
        known = {path.name: source.of_script(path.name) for path in filter(Path.is_file, folder.glob("*.py"))}
        known |= {model: source.of_module(*names.split()) for model, names in models.items()}
        with contextlib.suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            whole_files.write(kept, json.dumps(known))
    return lambda script, *used: " ".join(known[name] for name in (script, *used))


class SourceCode:
    """Hashes (16 hexadecimal digits) of the code below `folder`, which is on Python's path; each file is read once."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._read = cache(self._read_once)

    def of_script(self, name: str) -> str:
        """The hash of the script `name` of the folder."""
        return self._hash([self.folder / name])

    def of_module(self, *names: str) -> str:
        """The hash of modules, such as `package.module`."""
        return self._hash([file for name in names for file in self._files(name)])

    def files(self, first: Iterable[Path]) -> set[Path]:
        """The set of files that the Python files `first` are made of: themselves, what they import, and what those read."""
        todo, members = list(first), set()
        while todo:
            path = todo.pop()
            if path not in members and path.stem not in APART:
                members.add(path)
                todo += self._read(path)[1]
        return members

    def _hash(self, first: Iterable[Path]) -> str:
        """Of the contents alone: where a file lies changes nothing but the imports of others."""
        digests = sorted(self._read(path)[0] for path in self.files(first))
        return hashlib.sha256(b"".join(digests)).hexdigest()[:16]

    def _read_once(self, path: Path) -> tuple[bytes, tuple[Path, ...]]:
        """(SHA-256 of a file's statements, the files that it imports or reads)."""
        if path.suffix != ".py":
            return hashlib.sha256(path.read_bytes()).digest(), ()
        code = statements(path.read_text(encoding="utf-8"))
        package, named = path.relative_to(self.folder).parent.parts, set()
        for words in run(code):
            for name in imported(words, package):
                named.update(self._files(name))
            if "REPOSITORY" in words:
                named.update(self._resources(words))
        text = "\n".join("\t".join(words) for words in code)
        return hashlib.sha256(text.encode()).digest(), tuple(named)

    def _files(self, name: str) -> list[Path]:
        """The file of a module and those of the packages that it is in; none for a name of others."""
        place = self.folder.joinpath(*name.split("."))
        files = [file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
        packages = [folder / "__init__.py" for folder in place.parents if folder.is_relative_to(self.folder)]
        return [*files, *(file for file in packages if file.is_file())] if files else []

    def _resources(self, words: Sequence[str]) -> Iterator[Path]:
        """The file, or the files of the folder, that a line names as `REPOSITORY / "resources" / "name"`."""
        parts = "/".join(literal_eval(word) for word in words if is_text(word)).split("/")
        if "resources" in parts:
            place = self.folder.parent.joinpath(*parts[parts.index("resources") :])
            yield from filter(Path.is_file, place.iterdir() if place.is_dir() else [place])


def statements(text: str) -> list[list[str]]:
    """The statements of a Python text as lists of words, without comments and docstrings; a block is between { and }."""
    lines, words, code, inner = text.splitlines(keepends=True), [], [], []
    for kind, word, start, end, _ in tokenize.generate_tokens(io.StringIO(text).readline):
        if kind in BEGIN:
            inner.append(start)
        elif kind in END and (begin := inner.pop()) is not None and not inner:
            words.append(_between(lines, begin, end))
        elif inner or kind in SILENT:
            continue
        elif kind in LAYOUT:
            code.append([LAYOUT[kind]])
        elif kind in (token.NEWLINE, token.ENDMARKER) or word == ";":
            if words[:1] != ["__version__"] and not all(map(is_text, words)):
                code.append(words)
            words = []
        else:
            words.append(word)
    return code


def run(code: Sequence[list[str]]) -> Iterator[list[str]]:
    """Statements outside `if TYPE_CHECKING:` blocks, which no job runs."""
    depth, skipped_from = 0, None
    for number, words in enumerate(code):
        if skipped_from is None and words == ["{"] and code[number - 1] == ["if", "TYPE_CHECKING", ":"]:
            skipped_from = depth
        if skipped_from is None:
            yield words
        depth += (words == ["{"]) - (words == ["}"])
        if skipped_from == depth:
            skipped_from = None


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one (row, column) to another."""
    taken = lines[start[0] - 1 : end[0]]
    taken[-1] = taken[-1][: end[1]]
    taken[0] = taken[0][start[1] :]
    return "".join(taken)


def is_text(word: str) -> bool:
    """Whether a word of a statement is a string that stands as it is (no f-string, no bytes)."""
    return word.lstrip("rRuU")[:1] in ("'", '"')


def imported(words: Sequence[str], package: Sequence[str] = ()) -> Iterator[str]:
    """Dotted names that a statement may import, of a module in `package` (its names from the outermost on)."""
    for word in words:
        if "." in word and is_text(word) and MODULE.fullmatch(name := word.strip("'\"")):
            yield name
    if "import" not in words:
        return
    at = words.index("import")
    names = [
        name.split(" as ")[0].replace(" ", "") for name in " ".join(words[at + 1 :]).strip("()").split(",")
    ]
    if "from" not in words[:at]:
        yield from filter(None, names)
        return
    module = "".join(words[words.index("from") + 1 : at])
    if above := len(module) - len(module.lstrip(".")):
        module = ".".join([*package[: len(package) + 1 - above], *filter(None, [module.lstrip(".")])])
    yield module
    yield from (f"{module}.{name}" for name in filter(None, names))
