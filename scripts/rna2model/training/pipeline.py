"""Make the model of one split from the config and train it on the split's preprocessed training samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model import models
from rna2model.expression.features import selection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rna2model.models.base import Model
    from rna2model.training.preprocessing import Preprocessing
    from rna2model.training.split_data import SplitData


def make_model(
    name: str,
    options: Mapping[str, Any],
    seen: Sequence[str],
    weights: Callable[[Any, str, Sequence[str]], Any] | None = None,
    **more: Any,
) -> Model:
    """An unfitted model with its settings from the config's `training` (planning/tool_options.py), the user's file among them.

    seen : names of the columns the model will see, which pretrained weights are matched to; weights : function of
    (bundle, name, seen) that reads these (pretrained.read), needed where `options` name a bundle; more : as models.make
    """
    more |= {
        key: options[key] for key in ("imbalance", "calibration", "threshold", "positive") if key in options
    }
    if options.get("own"):
        more["own"] = options["own"]
    if models.is_network(name, {name: options.get("own", {})}):
        more |= {"seeds": options.get("seeds", 1), "names": list(seen)}
        if options.get("pretrained"):
            assert weights is not None  # where options name a bundle
            more["pretrained"] = weights(options["pretrained"], name, seen)
    made = models.make(name, search=options.get("search", {}).get(name), **more)
    made.keeps_held_out = options.get("held_out", False)
    return made


def train(
    model: Model,
    data: SplitData,
    preprocessing: Preprocessing,
    settings: Mapping[str, Any],
    seed: int,
    log: Callable[..., Any] = print,
) -> Model:
    """`model` fitted to the training samples of a SplitData; settings: the config's `features`."""
    preprocessing = preprocessing.shown_to(model)
    select = selection.make(settings, features=preprocessing.features, seed=seed, sees=model.SEES)
    expression = data.expression(data.train, preprocessing)
    return model.fit(
        expression, data.outcome(data.train), groups=data.groups(data.train), select=select, log=log
    )
