"""Every rule names an environment that exists, parses and pins its tools."""

import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from rna2model import models

EXACT = re.compile(r"([\w-]+) ?=([\w.]+)")


def test_every_rule_has_an_environment_and_says_what_it_needs(repository):
    for path in (repository / "rules").rglob("*.smk"):
        text = path.read_text()
        rules = re.split(r"^ *rule ", text, flags=re.M)[1:]
        for body in rules:
            name = body.split(":")[0]
            for directive in ("conda:", "resources:"):
                assert directive in body, f"{path.name}: rule {name} lacks {directive}"
        for env in re.findall(r'"\.\./\.\./envs/(\w+)\.yaml"', text):
            assert (repository / f"envs/{env}.yaml").is_file(), env


def test_environments_are_used_pinned_and_without_the_defaults_channel(repository):
    used = "".join(path.read_text() for path in (repository / "rules").rglob("*.smk"))
    for path in (repository / "envs").glob("*.yaml"):
        env = yaml.safe_load(path.read_text())
        assert f"../envs/{path.name}" in used, f"{path.name} is not used"
        assert set(env["channels"]) <= {"conda-forge", "bioconda"}  # `nodefaults` stops conda 26.7
        assert all(re.search(r"[=<>]", package) for package in env["dependencies"]), path.name


def test_the_page_on_environments_has_each_of_them_with_the_versions_that_are_pinned(repository):
    page = (repository / "envs/README.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)\.yaml` \| ([^|]*) \|", page, re.M))
    assert rows.keys() == {path.stem for path in (repository / "envs").glob("*.yaml")}
    for path in (repository / "envs").glob("*.yaml"):
        listed = yaml.safe_load(path.read_text())["dependencies"]
        pins = [" ".join(match.groups()) for match in map(EXACT.fullmatch, listed) if match]
        assert rows[path.stem] == (", ".join(pins) or "none"), path.name


# Pinned otherwise than elsewhere, for the reason in envs/README.md: {package: environments}
APART = {"samtools": {"rseqc", "umi_tools"}}


def test_environments_parse_as_conda_reads_them_and_agree(repository):
    """A package that is pinned in one file is pinned alike in the others, and within the ranges that they give."""
    rattler = pytest.importorskip("rattler", reason="py-rattler is not installed (make setup)")
    pinned, ranges = {}, []
    for path in (repository / "envs").glob("*.yaml"):
        for text in yaml.safe_load(path.read_text())["dependencies"]:
            spec = rattler.MatchSpec(text)
            name = spec.name.normalized
            if path.stem in APART.get(name, ()):
                continue
            exact = EXACT.fullmatch(text)
            if exact:
                pinned.setdefault(name, {}).setdefault(exact[2], []).append(path.stem)
            else:
                ranges.append((path.stem, name, spec.version))
    assert {name: versions for name, versions in pinned.items() if len(versions) > 1} == {}
    for env, name, wanted in ranges:
        for version in pinned.get(name, ()):
            assert rattler.VersionSpec(str(wanted)).matches(rattler.Version(version)), (
                f"{env}: {name} {wanted}"
            )


# Other versions in .venv than in the conda files, and why: {package: (.venv, conda, reason)}
DIFFERENT = {
    "anndata": ("0.12.19", "0.13.2", "0.13 asks Python 3.12, and .venv has the machine's, from 3.11 on"),
    "numpy": ("2.4.6", "2.5.1", "2.5 asks Python 3.12"),
    "pandas": ("2.3.3", "3.0.5", "anndata 0.12 asks pandas <3"),
}


def test_venv_and_conda_name_the_same_versions_but_for_those_with_a_reason(repository):
    """A version that decides numbers is raised in both, or its reason is given here."""
    text = (repository / "envs/requirements.txt").read_text() + (repository / "envs/setup.sh").read_text()
    venv = {
        name.lower().replace("_", "-"): version
        for name, version in re.findall(r"(?:^|\s)([\w-]+)==([\w.]+)", text)
    }
    conda = {}
    for path in (repository / "envs").glob("*.yaml"):
        for match in map(EXACT.fullmatch, yaml.safe_load(path.read_text())["dependencies"]):
            if match:
                name = {"pytorch": "torch"}.get(match[1], match[1]).replace("_", "-")
                conda.setdefault(name, set()).add(match[2])
    shared = venv.keys() & conda.keys()
    assert shared >= {"numpy", "pandas", "anndata", "scikit-learn", "torch", "pydeseq2", "multiqc", "htseq"}
    different = {name: (venv[name], *conda[name]) for name in shared if conda[name] != {venv[name]}}
    assert different == {name: versions[:2] for name, versions in DIFFERENT.items()}


def test_library_imports_stay_light():
    """A job must not pay for torch, plotly or scikit-learn that it does not use."""
    code = "import sys; from rna2model import models; from rna2model.training import split_data as splitdata; from rna2model.planning import preflight; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "sklearn", "plotly", "anndata", "pandas", "scipy"} & set(loaded)


def test_a_tree_ensemble_is_read_without_torch_and_torch_still_comes_afterwards(tmp_path):
    """Reading 500 trees takes less time than importing torch, which skops would do by the way."""
    model = models.make("gradient_boosting", inner_folds=0)
    rows = np.random.default_rng(1).normal(size=(20, 30))
    model.fit(rows, np.repeat(["a", "b"], 10), log=lambda *_: None)
    model.save(tmp_path)
    code = f"import sys; from rna2model import models; models.load({str(tmp_path)!r}); print('torch' in sys.modules)"
    code += "; import sklearn.externals.array_api_compat.torch; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 100_000


def test_the_container_has_a_conda_that_snakemake_takes(repository):
    """Environments are made inside it (snakemake.deployment.conda asks 24.7.1)."""
    match = re.search(
        r'container: "docker://condaforge/miniforge3:(\d+)\.(\d+)\.(\d+)-\d+"',
        (repository / "Snakefile").read_text(),
    )
    assert tuple(map(int, match.groups())) >= (24, 7, 1)


def test_the_image_has_each_environment_where_snakemake_looks_for_it(repository, tmp_path):
    """In an image that is declared as containerized: a folder by the content of the file and of its lock."""
    from snakemake.deployment.conda import Env

    envs = tmp_path / "envs"
    shutil.copytree(repository / "envs", envs)
    (envs / "fastp.linux-64.pin.txt").write_text("@EXPLICIT\n")
    command = ["bash", repository / "envs/container.sh", "--names", envs, "/conda-envs"]
    for cuda, without in (("", {"torch_gpu.yaml"}), ("12.9", set())):
        done = subprocess.run(
            command, env=os.environ | {"CUDA": cuda}, check=True, capture_output=True, text=True
        )
        places = dict(line.split() for line in done.stdout.splitlines())
        expected = {}
        for path in envs.glob("*.yaml"):
            lock = path.with_name(f"{path.stem}.linux-64.pin.txt")
            env = SimpleNamespace(name=None, dir=None, content_deploy=None, content=path.read_bytes())
            env.content_pin = lock.read_bytes() if lock.exists() else None
            expected[path.name] = f"/conda-envs/{Env._get_hash(env, False, False)}"
        assert places == {name: place for name, place in expected.items() if name not in without}


def test_the_image_is_built_from_what_is_copied_into_it(repository):
    text = (repository / "envs/Dockerfile").read_text()
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    assert [step for step, _ in steps] == ["FROM", "ARG", "COPY", "RUN"]
    kept = (repository / "envs/Dockerfile.dockerignore").read_text().split()
    assert kept[0] == "*" and {"!envs/*.yaml", "!envs/container.sh"} <= set(kept)
    base = dict(steps)["FROM"]
    assert f"docker://{base}" in (repository / "Snakefile").read_text()
    actions = yaml.safe_load((repository / ".github/workflows/image.yml").read_text())
    assert any("envs/Dockerfile" in step.get("run", "") for step in actions["jobs"]["image"]["steps"])
