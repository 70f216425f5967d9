"""What a network sees of expression and what is kept of it: principal axes or scaled genes, in training and in a prediction.

A first layer that is linear in expression stays within what the training rows span, when it is trained by gradients: in
the coordinates of their axes (inputs.py) 20,000 genes cost what 300 samples cost. It is kept as one weight per gene. All
other networks read scaled genes, some or all of them.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from rna2model.core.errors import InputProblem
from rna2model.models.neural.inputs import Axes, Chosen, Genes, Source
from rna2model.models.neural.stack import drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rna2model.models.neural.base import TorchModel
    from rna2model.models.neural.data import TorchFold

OF_TRAINING = (
    "learning_rate",
    "weight_decay",
    "auxiliary",
    "genes",
)  # hyperparameters that no network is made with
INPUT = "input."  # what the names of arrays begin with that scale and choose genes


def of(
    model: TorchModel, source: Source, trained: NDArray[np.int64], candidate: Mapping[str, Any]
) -> Axes | Genes | Chosen:
    """The coordinates of a fold whose training rows are `trained`."""
    if _first(model):
        return source.axes(trained)
    genes = np.arange(source.X.shape[1])
    if "genes" in candidate:
        genes = source.most_variable(trained, candidate["genes"])
    return Chosen(source, genes)


def make(model: TorchModel, setting: Mapping[str, Any], view: Any, n_outputs: int) -> torch.nn.Module:
    """A network with random weights for rows in the coordinates `view`."""
    genes = view.genes if isinstance(view, Chosen) else None
    return _made(model, arguments(model, setting, view.rows.shape[1], n_outputs), genes)


def arguments(
    model: TorchModel, setting: Mapping[str, Any], n_features: int, n_outputs: int
) -> dict[str, Any]:
    """What the constructor gets beside names of genes: JSON-able."""
    accepted = constructor(model.network) - {"genes"}
    hyperparameters = {
        name: value for name, value in setting.items() if name in accepted and name not in OF_TRAINING
    }
    return {"n_features": n_features, "n_outputs": n_outputs, **hyperparameters}


def _made(model, options, columns):
    if "genes" in constructor(model.network):
        columns = np.arange(options["n_features"]) if columns is None else columns
        names = model.names or [str(i) for i in range(model.n_genes_)]
        chosen = range(model.n_genes_) if model.columns_ is None else model.columns_
        options = {**options, "genes": [names[chosen[i]] for i in columns]}
    return model.network(**options)


def kept(model: TorchModel, state: Mapping[str, NDArray[np.float64]], view: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a fitted model: its network's state, a first layer per gene, and what its input is made with."""
    first, state = _first(model), dict(state)
    more = {} if first else {INPUT + name: array for name, array in view.arrays().items()}
    if first:
        weight, bias = _per_gene(model, state[f"{first}.weight"].T, state[f"{first}.bias"], view)
        state |= {f"{first}.weight": weight, f"{first}.bias": bias}
    options = arguments(model, model.settings_, len(view.mean), model._n_outputs)
    model.settings_["network"] = options
    network = drawn(lambda: _made(model, options, getattr(view, "genes", None)), 0, 0)
    arrays = {}
    for name, like in network.state_dict().items():
        if not name.startswith(getattr(model.network, "TRAINING_ONLY", ())):
            # equal rounding after loading
            kind = np.float64 if name == f"{first}.bias" else like.numpy().dtype
            arrays[name] = np.ascontiguousarray(state[name], dtype=kind)
    return {name: np.ascontiguousarray(array) for name, array in (arrays | more).items()}


def _per_gene(model, learned, bias, axes):
    """((h, p), (h,)) weights and bias for log2 expression, from those (k, h), (h,) for axes."""
    genes: Any = 0.0
    if model.pretrained:  # directions that the training rows do not span stay as they were
        genes = model.pretrained[f"{_first(model)}.weight"]
        learned = learned - axes.start(genes, 0.0)[0]
    weights = (axes.to_genes(learned) + genes).astype(np.float32)
    return weights, axes.intercept(weights.astype(np.float64), bias)


def refuse_other_weights(model: TorchModel, pretrained: Mapping[str, NDArray[Any]]) -> None:
    """InputProblem where a network cannot start from weights; else its sizes become theirs."""
    first = _first(model)
    if not first or f"{first}.weight" not in pretrained:
        raise InputProblem(f"{model.name} cannot start from a pretrained model.")
    for size, layer in (("hidden", "hidden.weight"), ("latent", "latent.weight")):
        if size in model.search:
            model.search[size] = [len(pretrained[layer])]


def check_start(model: TorchModel, X: NDArray[Any], log: Callable[..., None]) -> None:
    """InputProblem for pretrained weights of other genes than those of X (n, p); a note where training starts from them."""
    if not model.pretrained:
        return
    genes = model.pretrained[f"{_first(model)}.weight"].shape[1]
    if genes != X.shape[1]:
        raise InputProblem(
            f"{model.name}: the pretrained weights are for {genes} genes, the samples have {X.shape[1]}."
        )
    model._note("starts from pretrained weights", log)


def start(model: TorchModel, fold: TorchFold) -> dict[str, NDArray[np.float64]]:
    """{name: (1, ...) array} the pretrained encoder in the coordinates of a fold, as loop.Plan.start has it."""
    first, weights, view = _first(model), model.pretrained or {}, fold.coordinates
    genes, bias = weights[f"{first}.weight"], weights[f"{first}.bias"]
    if genes.shape[1] != len(view.mean):
        raise InputProblem(
            f"{model.name}: a pretrained model needs the same genes in every fold; set the selection of genes to none."
        )
    own, bias = view.start(genes, bias)
    layers = getattr(model.network, "ENCODER", (first,))[1:]
    state = {f"{layer}.{part}": weights[f"{layer}.{part}"] for layer in layers for part in ("weight", "bias")}
    return {
        name: np.asarray(a)[None]
        for name, a in {**state, f"{first}.weight": own.T, f"{first}.bias": bias}.items()
    }


def activations(network: torch.nn.Module, rows: NDArray[np.float32]) -> int:
    """Numbers that a row keeps for the gradients while it trains."""
    batch, saved = torch.tensor(rows[:2]), []
    own = {one.data_ptr() for one in network.parameters()}

    def counted(tensor):
        if tensor.data_ptr() not in own:
            saved.append(tensor.numel())
        return tensor

    with (
        torch.random.fork_rng(devices=[]),
        torch.autograd.graph.saved_tensors_hooks(counted, lambda one: one),
    ):
        network(batch)
    return sum(saved) // max(1, len(batch)) + batch.shape[1]


def constructor(network: Any) -> set[str]:
    """Names of the arguments of a network's constructor."""
    return set(inspect.signature(network.__init__).parameters) - {"self"}


class Fitted:
    """The network of a fitted model in double precision, for one sample after the other: alone it gets the same as in company."""

    def __init__(self, model: TorchModel) -> None:
        arrays, first = model.arrays_, _first(model)
        width = arrays[f"{first}.weight"].shape[1] if first else len(arrays[f"{INPUT}genes"])
        n_outputs = len(model.classes_) or 1
        options = model.settings_.get("network") or arguments(model, model.settings_, width, n_outputs)
        self.network = drawn(lambda: _made(model, options, arrays.get(f"{INPUT}genes")), 0, 0).double().eval()
        state = {name: torch.tensor(a) for name, a in arrays.items() if name in self.network.state_dict()}
        self.network.load_state_dict(state, strict=False)
        self.network.requires_grad_(False)
        self.scaling = None
        if not first:
            self.scaling = tuple(
                torch.tensor(arrays[INPUT + name]) for name in ("genes", "mean", "per_scale")
            )

    def logits(self, X: torch.Tensor) -> torch.Tensor:
        """(n, K) outputs for expression (n, p) float64."""
        if self.scaling is not None:
            genes, mean, per_scale = self.scaling
            X = (X[:, genes] - mean) * per_scale
        return self.network(X)

    @torch.no_grad()
    def outputs(self, row: NDArray[Any]) -> NDArray[np.float64]:
        """(K,) outputs for one sample (p,), on one thread: the same on every machine's number of cores."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return self.logits(torch.tensor(row.astype(np.float64))[None])[0].numpy()
        finally:
            torch.set_num_threads(threads)


def _first(model):
    return getattr(model.network, "FIRST_LAYER", None)
