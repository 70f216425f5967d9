"""Every rule names an environment that exists, parses and pins its tools."""

import re
import subprocess
import sys

import numpy as np
import pytest
import yaml

from rna2model import models

EXACT = re.compile(r"([\w-]+) ?=([\w.]+)")


def test_every_rule_has_an_environment_a_log_and_a_benchmark(repository):
    for path in (repository / "rules").glob("*.smk"):
        text = path.read_text()
        rules = re.split(r"^ *rule ", text, flags=re.M)[1:]
        for body in rules:
            name = body.split(":")[0]
            for directive in ("log:", "conda:", "benchmark:", "resources:"):
                assert directive in body, f"{path.name}: rule {name} lacks {directive}"
        for env in re.findall(r'"\.\./envs/(\w+)\.yaml"', text):
            assert (repository / f"envs/{env}.yaml").is_file(), env


def test_environments_are_used_pinned_and_without_the_defaults_channel(repository):
    used = "".join(path.read_text() for path in (repository / "rules").glob("*.smk"))
    for path in (repository / "envs").glob("*.yaml"):
        env = yaml.safe_load(path.read_text())
        assert f"../envs/{path.name}" in used, f"{path.name} is not used"
        assert "nodefaults" in env["channels"] and "defaults" not in env["channels"]
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
    assert {name: found for name, found in pinned.items() if len(found) > 1} == {}
    for env, name, wanted in ranges:
        for version in pinned.get(name, ()):
            assert rattler.VersionSpec(str(wanted)).matches(rattler.Version(version)), (
                f"{env}: {name} {wanted}"
            )


def test_library_imports_stay_light():
    """A job must not pay for torch, plotly or scikit-learn that it does not use."""
    code = "import sys; from rna2model import splitdata, models, preflight; print(*sys.modules)"
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
    found = re.search(
        r'container: "docker://condaforge/miniforge3:(\d+)\.(\d+)\.(\d+)-\d+"',
        (repository / "Snakefile").read_text(),
    )
    assert tuple(map(int, found.groups())) >= (24, 7, 1)
