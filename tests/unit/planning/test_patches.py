"""Snakemake and its plugins are changed in three modules only, and only in the versions that this was tested with."""

import ast
import re

import pytest
import snakemake.cli  # noqa: F401 - first, as snakemake.dag and others import each other

from rna2model.planning import patching, s3_patches, slurm_patches, snakemake_patches
from tests.command import REPOSITORY

PATCHES = [
    value
    for module in (snakemake_patches, slurm_patches, s3_patches)
    for value in vars(module).values()
    if hasattr(value, "tested") and hasattr(value, "lost")
]
HOMES = {f"scripts/rna2model/planning/{name}_patches.py" for name in ("snakemake", "slurm", "s3")}


def pin(package, *files):
    """The versions of a package that files pin, as a set."""
    texts = [(REPOSITORY / file).read_text() for file in files]
    return {version for text in texts for version in re.findall(rf"{package}==([\d.]+)", text)}


def test_the_range_of_snakemake_its_pin_and_the_versions_of_the_patches_agree():
    (least,) = re.findall(r'min_version\("([\d.]+)"\)', (REPOSITORY / "Snakefile").read_text())
    (installed,) = pin("snakemake", "envs/requirements.txt")
    assert (least,) == snakemake_patches.TESTED and patching.is_tested(installed, [least])
    (executor,) = pin("snakemake-executor-plugin-slurm", "envs/requirements.txt")
    assert patching.is_tested(executor, slurm_patches.TESTED)
    (storage,) = pin(
        "snakemake-storage-plugin-s3", "envs/clouds.txt", "profiles/Dockerfile", "profiles/README.md"
    )
    assert patching.is_tested(storage, s3_patches.TESTED)


def test_every_patch_has_its_reason_and_what_is_lost_without_it():
    assert len(PATCHES) >= 14
    for patch in PATCHES:
        assert patch.__doc__ and len(patch.lost.split()) > 5, patch.__name__
        assert patch.package.startswith("snakemake") and patch.tested


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.__name__)
def test_no_patch_is_applied_to_another_version(patch, monkeypatch):
    monkeypatch.setattr(patching, "version", lambda package: "99.1.0")
    skipped = []
    assert not patch("no argument of the patch itself", skipped=skipped)  # it would fail if it were called
    assert skipped == [patch] and not patch()


def test_one_message_for_each_package_says_what_is_lost(monkeypatch):
    monkeypatch.setattr(patching, "version", lambda package: "99.1.0")
    texts = patching.messages(PATCHES)
    assert [text.split()[1] for text in texts] == [
        snakemake_patches.SNAKEMAKE,
        slurm_patches.PACKAGE,
        s3_patches.PACKAGE,
    ]
    for patch in PATCHES:
        (text,) = (text for text in texts if f" {patch.package} 99.1.0 " in text)
        assert f"\n  - {patch.lost}" in text and patch.tested[-1] in text
    assert patching.messages([]) == []


@pytest.mark.parametrize(
    ("installed", "tested", "same"),
    [
        ("9.27.1", ["9.27"], True),
        ("9.27", ["9.27"], True),
        ("9.28.0", ["9.27", "9.28"], True),
        ("9.2.7", ["9.27"], False),
        ("9.270.1", ["9.27"], False),
        ("0.3.61", ["0.3.6"], False),
        ("10.0.0", ["9.27"], False),
    ],
)
def test_a_version_is_compared_number_by_number(installed, tested, same):
    assert patching.is_tested(installed, tested) == same


def foreign_assignments(path):
    """Lines of a file that set an attribute of what it imported from Snakemake or a plugin of it."""
    tree = ast.parse(path.read_text())
    names = {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).startswith("snakemake")
    }
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for group in node.targets
        for target in (group.elts if isinstance(group, ast.Tuple) else [group])
    ]
    return [
        target.lineno
        for target in targets
        if isinstance(target, ast.Attribute)
        and isinstance(root(target), ast.Name)
        and root(target).id in names
    ]


def root(node):
    return root(node.value) if isinstance(node, ast.Attribute) else node


def test_snakemake_is_patched_in_no_other_file():
    assignments = {
        str(path.relative_to(REPOSITORY)): foreign_assignments(path)
        for path in (REPOSITORY / "scripts").rglob("*.py")
    }
    assert {name for name, lines in assignments.items() if lines} <= HOMES
    assert len(assignments["scripts/rna2model/planning/snakemake_patches.py"]) >= 10
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "rules").rglob("*.smk")]:
        text = path.read_text()
        imported = re.findall(r"^from (snakemake\S*) import (.*)$", text, re.M)
        allowed = {"snakemake.exceptions", "snakemake.utils"}
        assert {module for module, _ in imported} <= allowed, path.name


def test_files_of_rules_hold_rules():
    without = {path.name for path in (REPOSITORY / "rules").rglob("*.smk") if "rule " not in path.read_text()}
    functions = {
        path.name
        for path in (REPOSITORY / "rules").rglob("*.smk")
        if re.search(r"^ *def ", path.read_text(), re.M)
    }
    assert functions | without <= {"common.smk", "run.smk"}
