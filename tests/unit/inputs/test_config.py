"""The configuration: all problems at once, in a user's words; schema, defaults and documentation in step."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from rna2model import models
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.inputs import config


def problems_of(settings):
    return config.complete(settings)[1]


def test_an_empty_config_is_complete_with_the_documented_defaults():
    full, problems = config.complete({})
    assert problems == []
    assert full["evaluation"]["folds"] == 5 and full["expression"]["normalization"] == "tmm"


def test_config_file_and_tables_are_what_make_docs_writes(repository, monkeypatch):
    """Each key once, in one of the two tables, with its default and a text."""
    monkeypatch.syspath_prepend(repository / "resources/docs")
    import make_docs

    written = make_docs.texts()
    for path, text in written.items():
        assert path.read_text() == text, f"{path.name} is not what the schema says: `make docs`"
    rows = re.findall(r"^\| `([\w.]+)` \| (.+?) \| (.+) \|$", written[repository / "config/README.md"], re.M)
    keys = []
    for name, node in config.schema("config")["properties"].items():
        keys += [f"{name}.{key}" for key in node["properties"]] if "properties" in node else [name]
    documented = [row for row in rows if row[0].split(".")[0] in config.schema("config")["properties"]]
    assert sorted(row[0] for row in documented) == sorted(keys)


def test_the_commented_config_file_states_exactly_the_schema_defaults(repository):
    written = yaml.safe_load((repository / "config/config.yaml").read_text())
    assert written == config._with_defaults({}, config.schema("config"))
    lines = (repository / "config/config.yaml").read_text().splitlines()
    assert all(len(line) < 150 for line in lines)


def test_make_docs_writes_a_changed_key_into_both_files(repository, tmp_path):
    """A schema with another default, comment, text and table for one key."""
    shutil.copytree(repository / "config", tmp_path / "config")
    path = tmp_path / "config/schemas/config.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    schema["properties"]["qc"]["properties"]["min_reads"] |= {
        "default": 5,
        "x-comment": "few",
        "description": "so few",
        "x-expert": True,
    }
    path.write_text(yaml.safe_dump(schema, sort_keys=False))
    command = [sys.executable, repository / "resources/docs/make_docs.py", tmp_path / "config"]
    subprocess.run(command, check=True)
    assert "\n  min_reads: 5  # few\n" in (tmp_path / "config/config.yaml").read_text()
    main, experts = (tmp_path / "config/README.md").read_text().split("### Expert keys")
    assert "| `qc.min_reads` | `5` | so few |\n" in experts and "qc.min_reads" not in main.split("## Keys")[1]


def test_all_problems_are_reported_together():
    problems = problems_of({"trimming": {"tool": "fastpp"}, "modles": ["mlp"], "evaluation": {"folds": 1}})
    assert len(problems) == 3
    assert any("unknown key 'modles' (did you mean 'models'?)" in p for p in problems)
    assert any(
        "trimming.tool: 'fastpp' is not one of" in p and "did you mean 'fastp'?" in p for p in problems
    )
    assert any("evaluation.folds: must be at least 2" in p for p in problems)


def test_a_wrong_type_is_named():
    assert "config: evaluation.folds: must be integer, not 'five'" in problems_of(
        {"evaluation": {"folds": "five"}}
    )


def test_an_empty_section_counts_as_left_out():
    full, problems = config.complete({"design": None, "trimming": None})
    assert problems == [] and full["trimming"]["tool"] == "fastp"


def test_a_hyperparameter_that_a_model_does_not_have_is_an_error_of_the_config():
    search = {"mlp": {"depth": [3], "hidden": [32]}, "knn": {"k": [3]}, "lasso": {"l1_ratio": [1.0]}}
    assert problems_of({"training": {"search": search}}) == [
        "config: training.search.mlp: mlp cannot search depth; it searches hidden, learning_rate, weight_decay, dropout.",
        "config: training.search.knn: knn cannot search k; it searches neighbours.",
    ]
    (problem,) = problems_of({"design": {"task": "regression"}, "training": {"search": {"knn": {}}}})
    assert problem.startswith(
        "config: training.search.knn: 'knn' is not a model for regression. Models: dummy, ridge"
    )


def test_every_model_accepts_its_own_search_in_the_config():
    """Of each task; so what the docs name can be replaced."""
    design = {
        "classification": {},
        "regression": {"task": "regression"},
        "survival": {"task": "survival", "time": "months", "event": "died"},
    }
    for task, names in models.TASKS.items():
        search = {name: dict(models.make(name, task=task).SEARCH) for name in names if name != "dummy"}
        assert all(search.values())
        assert problems_of({"design": design[task], "training": {"search": search}}) == []


def test_the_anchors_always_run_and_the_first_model_is_shipped():
    full, _ = config.complete({"models": ["mlp", "random_forest"]})
    assert full["models"] == ["mlp", "random_forest", "dummy", "logistic_l2", "linear_svm"]
    assert full["shipped_model"] == "mlp"


def test_correction_and_leave_one_batch_out_need_a_batch_column():
    problems = problems_of(
        {"expression": {"batch_correction": "combat"}, "evaluation": {"leave_one_batch_out": True}}
    )
    assert len(problems) == 2 and all("design.batch" in p for p in problems)


def test_log_values_are_not_normalized_again():
    full, problems = config.complete({"counts": "m.tsv", "counts_unit": "log"})
    assert problems == [] and full["expression"]["normalization"] == "none"
    assert (
        "needs counts"
        in problems_of({"counts": "m.tsv", "counts_unit": "log", "expression": {"normalization": "tmm"}})[0]
    )


def test_a_missing_reference_is_a_problem_only_with_reads(tmp_path):
    sheet = tmp_path / "s.tsv"
    sheet.write_text("sample\n")
    full, _ = config.complete({"samples": str(sheet)})
    assert len(config.resolve_files(full, [tmp_path])) == 2
    (tmp_path / "m.tsv").write_text("x")
    full, _ = config.complete({"samples": str(sheet), "counts": "m.tsv"})
    assert config.resolve_files(full, [tmp_path]) == []


def test_the_config_may_name_exactly_what_the_library_has():
    properties = config.schema("config")["properties"]
    every = {name for task in models.TASKS for name in models.named(task)}
    assert set(properties["models"]["items"]["enum"]) == every
    fitted = every - {"dummy", "average"}
    assert set(properties["evaluation"]["properties"]["permuted_models"]["items"]["enum"]) == fitted - {
        "stack"
    }
    assert set(properties["training"]["properties"]["search"]["propertyNames"]["enum"]) == fitted
    assert set(properties["design"]["properties"]["task"]["enum"]) == set(models.TASKS)
    expression = properties["expression"]["properties"]
    assert set(expression["normalization"]["enum"]) == set(methods.METHODS)
    # ranks are a choice of auto alone: a user asks for them as the normalization
    assert set(expression["batch_correction"]["enum"]) == {*registry.METHODS, "auto"} - {"rank"}


def test_the_order_of_keys_changes_nothing():
    one, _ = config.complete(
        {"expression": {"normalization": "tmm", "batch_correction": "none"}, "results": "r"}
    )
    two, _ = config.complete(
        {"results": "r", "expression": {"batch_correction": "none", "normalization": "tmm"}}
    )
    assert repr(one) == repr(two)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"alignment": {"tool": "hisat2", "two_pass": True}}, "two_pass needs alignment.tool star"),
        ({"alignment": {"tool": "hisat2"}, "quantification": {"tool": "star"}}, "set alignment.tool star"),
        ({"alignment": {"min_mapq": 10}, "quantification": {"tool": "salmon"}}, "use featurecounts or htseq"),
        ({"trimming": {"umi": "NNNN"}, "quantification": {"tool": "star"}}, "use featurecounts or htseq"),
        ({"trimming": {"tool": "trim_galore", "poly_a": True}}, "use fastp or cutadapt"),
        ({"trimming": {"tool": "none", "adapters": ["ACGT"]}}, "need a trimming.tool"),
        ({"trimming": {"adapters": "ACGT"}}, "trimming.adapters: 'ACGT' must be auto, or a list"),
        ({"trimming": {"umi": "8"}}, "trimming.umi: '8' must be null, in_name, a pattern"),
        ({"trimming": {"umi": ["", ""]}}, "trimming.umi: ['', ''] must be null, in_name, a pattern"),
        ({"trimming": {"umi": ["XX", "C"]}}, "a list of two, one of them with N: [R1, R2]"),
    ],
)
def test_options_that_a_tool_cannot_keep_are_refused(settings, expected):
    (problem,) = problems_of(settings)
    assert expected in problem


@pytest.mark.parametrize("umi", [None, "in_name", "NNXX", ["NN", ""], ["", "NN"], ["CC", "XN"]])
def test_an_identifier_may_be_in_either_mate(umi):
    assert problems_of({"trimming": {"umi": umi}}) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"reference_batch": "b1"}, "reference_batch does nothing with batch_correction 'none'"),
        ({"batch_correction": "center", "protect_target": True}, "protect_target does nothing"),
        ({"batch_correction": "limma", "mean_only": True}, "mean_only does nothing"),
    ],
)
def test_settings_that_a_correction_does_not_have_are_refused(expression, expected):
    (problem,) = problems_of({"design": {"batch": "run"}, "expression": expression})
    assert expected in problem


def test_a_reference_batch_cannot_be_held_out():
    (problem,) = problems_of(
        {
            "design": {"batch": "run"},
            "expression": {"batch_correction": "combat", "reference_batch": "b1"},
            "evaluation": {"leave_one_batch_out": True},
        }
    )
    assert "which holds that batch out" in problem


@pytest.mark.parametrize(
    "gene_filter", ["auto", "none", {"min_mean": 1}, {"top_variance": 500, "auto": False}]
)
def test_a_filter_is_auto_none_or_limits(gene_filter):
    full, problems = config.complete({"expression": {"filter": gene_filter}})
    assert problems == [] and full["expression"]["filter"] == gene_filter


@pytest.mark.parametrize("gene_filter", ["all", {}, {"top_variance": 0}, {"min_variance": -1}, {"top": 5}, 3])
def test_other_filters_are_refused_with_what_is_allowed(gene_filter):
    (problem,) = problems_of({"expression": {"filter": gene_filter}})
    assert "expression.filter" in problem and "must be auto, none, or a mapping of auto" in problem


def test_the_order_of_a_filter_s_limits_changes_nothing():
    one, two = ({"min_mean": 1, "auto": False}, {"auto": False, "min_mean": 1})
    assert repr(config.complete({"expression": {"filter": one}})) == repr(
        config.complete({"expression": {"filter": two}})
    )


def test_missing_values_can_be_filled_among_logarithms_only():
    (problem,) = problems_of({"expression": {"missing": "knn"}})
    assert "expression.missing 'knn' is for counts_unit log" in problem
    log = {"counts": "m.tsv", "counts_unit": "log", "expression": {"missing": "knn"}}
    assert problems_of(log) == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"training": {"imbalance": "smote"}, "design": {"task": "regression"}},
            "regression has no classes to balance",
        ),
        (
            {"training": {"calibration": "sigmoid"}, "design": {"task": "regression"}},
            "regression predicts no class probabilities",
        ),
        (
            {
                "training": {"threshold": "tuned"},
                "design": {"task": "survival", "time": "months", "event": "died"},
            },
            "survival predicts no class",
        ),
        ({"evaluation": {"permuted_models": ["knn"]}}, "permuted_models: knn is not among models"),
        (
            {"evaluation": {"permuted_models": ["mlp"], "permutations": 0}},
            "permuted_models needs evaluation.permutations above 0",
        ),
        ({"evaluation": {"learning_curve": [1.5]}}, "evaluation.learning_curve.0: must be at most 1"),
        ({"training": {"imbalance": "smotee"}}, "did you mean 'smote'?"),
    ],
)
def test_adjustments_and_tests_that_cannot_be_are_refused(settings, expected):
    (problem,) = problems_of(settings)
    assert expected in problem


def sheet_problems(tmp_path, rows, **sections):
    """Problems of a config with a sheet of sample, condition, sex."""
    from rna2model.planning import preflight

    (tmp_path / "s.tsv").write_text(
        "sample\tcondition\tsex\n" + "".join("\t".join(row) + "\n" for row in rows)
    )
    (tmp_path / "m.tsv").write_text("x")
    settings = {"samples": str(tmp_path / "s.tsv"), "counts": str(tmp_path / "m.tsv"), **sections}
    return preflight.check(settings, [tmp_path])[2]


def test_a_threshold_is_for_two_classes_and_synthetic_samples_are_not_for_categories(tmp_path):
    rows = [(f"s{i}", "abc"[i % 3], "fm"[i % 2]) for i in range(12)]
    (problem,) = sheet_problems(tmp_path, rows, training={"threshold": "tuned"})
    assert "tuned is for two classes, here are 3 (a, b, c)" in problem
    smote = {"training": {"imbalance": "smote"}, "design": {"covariates": ["sex"]}}
    (problem,) = sheet_problems(tmp_path, rows, **smote)
    assert "column sex: training.imbalance smote" in problem and "use class_weights" in problem
    aged = [(name, label, str(20 + i)) for i, (name, label, _) in enumerate(rows)]
    assert sheet_problems(tmp_path, aged, **smote) == []
