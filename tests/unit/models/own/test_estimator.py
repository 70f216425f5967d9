"""A user's estimator as a model: tuned, weighed, calibrated, stored and loaded, and what is wrong with a file in its own lines."""

import json

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.explain import importance, null_models

FILE = '''
"""Boosted trees in a class of the user's own."""
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

SEARCH = {
    "boosted": {"rounds": [5, 20]},
    "scaled": {"C": list(np.logspace(-3, 0, 3))},
    "ridge_of_mine": {"alpha": [1.0, 100.0]},
}


class Boosted(ClassifierMixin, BaseEstimator):
    def __init__(self, rounds=10, random_state=None):
        self.rounds, self.random_state = rounds, random_state

    def fit(self, X, y, sample_weight=None):
        booster = HistGradientBoostingClassifier(max_iter=self.rounds, min_samples_leaf=3, random_state=self.random_state)
        self.booster_, self.weights_ = booster.fit(X, y, sample_weight), sample_weight
        self.classes_ = self.booster_.classes_
        return self

    def predict_proba(self, X):
        return self.booster_.predict_proba(X)


def boosted(rounds=10):
    return Boosted(rounds)


def scaled(C=1.0, max_iter=200):
    return make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=max_iter))


def plain():
    return LogisticRegression()


def ridge_of_mine(alpha=1.0):
    return Ridge(alpha)


def forest(seed):
    return RandomForestRegressor(20, random_state=seed)
'''


def quiet(*_):
    pass


def code(text=FILE, file="my_models.py"):
    return {"file": file, "text": text}


def cohort(n=40, p=30, classes=2, seed=0):
    """Expression (n, p), labels by the first gene, and numbers that it moves."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    order = X[:, 0].argsort().argsort() * classes // n
    return X, np.array(["a", "b", "c"])[order], 3 * X[:, 0] + rng.normal(0, 0.1, n)


def made(name, task="classification", text=FILE, **options):
    return models.make(name, task=task, own=code(text), inner_folds=3, **options)


@pytest.mark.parametrize(("name", "classes"), [("boosted", 2), ("boosted", 3), ("scaled", 3), ("plain", 2)])
def test_a_classifier_trains_predicts_and_comes_back_from_its_folder(name, classes, tmp_path):
    X, y, _ = cohort(60, classes=classes)
    model = made(name).fit(X, y, log=quiet)
    assert (model.predict(X) == y).mean() > 0.9
    model.save(tmp_path / "model")
    assert not list((tmp_path / "model").glob("*.pkl"))
    again = models.load(tmp_path / "model", allow_code=True)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(again.predict_proba(X[:1]), model.predict_proba(X)[:1])


@pytest.mark.parametrize("name", ["ridge_of_mine", "forest"])
def test_a_regressor_predicts_numbers_with_the_seed_of_the_run(name, tmp_path):
    X, _, y = cohort(60)
    model = made(name, "regression", seed=3).fit(X, y, log=quiet)
    assert np.corrcoef(model.predict(X), y)[0, 1] > 0.9
    model.save(tmp_path / "model")
    assert np.array_equal(models.load(tmp_path / "model", allow_code=True).predict(X), model.predict(X))
    same = made(name, "regression", seed=3).fit(X, y, log=quiet).predict(X)
    assert np.array_equal(same, model.predict(X))
    if name == "forest":
        assert not np.array_equal(made(name, "regression", seed=4).fit(X, y, log=quiet).predict(X), same)


def test_a_pipeline_gives_what_scikit_learn_gives():
    """One candidate: the same fit to the same rows."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y, _ = cohort()
    model = made("scaled", search={"C": [0.5]}).fit(X, y, log=quiet)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=200)).fit(X, y == "b")
    assert np.allclose(model.predict_proba(X), theirs.predict_proba(X), atol=1e-9)


def test_the_search_of_the_file_is_tuned_and_the_config_replaces_it():
    X, y, _ = cohort()
    model = made("boosted").fit(X, y, log=quiet)
    assert [one["rounds"] for one in model.settings_["candidates"]] == [5, 20]
    best = max(model.settings_["candidates"], key=lambda one: one["minus_log_loss"])
    assert model.settings_["rounds"] == best["rounds"] == model.estimator_.rounds
    other = made("scaled", search={"max_iter": [50]}).fit(X, y, log=quiet)  # not in the file's SEARCH
    assert other.settings_["max_iter"] == 50 and len(other.settings_["candidates"]) == 3
    with pytest.raises(InputProblem, match=r"cannot search depth; its function takes rounds"):
        made("boosted", search={"depth": [1]})


def test_weights_calibration_and_threshold_are_those_of_every_model():
    rng = np.random.default_rng(2)
    y = np.repeat(["common", "rare"], [90, 30])
    X = rng.normal(size=(120, 10))
    X[:, 0] += y == "rare"
    options = {"imbalance": "class_weights", "calibration": "sigmoid", "threshold": "tuned"}
    model = made("boosted", **options).fit(X, y, log=quiet)
    weights = model.estimator_.weights_
    assert weights[y == "rare"].sum() == pytest.approx(weights[y == "common"].sum())
    assert model.calibrator_.kind == "sigmoid" and model.threshold_ is not None
    held = made("boosted").fit(X, y, log=quiet)
    assert held.estimator_.weights_ is None and held.class_weight == "none"
    piped = made("scaled", imbalance="class_weights").fit(X, y, log=quiet)
    assert piped.class_weight == "balanced" and piped.predict_proba(X)[:, 1].mean() == pytest.approx(
        0.25, abs=0.05
    )


def test_held_out_rows_change_nothing_and_each_sample_is_alone():
    """An estimator that centres by whoever it predicts sees one sample at a time."""
    text = FILE + (
        "\n\nclass Centred(Boosted):\n    def predict_proba(self, X):\n        return super().predict_proba(X - X.mean(axis=0))\n"
        "\n\ndef centred():\n    return Centred()\n"
    )
    X, y, _ = cohort()
    model = made("centred", text=text).fit(X, y, log=quiet)
    assert len(np.unique(model.predict_proba(X)[:, 1])) == 1


def test_coefficients_explain_or_else_what_happens_when_genes_are_exchanged():
    X, y, numbers = cohort(80)
    plain, how = importance.effects(made("plain").fit(X, y, log=quiet), X, X.mean(axis=0))
    assert how.startswith("coefficient") and plain[0].argmax() == 0
    for model in (made("boosted"), made("scaled")):
        effects, how = importance.effects(model.fit(X, y, log=quiet), X, X.mean(axis=0))
        assert "exchanged" in how and effects.shape == (1, 30) and effects[0].argmax() == 0
    forest = made("forest", "regression").fit(X, -numbers, log=quiet)
    effects, _ = importance.effects(forest, X, X.mean(axis=0))
    assert effects[0].argmin() == 0 and np.abs(effects[0]).argmax() == 0


def test_models_of_other_seeds_are_the_users(tmp_path):
    X, y, _ = cohort(60)
    made("boosted", search={"rounds": [5]}).fit(X, y, log=quiet).save(tmp_path / "model")
    again = models.load(tmp_path / "model", allow_code=True)
    others = null_models.of_other_seeds(again, X, y, X)
    assert len(others) == null_models.SEEDS and all(one[0].argmax() == 0 for one in others)


def test_code_is_not_imported_unless_that_is_allowed_and_not_when_it_was_changed(tmp_path):
    X, y, _ = cohort()
    folder, mark = tmp_path / "model", tmp_path / "imported"
    made("boosted").fit(X, y, log=quiet).save(folder)
    path = folder / "my_models.py"
    own = json.loads((folder / "model.json").read_text())["own"]
    assert own["types"] == [
        "own_code.my_models.Boosted",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    ]
    with pytest.raises(InputProblem, match=r"--allow-code") as refused:
        models.load(folder)
    assert str(path) in str(refused.value) and "own_code.my_models.Boosted" in str(refused.value)
    path.write_text(path.read_text() + f"\nopen({str(mark)!r}, 'w')\n")
    with pytest.raises(InputProblem, match="differs from the file"):
        models.load(folder, allow_code=True)
    assert not mark.exists()


def test_only_types_that_the_file_needs_are_trusted(tmp_path):
    """A bundle of somebody else names a type that neither the file nor its packages have."""
    X, y, _ = cohort()
    made("boosted").fit(X, y, log=quiet).save(tmp_path)
    described = json.loads((tmp_path / "model.json").read_text())
    for odd in (
        "posix.system",
        "builtins.eval",
        "subprocess.Popen",
        "numpy.testing._private.utils.runstring",
    ):
        described["own"]["types"] = [*described["own"]["types"][:1], odd]
        (tmp_path / "model.json").write_text(json.dumps(described))
        with pytest.raises(InputProblem, match="does not need"):
            models.load(tmp_path, allow_code=True)
    described["own"]["types"] = described["own"]["types"][:1]
    (tmp_path / "model.json").write_text(json.dumps(described))
    with pytest.raises(InputProblem, match="TreePredictor"):
        models.load(tmp_path, allow_code=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def boosted(:\n    pass", r"my_models.py, line 1 \(def boosted\(:\): it does not import: SyntaxError"),
        ("import numpy\nx = 1 / 0", r"line 2 \(x = 1 / 0\): it does not import: ZeroDivisionError"),
        ("from beside import Thing", r"line 1 .*No module named 'beside'; a file of models stands by itself"),
        ("raise SystemExit(3)", "line 1 .*SystemExit"),
        ("def boostd(): pass", r"there is no 'boosted' in it \(did you mean 'boostd'\?\)"),
        ("boosted = 3", "neither a function that returns an estimator nor a torch.nn.Module, but int"),
        ("def boosted(): pass", "returned NoneType, which has no fit and no predict_proba"),
        ("def boosted(): return nothing", r"line 1 .*boosted\(\): NameError"),
        ("def boosted(depth): pass", "boosted.*missing 1 required positional argument: 'depth'"),
        ("SEARCH = {'boosted': {'a': []}}\ndef boosted(a=1): pass", "SEARCH has to be"),
        ("SEARCH = {'boosted': {'b': [1]}}\ndef boosted(a=1): pass", "SEARCH names b for boosted, which takes a"),
        ("SEARCH = {'boosted': {'a': [print]}}\ndef boosted(a=1): pass", "neither numbers nor texts"),
        (
            "from sklearn.svm import LinearSVC\ndef boosted(): return LinearSVC()",
            "LinearSVC, which has no predict_proba; a model for classification needs fit and predict_proba",
        ),
        (
            "from sklearn.preprocessing import FunctionTransformer\nfrom sklearn.linear_model import LogisticRegression\n"
            "from sklearn.pipeline import make_pipeline\n"
            "def boosted(): return make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression())",
            "cannot be stored without pickle",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_with_its_line(text, says):
    with pytest.raises(InputProblem, match=says):
        made("boosted", text=text).check()


def test_an_estimator_that_fails_or_answers_oddly_names_its_file():
    X, y, _ = cohort()
    start = "from sklearn.linear_model import LogisticRegression\nclass Odd(LogisticRegression):\n    "
    for body, says in {
        "def fit(self, X, y):\n        return self.nothing": r"line 4 \(return self.nothing\): boosted cannot be fitted to",
        "def predict_proba(self, X):\n        return super().predict_proba(X)[:, 0]": "has to give 2 probabilities",
        "def predict_proba(self, X):\n        return super().predict_proba(X) * 2": "add up to 2",
        "def predict_proba(self, X):\n        return super().predict_proba(X) * float('nan')": "no finite numbers",
    }.items():
        text = f"{start}{body}\ndef boosted(): return Odd()"
        with pytest.raises(InputProblem, match=says):
            made("boosted", text=text).fit(X, y, log=quiet).predict_proba(X)


def test_survival_has_no_estimators():
    with pytest.raises(InputProblem, match="classification and regression, not survival"):
        made("boosted", "survival")
