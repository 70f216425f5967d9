"""An edit of the code runs again what runs that code, and what is made from it: a finished run, planned with an edited copy."""

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from rna2model.expression.normalization import base
from rna2model.inputs import config
from rna2model.models.trees import classifiers
from rna2model.report.figures import cohort
from rna2model.simulate import demo
from tests.command import REPOSITORY, command
from tests.workflow import cohorts, faked

REPORT = {"report", "all"}
LOOK = {"view_cohort", "cluster_samples", "find_outliers"}
SCORES = {"evaluate", "compare", "differences", "tripod", *REPORT}
SHIPPED = {"bundle", "predict", "explain"}  # of the first model
FITTED = {"fit_batch_model", "fit_ood", "train", "score", "permute", "adequacy", *SHIPPED, *SCORES}
SCRIPT = REPOSITORY / "scripts" / "train.py"
CSS = REPOSITORY / "resources" / "report" / "report.css"
# Edits made together (what is edited, what stands there, what then stands there), and the rules that run
EDITS = {
    "the report": (
        [(cohort, '"mapped %"', '"aligned %"'), (CSS, r"\A", "p {color: red}\n")],
        REPORT,
    ),
    "a normalizer": (
        [(base, r"(?m)^KIND", "NEW = 1\nKIND")],
        {"fit_normalizer", *LOOK, *FITTED},
    ),
    "one model": ([(classifiers, "SMALL = 500_000", "SMALL = 400_000")], {"train", "score", *SCORES}),
    "a script": ([(SCRIPT, r"\Z", "print('done')\n")], {"train", "score", "adequacy", *SHIPPED, *SCORES}),
    "nothing that jobs run": (
        [
            (base, r'\A"""', '# read this\n"""More. '),
            (SCRIPT, r"\Z", "# the end\n"),
            (demo, r"(?m)^def ", "NEW = 1\n\n\ndef "),
            (config, r"(?m)^def ", "NEW = 1\n\n\ndef "),
        ],
        set(),
    ),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run on a matrix that looks done, and a copy of the code beside it: (folder, copy)."""
    folder = tmp_path_factory.mktemp("code")
    cohorts.write(folder, effect=1)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet.loc[len(sheet) - 2 :, "site"] = ""  # new samples
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    settings = {"samples": "samples.tsv", "counts": "counts.tsv", "models": ["logistic_l2", "random_forest"]}
    settings |= {"design": {"target": "site", "group": "donor"}, "evaluation": {"folds": 3}}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    faked.finish(folder)
    for name in ("rules", "scripts", "config", "envs", "resources", "profiles"):
        shutil.copytree(
            REPOSITORY / name, folder / "copy" / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy2(REPOSITORY / "Snakefile", folder / "copy")
    return folder


def planned(folder):
    """{rule: number of jobs} of a dry run with the copy of the code."""
    snakefile = {str(REPOSITORY / "Snakefile"): str(folder / "copy/Snakefile")}
    words = [snakefile.get(word, word) for word in command(folder, "-n", "--quiet", "rules")]
    run = subprocess.run(words, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return {
        rule: int(count)
        for rule, count in re.findall(r"^(?!total)(\w+) +(\d+)$", run.stdout + run.stderr, re.M)
    }


@pytest.mark.parametrize(("edits", "expected"), EDITS.values(), ids=EDITS)
def test_an_edit_runs_what_runs_that_code(finished, edits, expected):
    texts = {}
    try:
        for edited, old, new in edits:
            original = edited if isinstance(edited, Path) else Path(edited.__file__)
            copy = finished / "copy" / original.relative_to(REPOSITORY)
            texts[copy] = copy.read_text()
            assert re.search(old, texts[copy])
            copy.write_text(re.sub(old, new, texts[copy], count=1))
        jobs = planned(finished)
    finally:
        for copy, text in texts.items():
            copy.write_text(text)
    assert set(jobs) == expected
    if edits[0][0] is classifiers:
        assert jobs["train"] == jobs["score"] == 3 and jobs["evaluate"] == 1  # of the random forest alone
