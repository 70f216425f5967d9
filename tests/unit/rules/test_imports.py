"""What a rule's script imports is in the environment that the rule names."""

import ast
import re
import sys
from functools import cache

import pytest
import yaml

from tests.command import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
CONDA_NAMES = {
    "imblearn": "imbalanced-learn",
    "matplotlib": "matplotlib-base",
    "sklearn": "scikit-learn",
    "torch": "pytorch",
    "umap": "umap-learn",
    "yaml": "pyyaml",
}
BROUGHT = {  # with the package that needs them
    "pytorch-gpu": {"pytorch"},
    "scikit-learn": {"joblib", "scipy", "threadpoolctl"},
    "umi_tools": {"pysam"},
}
# Imported in functions, or with a model, that no script of the environment comes to: cohorts are built, matrices read,
# normalizers fitted and models trained by the rules of the others.
NOT_REACHED = {
    "explain": {"anndata", "pydeseq2"},
    "explore": {"anndata"},
    "python": {"pytorch"},
    "reads": {"numpy", "pandas"},
    "report": {"imbalanced-learn", "pytorch", "skops"},
}
MODEL = re.compile(r"(rna2model[\w.]+):\w+")  # as models.NAMES names a class


def rules_with_scripts():
    """{environment: scripts of the rules that name it}"""
    scripts = {}
    for path in (REPOSITORY / "rules").rglob("*.smk"):
        text = path.read_text()
        bodies = [body for body in re.split(r"^ *rule ", text, flags=re.M)[1:] if "script:" in body]
        assert len(bodies) == len(re.findall(r"^ *script:", text, flags=re.M)), path.name
        for body in bodies:
            (script,) = re.findall(r'"\.\./\.\./(scripts/\w+\.py)"', body)
            environments = re.findall(r'"\.\./\.\./envs/(\w+)\.yaml"', body)
            assert environments, f"{path.name}: {script} has no environment"
            for environment in environments:
                scripts.setdefault(environment, set()).add(REPOSITORY / script)
    return scripts


@cache
def imports(path):
    """[(module, whether it is imported only when a function runs)] of one file."""
    modules = []

    def visit(node, late):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue  # for the type checker only
            if isinstance(child, ast.Import):
                modules.extend((alias.name, late) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert not child.level, f"{path}: relative import"
                modules.append((child.module, late))
                modules.extend((f"{child.module}.{alias.name}", late) for alias in child.names)
            elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                modules.extend((match[1], True) for match in [MODEL.fullmatch(child.value)] if match)
            visit(child, late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    visit(ast.parse(path.read_text()), False)
    return modules


def packages(script):
    """(conda packages that `script` needs to start, those that it may need later), through all of our own modules."""
    needed, todo, seen = {False: set(), True: set()}, [(script, False)], set()
    while todo:
        path, late = todo.pop()
        if (path, late) in seen:
            continue
        seen.add((path, late))
        for name, inside in imports(path):
            root, later = name.split(".")[0], late or inside
            if root == "rna2model":
                place = SCRIPTS / name.replace(".", "/")
                files = place.with_suffix(".py"), place / "__init__.py", SCRIPTS / "rna2model/__init__.py"
                todo.extend((file, later) for file in files if file.is_file())
            elif root not in sys.stdlib_module_names:
                needed[later].add(CONDA_NAMES.get(root, root))
    return needed[False], needed[True]


def installed(environment):
    """Packages of the conda file, and those that come with them."""
    listed = yaml.safe_load((REPOSITORY / f"envs/{environment}.yaml").read_text())["dependencies"]
    names = {re.match(r"[\w.-]+", text)[0] for text in listed}
    return names.union(*(BROUGHT.get(name, ()) for name in names))


@pytest.mark.parametrize("environment", sorted(rules_with_scripts()))
def test_an_environment_has_what_its_scripts_import(environment):
    there, later = installed(environment), set()
    for script in rules_with_scripts()[environment]:
        at_start, may_come = packages(script)
        assert at_start <= there, f"{script.name} in {environment}.yaml"
        later |= may_come
    assert later - there == NOT_REACHED.get(environment, set())


def test_imports_are_followed_through_modules_functions_and_models():
    at_start, later = packages(SCRIPTS / "report.py")
    assert {"numpy", "pandas", "safetensors"} <= at_start
    assert {"plotly", "jinja2", "scipy"} <= later and not {"pytorch", "anndata"} & at_start
    assert "pytorch" in packages(SCRIPTS / "train.py")[1]
