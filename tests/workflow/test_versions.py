"""versions.tsv: what is asked is what the run uses."""

import re
from importlib.metadata import version

import pandas as pd
import pytest
import yaml

from tests.command import REPOSITORY
from tests.conftest import snakemake
from tests.workflow import cohorts, faked

OPTIONS = {
    "the usual ones": {},
    "others": {
        "trimming": {"tool": "cutadapt", "umi": "NNNN"},
        "alignment": {"tool": "hisat2"},
        "quantification": {"tool": "htseq"},
        "qc": {"min_reads": 10, "rseqc_fragments": 0, "fastqc_reads": 0},
    },
    "no alignment": {
        "trimming": {"tool": "none"},
        "alignment": {"tool": "none"},
        "quantification": {"tool": "salmon"},
    },
}


def environments_of_rules():
    """{rule: environment}, as the rule files say; a rule made of another has that one's."""
    environments, copies = {}, {}
    for path in sorted((REPOSITORY / "rules").rglob("*.smk")):
        text = path.read_text()
        copies |= {new: old for old, new in re.findall(r"use rule (\w+) as (\w+) with", text)}
        for body in re.split(r"^ *rule (?=\w+:$)", text, flags=re.M)[1:]:
            environments[body.split(":")[0]] = re.search(r'"\.\./\.\./envs/([\w{}]+)\.yaml"', body)[1]
    while set(copies) - set(environments):
        environments |= {new: environments[old] for new, old in copies.items() if old in environments}
    return environments


@pytest.mark.parametrize("options", OPTIONS)
def test_the_environments_that_are_asked_are_those_of_the_planned_jobs(tmp_path, options):
    faked.write(tmp_path, 12)
    config = yaml.safe_load((tmp_path / "config.yaml").read_text()) | OPTIONS[options]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    plan = faked.run(tmp_path, "-n").stdout
    known = environments_of_rules()
    if OPTIONS[options].get("qc", {}).get("rseqc_fragments") == 0:
        known["alignment_stats"] = "samtools"  # which comes with RSeQC otherwise
    used = {known[rule] for rule in re.findall(r"^(?:local)?rule (\w+):$", plan, re.M) if rule in known}
    queried = re.findall(r"^    wildcards: environment=(\w+)$", plan, re.M)
    assert {"python", "reads", "multiqc"} <= used and sorted(queried) == sorted(used - {"{environment}"})


def test_the_versions_are_those_that_are_installed(tmp_path):
    cohorts.write(tmp_path, effect=1)
    settings = {"samples": "samples.tsv", "counts": "counts.tsv", "design": {"target": "site"}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(tmp_path, "--", "results/versions.tsv", check=True)
    table = pd.read_csv(tmp_path / "results/versions.tsv", sep="\t", dtype=str).set_index("software")
    assert table.loc["snakemake", "version"] == version("snakemake")
    assert {"rna2model", "python", "numpy", "scikit-learn", "pytorch", "plotly"} <= set(table.index)
    assert "star" not in table.index and not (table["version"] == "unknown").any()
    assert not (tmp_path / "results/versions").exists()
