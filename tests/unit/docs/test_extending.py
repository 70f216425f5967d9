"""docs/extending.md is true: its models, as printed there, work: a user's by one line of the config, ours through the registry."""

import re
import sys
import types

import numpy as np
import yaml

from rna2model import models
from rna2model.inputs import config as configuration
from rna2model.inputs import own_models
from rna2model.planning import tool_options
from rna2model.training import pipeline


def blocks(repository, kind):
    """Texts of the page's blocks of a language, in their order."""
    return re.findall(rf"```{kind}\n(.*?)```", (repository / "docs/extending.md").read_text(), re.S)


def test_the_users_file_and_the_line_of_the_config_work_as_printed(repository, tmp_path):
    """From the config as it is written to fitted models that come back from their folders."""
    (tmp_path / "my_models.py").write_text(blocks(repository, "python")[0])
    written = yaml.safe_load(blocks(repository, "yaml")[0])
    full, problems = configuration.complete(written)
    assert problems == [] and own_models.resolve(full, [tmp_path]) == []
    assert full["models"] == ["logistic_l2", "extra_trees", "few_genes", "dummy", "linear_svm"]
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], 15)
    expression = rng.normal(size=(30, 20)) + 2 * (labels == "b")[:, None] * (np.arange(20) < 3)
    for name in ("extra_trees", "few_genes"):
        options = tool_options.training_options(full, name, [])
        model = pipeline.make_model(name, options, [], inner_folds=2).fit(
            expression, labels, log=lambda *_: None
        )
        model.save(tmp_path / name)
        again = models.load(tmp_path / name, allow_code=True)
        assert (again.predict(expression) == labels).mean() > 0.9
        assert len(model.settings_["candidates"]) == {"extra_trees": 2, "few_genes": 3}[name]


def test_the_users_network_and_the_line_of_the_config_work_as_printed(repository, tmp_path):
    (tmp_path / "my_networks.py").write_text(blocks(repository, "python")[1])
    full, problems = configuration.complete(yaml.safe_load(blocks(repository, "yaml")[1]))
    assert problems == [] and own_models.resolve(full, [tmp_path]) == []
    assert models.is_network("PathwayNet", full["own_models"])
    genes = ["ENSG00000115415", "ENSG00000134057", "ENSG00000000003"]
    rng, labels = np.random.default_rng(0), np.repeat(["a", "b"], 15)
    expression = rng.normal(size=(30, 3)) + 4 * (labels == "b")[:, None] * (np.arange(3) < 1)
    options = tool_options.training_options(full, "PathwayNet", ["PathwayNet"])
    model = pipeline.make_model("PathwayNet", options, genes, inner_folds=2)
    model.fit(expression, labels, log=lambda *_: None).save(tmp_path / "model")
    again = models.load(tmp_path / "model", allow_code=True)
    assert (again.predict(expression) == labels).mean() > 0.9 and again.names == genes
    assert len(model.settings_["candidates"]) == 4


def test_the_documented_model_trains_predicts_and_reloads(repository, monkeypatch, tmp_path):
    code = blocks(repository, "python")[2]
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
