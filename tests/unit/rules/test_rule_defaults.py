"""What rules say alike is said once (planning/rule_defaults.py): where logs and benchmarks are, retries, the hash of the code."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from rna2model.planning import rule_defaults
from tests.command import REPOSITORY, command
from tests.faults.project import Project

# Of rules whose jobs are told apart by no wildcard, and of those that are made of others: contracts, as all paths of results.
NAMED = {
    "build_training_cohort": "build_cohort/training",
    "build_unlabelled_cohort": "build_cohort/unlabelled",
    "bundle": "bundle/logistic_l2",
    "compare": "compare/models",
    "differences": "differences/models",
    "fit_ood": "fit_ood/full",
    "holdout": "holdout/{model}",
    "import_training_matrix": "import_matrix/training",
    "import_unlabelled_matrix": "import_matrix/unlabelled",
    "predict": "predict/new_samples",
    "qc_gate_training": "qc_gate/training",
    "qc_gate_unlabelled": "qc_gate/unlabelled",
    "report": "report/report",
    "transfer": "transfer/{model}",
    "tripod": "tripod/run",
    "validate_externally": "validate_externally/labelled_samples",
}
OF_SPLIT_AND_MODEL = {"train", "score", "learn_from_fewer"}
OF_SPLIT = {"fit_normalizer", "fit_batch_model", "fit_features"}
OF_MODEL = {"permute", "evaluate", "leave_one_batch_out", "explain", "lime", "learning_curve", "subgroups"}
OF_REFERENCE = {
    "prepare_reference",
    "index_star",
    "index_hisat2",
    "index_salmon",
    "index_rrna",
    "check_index",
}
OF_REFERENCE |= {"transcript_sequences"}
OTHERS = {"fetch_accession": "fetch_accession/{accession}", "ask_versions": "ask_versions/{environment}"}
OF_COHORT = {"build_cohort", "import_matrix", "describe_counting", "test_differential", "enrich_gene_sets"}
OF_COHORT |= {"adjust_counts", "view_cohort", "embed_samples", "cluster_samples", "find_outliers", "adequacy"}
OF_COHORT |= {
    "assign_folds",
    "qc_gate",
    "multiqc",
    "ask_gpu",
    "gather_versions",
    "frontier",
    "gather_batch_choices",
}

TOLD = """
import json, sys
from snakemake.cli import main
from snakemake.io import strip_wildcard_constraints as plain
from snakemake.workflow import Workflow

def tell(workflow, **options):
    print("RULES " + json.dumps({
        rule.name: {
            "logs": [plain(log) for log in rule.log], "benchmark": plain(rule.benchmark), "retries": rule._restart_times,
            "wildcards": sorted(rule.wildcard_names), "script": rule.script,
            "code": [text if isinstance(text, str) else "by model" for name, text in rule.params.items() if name == "library"],
        }
        for rule in workflow.rules if not rule.norun
    }))

Workflow.list_rules = tell
main(sys.argv[1:])
"""


def rules_of(folder, *options):
    """{rule: what it says} of the workflow for the project in `folder`."""
    arguments = command(folder, "--list-rules", *options)[3:]
    done = subprocess.run([sys.executable, "-c", TOLD, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("RULES "))
    return json.loads(line.removeprefix("RULES "))


@pytest.fixture(scope="module", params=["reads", "matrix"])
def rules(request, tmp_path_factory):
    project = Project(tmp_path_factory.mktemp(request.param) / "project", matrix=request.param == "matrix")
    project.config["quantification"] = {"tool": "salmon"} if request.param == "reads" else {}
    project.write()
    return rules_of(project.folder)


def expected_place(rule):
    """Folder and name of a rule's log, without ending."""
    rule = re.sub("_(single|torch)$", "", rule)
    if rule in NAMED or rule in OTHERS:
        return (NAMED | OTHERS)[rule]
    kinds = (
        (OF_SPLIT_AND_MODEL, "{}_{{model}}/{{split}}"),
        (OF_SPLIT, "{}/{{split}}"),
        (OF_MODEL, "{}/{{model}}"),
        (OF_REFERENCE, "{}/reference"),
        (OF_COHORT, "{}/cohort"),
    )
    return next((text for kind, text in kinds if rule in kind), "{}/{{sample}}").format(rule)


def test_logs_and_benchmarks_are_where_people_look_for_them(rules):
    assert len(rules) > 35
    for rule, facts in rules.items():
        place = expected_place(rule)
        assert facts["logs"] == [f"results/logs/{place}.log"], rule
        assert facts["benchmark"] == f"results/benchmarks/{place}.tsv", rule


def test_every_job_is_tried_three_times(rules):
    assert {facts["retries"] for facts in rules.values()} == {2}


def test_scripts_of_the_cohort_are_judged_by_their_code_and_those_of_a_sample_by_their_date(rules):
    scripts = {rule for rule, facts in rules.items() if facts["script"]}
    dated = {rule for rule in scripts if not rules[rule]["code"]}
    assert {"evaluate", "report", "train_torch"} <= scripts - dated
    assert dated - {"prepare_reference"} == {
        rule for rule in scripts if rules[rule]["wildcards"] == ["sample"]
    }
    for rule in scripts - dated:
        assert re.fullmatch("by model|[0-9a-f]{16}( [0-9a-f]{16})*", *rules[rule]["code"]), rule


def test_a_rule_says_a_log_only_where_it_is_another():
    """And a benchmark, retries or the bare hash of its script never."""
    for path in sorted((REPOSITORY / "rules").rglob("*.smk")):
        text = path.read_text()
        assert not re.search(r'^ *(benchmark:|retries:|library=code_of\("\w+\.py"\),)', text, re.M), path.name
        for block in re.split(r"^(?= *(?:use )?rule )", text, flags=re.M)[1:]:
            base, new = re.match(r" *(?:use )?rule (\w+)(?: as (\w+))?", block).groups()
            assert (new or base) in NAMED or not re.search(r"^ *log:$", block, re.M), f"{path.name}: {base}"


@pytest.mark.parametrize(
    ("wildcards", "place"),
    [
        (set(), "rule/cohort"),
        ({"sample"}, "rule/{sample}"),
        ({"split", "model"}, "rule_{model}/{split}"),
        ({"c", "a", "b"}, "rule_{a}_{b}/{c}"),
    ],
)
def test_a_place_has_each_wildcard_once(wildcards, place):
    assert rule_defaults.place_of("rule", wildcards, "cohort") == place


SMALL = """
import sys
sys.path.insert(0, {scripts!r})
from rna2model.planning import rule_defaults, snakemake_patches

rule all:
    input: "out/x.one", "out/x.two", "out/fixed"

rule one:
    output: "out/{{sample}}.one"
    shell: "echo said >>{{log}}; {command}"

use rule one as two with:
    output: "out/{{sample}}.two"

rule fixed:
    output: "out/fixed"
    log: {log!r}
    retries: 1
    shell: "echo said >>{{log}}; {command}"

rule_defaults.add(workflow, "out", "out/reference", str)
snakemake_patches.retry_where_it_may_help(lambda log: None, lambda rule, error: False, skipped=[])
"""


def run_small(folder, *options, log="out/logs/fixed/here.log", command="touch {output}"):
    """A workflow of rules that say little, run with Snakemake; returns the finished process."""
    (folder / "Snakefile").write_text(
        SMALL.format(scripts=str(REPOSITORY / "scripts"), log=log, command=command)
    )
    arguments = [sys.executable, "-m", "snakemake", "--cores", "1", "-d", folder, "-s", folder / "Snakefile"]
    return subprocess.run([str(part) for part in (*arguments, *options)], capture_output=True, text=True)


def test_jobs_write_the_logs_and_benchmarks_that_their_rules_do_not_say(tmp_path):
    done = run_small(tmp_path)
    assert done.returncode == 0, done.stderr
    assert {str(path.relative_to(tmp_path / "out")) for path in tmp_path.glob("out/*/*/*")} == {
        "logs/one/x.log",
        "logs/fixed/here.log",
        "benchmarks/one/x.tsv",
        "benchmarks/fixed/here.tsv",
    }


@pytest.mark.parametrize(("retries", "attempts"), [(0, 3), (4, 5)])
def test_a_user_may_ask_for_more_retries_but_a_rule_that_says_how_many_keeps_to_it(
    tmp_path, retries, attempts
):
    command = "echo {rule} >>attempts; false"
    done = run_small(tmp_path, "--keep-going", "--retries", retries, command=command)
    assert done.returncode, done.stderr
    made = (tmp_path / "attempts").read_text().split()
    assert Counter(made) == {"one": attempts, "two": attempts, "fixed": 2}


def test_a_log_with_other_wildcards_than_the_outputs_is_refused(tmp_path):
    done = run_small(tmp_path, log="out/logs/fixed/{other}.log")
    assert done.returncode and "Not all output, log and benchmark files of rule fixed" in done.stderr
