"""The models, by name. A new one is a class of `base.Model` in its own file and one line here.

Nothing is imported before a model is made or loaded, so the rules can read the names for free.

How classes are weighted: logistic_l2, elastic_net, random_forest and gradient_boosting are fitted to the
samples as they are, so their probabilities are those of a population with the classes as common as in
training (calibration, Brier). linear_svm and the torch models weigh the classes equally, so their predicted class aims at
balanced accuracy and their probabilities speak of classes equally common. The two differ only where the
cohort is unbalanced; `settings_["class_weight"]` says which applies.
"""

import importlib
import json
from pathlib import Path

from rna2model.errors import InputProblem

NAMES = {
    "dummy": "rna2model.models.dummy:Dummy",
    "logistic_l2": "rna2model.models.linear:LogisticL2",
    "linear_svm": "rna2model.models.linear:LinearSVM",
    "clinical": "rna2model.models.linear:Clinical",
    "genes_only": "rna2model.models.linear:GenesOnly",
    "elastic_net": "rna2model.models.elastic_net:ElasticNet",
    "lasso": "rna2model.models.elastic_net:Lasso",
    "knn": "rna2model.models.neighbours:NearestNeighbours",
    "decision_tree": "rna2model.models.trees:DecisionTree",
    "random_forest": "rna2model.models.trees:RandomForest",
    "gradient_boosting": "rna2model.models.trees:GradientBoosting",
    "mlp": "rna2model.models.mlp:MLP",
    "autoencoder": "rna2model.models.autoencoder:Autoencoder",
    "vae": "rna2model.models.vae:VAE",
    "attention": "rna2model.models.attention:Attention",
    "cnn": "rna2model.models.cnn:CNN",
}
NEED_COVARIATES = {"clinical", "genes_only"}
TORCH = {
    "mlp",
    "autoencoder",
    "vae",
    "attention",
    "cnn",
}  # trained with torch, and on a GPU where the config asks for one


def make(name, seed=1, inner_folds=5, search=None, device="cpu", threads=None, **torch):
    """An unfitted model; `search` replaces candidates of its search, {hyperparameter: list of values}.

    `torch`: what only torch models take (torch_model.TorchModel): seeds, pretrained, unlabelled, journal, checkpoint ...
    """
    kind = _class(name)
    return kind(seed=seed, inner_folds=inner_folds, search=search, device=device, threads=threads, **torch)


def load(folder):
    """The fitted model that `Model.save` wrote to `folder`. Never unpickles."""
    from rna2model.models import base

    path = Path(folder) / base.DESCRIPTION
    try:
        description = json.loads(path.read_text())
        kind = _class(description["name"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputProblem(
            f"{path} is not a readable model description ({error}); train the model again."
        ) from None
    return kind.restore(description, Path(folder))


def _class(name):
    if name not in NAMES:
        raise InputProblem(f"{name!r} is not a model. Models: {', '.join(NAMES)}.")
    module, kind = NAMES[name].split(":")
    return getattr(importlib.import_module(module), kind)
