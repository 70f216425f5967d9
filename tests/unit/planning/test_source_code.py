"""A job depends on the code that it runs: on what that code says, not on how it is laid out, and on no code of others."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rna2model import models
from rna2model.planning.source_code import SourceCode, code_of_scripts
from tests.command import REPOSITORY

SCRIPT = '''"""Says what it does."""
from ours import first


def go(name):
    """Go there."""
    return f"to {name!r:>{len(name)}} {first.NAME}"  # at once
'''
SAME = {
    "a comment": ("  # at once", "  # later"),
    "a docstring": ("Go there.", "Go to a place."),
    "the number of a release": ("from ours", '__version__ = "0.2.0"\nfrom ours'),
    "blank lines": ("\n\n\ndef", "\n\ndef"),
    "brackets over lines": ("go(name)", "go(\n    name\n)"),
    "indentation": ('    """Go there."""\n    return', "  return"),
}
OTHER = {
    "a name": ("go(name)", "come(name)"),
    "a word of a text": ("to {", "from {"),
    "a format": ("!r:>", "!r:<"),
    "a block": ("def go(name):", "if True:\n  def go(name):\n    pass\nif False:"),
}
IMPORTS = [
    "from ours import first",
    "import ours.first",
    "import ours.first as renamed, os",
    "from ours.first import NAME as renamed",
    "from ours import (\n    package,  # more\n    first as renamed,\n)",
    "def late():\n    from ours import first",
    "if True: import ours.first",
    "from ours.package import inner",  # which imports it by `from .. import first`
    "from ours.package.inner import up",
    'import importlib\nimportlib.import_module("ours.first")',
]


@pytest.fixture
def code(tmp_path):
    """A folder with a script and a library, and functions that change a file and hash the script."""
    scripts = tmp_path / "scripts"
    for name, text in {
        "go.py": SCRIPT,
        "ours/__init__.py": "",
        "ours/first.py": "NAME = 'x'\n",
        "ours/other.py": "NAME = 'y'\n",
        "ours/job.py": "NAME = 'log'\n",
        "ours/package/__init__.py": "",
        "ours/package/inner.py": "from .. import first as up\n",
        "ours/page.py": 'from ours import REPOSITORY\nPAGE = REPOSITORY / "resources" / "page"\n',
        "../resources/page/page.css": "p {}",
        "../resources/table.tsv": "a",
    }.items():
        (scripts / name).parent.mkdir(parents=True, exist_ok=True)
        (scripts / name).write_text(text)

    class Code:
        folder = scripts

        def hash(self, script="go.py"):
            return SourceCode(scripts).of_script(script)

        def write(self, name, text):
            (scripts / name).write_text(text)

    return Code()


@pytest.mark.parametrize("edit", SAME.values(), ids=SAME)
def test_what_python_does_not_run_changes_no_hash(code, edit):
    before = code.hash()
    assert edit[0] in SCRIPT
    code.write("go.py", SCRIPT.replace(*edit))
    assert code.hash() == before


@pytest.mark.parametrize("edit", OTHER.values(), ids=OTHER)
def test_what_python_runs_changes_the_hash(code, edit):
    before = code.hash()
    assert edit[0] in SCRIPT
    code.write("go.py", SCRIPT.replace(*edit))
    assert code.hash() != before


@pytest.mark.parametrize("text", IMPORTS)
def test_every_way_to_import_is_followed_and_nothing_else(code, text):
    code.write("go.py", text + "\n")
    before = code.hash()
    code.write("ours/other.py", "NAME = 'changed'\n")
    code.write("ours/job.py", "NAME = 'changed'\n")
    assert code.hash() == before
    code.write("ours/first.py", "NAME = 'changed'\n")
    assert code.hash() != before


def test_imports_for_the_type_checker_are_no_code_of_a_job(code):
    """But what follows the block is, also after a block within it."""
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    if 1:\n        from ours import first\nfrom ours import job\n"
    code.write("go.py", text)
    before = code.hash()
    code.write("ours/first.py", "x = 1\n")
    assert code.hash() == before
    code.write("go.py", text.replace("import job", "import first"))
    other = code.hash()
    code.write("ours/first.py", "x = 2\n")
    assert code.hash() != other


def test_a_template_belongs_to_the_module_that_names_it(code):
    code.write("go.py", "from ours import page, job\n")
    before = code.hash()
    code.write("../resources/table.tsv", "b")
    assert code.hash() == before
    code.write("../resources/page/page.css", "p {color: red}")
    assert code.hash() != before


def test_a_module_that_moves_into_a_package_is_the_same_code(code):
    code.write("go.py", "from ours import package\n")
    before = SourceCode(code.folder).of_module("ours.first")
    shutil.move(code.folder / "ours/first.py", code.folder / "ours/package/first.py")
    (code.folder / "ours/__init__.py").unlink()  # as empty as the one of the package
    assert SourceCode(code.folder).of_module("ours.package.first") == before


def test_hashes_are_kept_for_jobs_until_any_code_changes(code, tmp_path):
    used = {"one": "ours.first", "two": "ours.other"}
    code_of = code_of_scripts(code.folder, used, tmp_path / "memory")
    (kept,) = (tmp_path / "memory").iterdir()
    kept.write_text(kept.read_text().replace(code_of("go.py"), "kept"))
    assert code_of_scripts(code.folder, used, tmp_path / "memory")("go.py", "one") == f"kept {code_of('one')}"
    code.write("ours/other.py", "NAME = 'changed'\n")
    again = code_of_scripts(code.folder, used, tmp_path / "memory")
    assert again("go.py", "one") == code_of("go.py", "one") and again("two") != code_of("two")


def test_the_lock_of_an_editor_is_no_script(code, tmp_path):
    """Emacs leaves a link to nowhere beside a file that is being edited."""
    before = code_of_scripts(code.folder, {}, tmp_path / "memory")("go.py")
    (code.folder / ".#go.py").symlink_to("me@here.1234")
    assert code_of_scripts(code.folder, {}, tmp_path / "other")("go.py") == before


def test_a_folder_that_cannot_be_written_costs_only_time(code, tmp_path):
    (tmp_path / "file").write_text("")
    code_of = code_of_scripts(code.folder, {}, tmp_path / "file")
    assert code_of("go.py") == code.hash()


LOADED = (
    "import sys; sys.path.insert(0, 'scripts'); old = set(sys.modules); {}; print(*set(sys.modules) - old)"
)


@pytest.mark.parametrize("script", ["qc_gate.py", "fit_normalizer.py", "evaluate.py"])
def test_what_python_imports_for_a_script_is_in_its_files(script):
    """The same question asked of Python itself."""
    body = ast.parse((REPOSITORY / "scripts" / script).read_text()).body
    lines = [
        node for node in body if isinstance(node, ast.ImportFrom) and node.module.startswith("rna2model")
    ]
    for node in lines:
        node.names = [alias for alias in node.names if alias.name != "job"]
    imports = LOADED.format("; ".join(ast.unparse(node) for node in lines if node.names))
    run = subprocess.run(
        [sys.executable, "-c", imports], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    source = SourceCode(REPOSITORY / "scripts")
    paths = {path.with_suffix("") for path in source.files([source.folder / script])}
    ours = [name.split(".") for name in run.stdout.split() if name.startswith("rna2model.")]
    loaded = {source.folder.joinpath(*parts) for parts in ours}
    loaded = {place / "__init__" if place.is_dir() else place for place in loaded}
    assert len(loaded) > 1 and loaded <= paths


def test_a_script_has_the_code_of_no_model_but_the_one_it_is_asked_about(tmp_path):
    code_of = code_of_scripts(REPOSITORY / "scripts", models.modules("classification"), tmp_path)
    assert code_of("train.py", "mlp").split()[0] == code_of("train.py", "knn").split()[0]
    source = SourceCode(REPOSITORY / "scripts")
    made = [models.modules(task)[name] for task in models.TASKS for name in models.TASKS[task]]
    own = {module for modules in made for module in modules.split()}
    stems = {name.rsplit(".", 1)[1] for name in own} - {"linear", "ridge"}  # whose arithmetic others share
    for script in ("train.py", "score.py", "fit_normalizer.py", "evaluate.py", "report.py"):
        assert not stems & {path.stem for path in source.files([source.folder / script])}, script


@pytest.mark.parametrize("version", ["3.10", "3.12", "3.13", "3.14"])
def test_another_python_finds_the_same_hashes(version):
    candidates = [
        *Path.home().glob(f".pyenv/versions/{version}.*/bin/python3"),
        shutil.which(f"python{version}"),
    ]
    python = candidates[0]
    if not python or subprocess.run([python, "-V"], capture_output=True).returncode:
        pytest.skip(f"no Python {version} on this machine")
    ask = "import sys; sys.path.insert(0, 'scripts'); from rna2model.planning.source_code import SourceCode as S; print(S('scripts').of_script('report.py'))"
    run = subprocess.run([python, "-c", ask], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == SourceCode(REPOSITORY / "scripts").of_script("report.py")


def test_rules_whose_scripts_open_models_name_them():
    """Models are found by their names, so that the script's own hash, which a rule gets by itself, does not see their code."""
    opens = re.compile(r"models\.(make|load|class_of)\(|make_model\(|bundle\.(Bundle|read|load)|served\.")
    for path in sorted((REPOSITORY / "rules").rglob("*.smk")):
        script = {}
        for block in re.split(r"^(?= *(?:use )?rule )", path.read_text(), flags=re.M)[1:]:
            base, name = re.match(r" *(?:use )?rule (\w+)(?: as (\w+))?", block).groups()
            named = re.search(r'script:\s+"(?:\.\./)+scripts/(\w+\.py)"', block)
            rule = name or base
            script[rule] = named[1] if named else script.get(base)
            code = re.findall(r'library=.*?code_of\("(\w+\.py)", .*\)', block)
            assert code in ([], [script[rule]]), f"{path.name}: {rule}"
            text = (REPOSITORY / "scripts" / script[rule]).read_text() if script[rule] else ""
            assert code or not opens.search(text), f"{path.name}: {rule} opens a model, and does not name it"
