"""Names of users' models in a config: what they are called, and everything that is wrong with them at once."""

import pytest

from rna2model.inputs import config, own_models

FILE = "from sklearn.linear_model import LogisticRegression\n\n\ndef boosted(C=1.0):\n    return LogisticRegression(C=C)\n"


def read(folder, **options):
    """(checked config, problems) of models in files of `folder`."""
    full, problems = config.complete(options)
    return full, problems or own_models.resolve(full, [folder])


def test_a_model_is_called_by_its_function_wherever_models_are_named(tmp_path):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/my_models.py").write_text(FILE)
    full, problems = read(
        tmp_path,
        models=["lab/my_models.py:boosted"],
        evaluation={"permuted_models": ["boosted"]},
        training={"search": {"boosted": {"C": [0.1, 1]}}},
    )
    assert problems == [] and full["shipped_model"] == "boosted"
    assert full["models"] == ["boosted", "dummy", "logistic_l2", "linear_svm"]
    assert full["own_models"] == {"boosted": {"file": "lab/my_models.py", "text": FILE, "network": False}}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (["my_models.py:knn"], "my_models.py:knn: knn is a model of rna2model; call your function otherwise"),
        (["my_models.py:ridge"], "ridge is a model of rna2model"),  # of another task
        (["my_models.py:boosted", "other.py:Boosted"], "other.py:Boosted: my_models.py:boosted is there, too"),
        (["a/my.py:one", "b/my.py:two"], "b/my.py:two: a/my.py is a file of the same name; rename one"),
        (["my-models.py:boosted"], "Python cannot import a file called 'my-models.py'"),
        (["my_models.py:"], "after the colon stands the name of a function of the file, not ''"),
        (["my_models.py:a.b"], "not 'a.b'"),
        (["my_models.py:lambda"], "not 'lambda'"),
        (["my_models.py"], "models.0: 'my_models.py' is not one of"),
    ],
)  # fmt: skip
def test_names_that_cannot_be_are_refused(entries, says, tmp_path):
    assert any(says in problem for problem in read(tmp_path, models=entries)[1])


def test_all_files_are_looked_at_before_anything_is_said(tmp_path):
    (tmp_path / "my_models.py").write_text(FILE)
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe")
    _, problems = read(
        tmp_path,
        models=["nowhere.py:one", "bytes.py:two", "my_models.py:boosted", "my_models.py:three"],
        training={"search": {"boosted": {"depth": [1]}}},
    )
    assert len(problems) == 4
    for text in (
        "no such file",
        "no text (UTF-8)",
        "boosted cannot search depth; its function takes C",
        "no 'three'",
    ):
        assert any(text in problem for problem in problems)


def test_a_search_of_a_model_that_is_not_there_is_refused(tmp_path):
    _, problems = read(tmp_path, training={"search": {"boosted": {"C": [1]}}})
    assert any("'boosted' is not one of" in problem for problem in problems)


def test_survival_has_no_estimators(tmp_path):
    (tmp_path / "my_models.py").write_text(FILE)
    design = {"task": "survival", "time": "months", "event": "died"}
    _, problems = read(tmp_path, models=["my_models.py:boosted"], design=design)
    assert problems == [
        "config: models: my_models.py:boosted: estimators do classification and regression, not survival; leave it out of `models`"
    ]


def test_a_frozen_bundle_needs_no_file(tmp_path):
    """The config that trained it may serve it where the file is not."""
    full, problems = read(tmp_path, models=["gone.py:boosted"], training={"retrain": "never"})
    assert problems == [] and full["shipped_model"] == "boosted"
