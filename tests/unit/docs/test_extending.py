"""docs/extending.md is true: its model, as printed there, works through the registry."""

import re
import sys
import types

import numpy as np

from rna2model import models


def test_the_documented_model_trains_predicts_and_reloads(repository, monkeypatch, tmp_path):
    code = re.search(r"```python\n(.*?)```", (repository / "docs/extending.md").read_text(), re.S)[1]
    module = types.ModuleType("rna2model.models.nearest_centroid")
    exec(compile(code, "docs/extending.md", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(models.NAMES, "nearest_centroid", f"{module.__name__}:NearestCentroid")

    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b", "c"], 12)
    expression = rng.normal(size=(36, 50)) + 2 * rng.normal(size=(3, 50))[np.repeat([0, 1, 2], 12)]
    model = models.make("nearest_centroid").fit(expression, labels)
    model.save(tmp_path / "model")
    again = models.load(tmp_path / "model")
    assert (again.predict(expression) == labels).mean() > 0.95
    assert np.array_equal(again.predict_proba(expression), model.predict_proba(expression))
