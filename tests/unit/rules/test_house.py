"""The house: imports point down, every module has a package, and one version is said everywhere."""

import ast
import re
import tomllib

import rna2model
from tests.command import REPOSITORY

LIBRARY = REPOSITORY / "scripts/rna2model"


def test_imports_point_down_and_reads_never_import_the_cohort(monkeypatch, capsys):
    """The contracts of pyproject.toml; every package stands in one of the layers."""
    from importlinter.cli import lint_imports

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.syspath_prepend(LIBRARY.parent)
    failed = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert not failed, capsys.readouterr().out


def test_every_module_is_in_a_package_that_says_what_it_holds():
    assert [path.name for path in LIBRARY.glob("*.py")] == ["__init__.py"]
    for path in LIBRARY.rglob("__init__.py"):
        assert path.read_text().startswith('"""'), path


def public_functions(scope, owner=""):
    """(node, name) of the public functions of a module, and methods of its public classes; what stands in a function is its own."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node, f"{owner}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_") or (owner and node.name == "__init__"):
                yield node, owner + node.name
        elif isinstance(node, ast.stmt) and not isinstance(node, ast.ClassDef):
            yield from public_functions(node, owner)  # below `if` or `try`


def lacks_types(node, is_method):
    """Whether a parameter or the result has no annotation; the first parameter of a method needs none."""
    arguments = node.args
    parameters = [*arguments.posonlyargs, *arguments.args]
    is_static = any(ast.unparse(one) == "staticmethod" for one in node.decorator_list)
    parameters = parameters[1:] if is_method and not is_static else parameters
    parameters += [*arguments.kwonlyargs, *filter(None, [arguments.vararg, arguments.kwarg])]
    return node.returns is None or any(one.annotation is None for one in parameters)


def test_public_functions_say_their_types():
    lacking = [
        f"{path.relative_to(LIBRARY)}:{node.lineno} {name}"
        for path in sorted(LIBRARY.rglob("*.py"))
        for node, name in public_functions(ast.parse(path.read_text()))
        if lacks_types(node, "." in name)
    ]
    assert not lacking, "without full annotations:\n" + "\n".join(lacking)


def test_a_rule_file_holds_rules():
    """Only the files at the top of rules/ have functions and none of the rules."""
    for path in (REPOSITORY / "rules").glob("*/*.smk"):
        text = path.read_text()
        assert re.search(r"^\s*(use )?rule \w+", text, re.M) and not re.search(r"^def ", text, re.M), path


def test_the_version_is_one():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    cited = re.search(r"^version: (.+)$", (REPOSITORY / "CITATION.cff").read_text(), re.M)[1]
    released = re.search(r"^## (\d\S*)", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)[1]
    assert {project, cited, released} == {rna2model.__version__}


def test_files_that_the_library_names_are_there():
    """Each `REPOSITORY / "..." / "..."` of a module."""
    named = re.compile(r'REPOSITORY((?: / "[\w.-]+")+)')
    for path in LIBRARY.rglob("*.py"):
        for parts in named.findall(path.read_text()):
            place = REPOSITORY.joinpath(*re.findall(r'"([^"]+)"', parts))
            assert place.exists() or place.name in (".venv", "name"), f"{path}: {place}"
