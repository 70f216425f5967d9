"""Which features a model uses, and whether it uses the same ones in every fold. Association, not cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rna2model.core.errors import InputProblem
from rna2model.explain import stability

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from rna2model.models.base import Model

TOP = 50  # features that count as chosen in a fold where the model itself does not choose
COLUMNS = ["feature", "symbol", "class", "effect", "mean_effect", "sd", "folds_chosen", "same_sign"]
CONTROL_COLUMNS = ["control_q95", "above_control"]


def effects(model: Model, X: NDArray[Any], baseline: NDArray[Any]) -> tuple[NDArray[Any], str]:
    """((C, p) signed effect of each feature on each explained class, how they were computed) of a fitted model.

    linear : coefficient times the sd of the feature in X, so that features of different spread compare
    trees : mean absolute SHAP value (Lundberg et al. 2020) over X, with the sign of its correlation with the feature
    pairs : share of the votes of a class's pairs that goes with the gene, positive where it has to be the higher one
    torch : the same of integrated gradients from `baseline` (p,)
    estimators of users without coefficients : mean change when the feature's values are exchanged (permuted.py)
    C is 1 for two classes (the last one), numbers and survival. InputProblem for a model that has no such answer.
    """
    weights = model.coefficients()
    if weights is not None:
        return weights * X.std(axis=0), "coefficient x sd of the feature"
    if hasattr(model, "pair_votes"):
        return model.pair_votes(), "share of the pairs' votes"
    if hasattr(model, "torch_logits"):
        from rna2model.explain import integrated_gradients

        classes: Sequence[Any] = model.classes_[1:] if len(model.classes_) == 2 else model.classes_ or [None]
        parts = [
            integrated_gradients.integrated_gradients(model, X, baseline, target=name) for name in classes
        ]
        return np.stack([_signed(part, X) for part in parts]), "integrated gradients"
    if hasattr(model, "answers"):
        from rna2model.explain import permuted

        return permuted.effects(model.answers, X), "change when values are exchanged among samples"
    if hasattr(model, "estimator_"):
        return np.stack([_signed(part, X) for part in _shap(model, X)]), "SHAP values"
    raise InputProblem(f"{model.name} gives features no effects.")


def _shap(model, X):
    """List of (n, p) SHAP values, one for each explained class, of all features that the model was given."""
    import shap

    columns = np.arange(model.n_genes_) if model.columns_ is None else model.columns_
    values = shap.TreeExplainer(model.estimator_).shap_values(X[:, columns].astype(np.float32))
    values = np.asarray(values) * getattr(model, "unit", 1.0)
    parts = [values] if values.ndim == 2 else list(np.moveaxis(values, 2, 0))
    parts = parts[-1:] if len(parts) == 2 else parts
    full = [np.zeros(X.shape) for _ in parts]
    for out, part in zip(full, parts, strict=True):
        out[:, columns] = part
    return full


def _signed(values, X):
    """(p,) mean absolute value over samples, positive where it grows with the feature."""
    direction = ((values - values.mean(axis=0)) * (X - X.mean(axis=0))).sum(axis=0)
    return np.abs(values).mean(axis=0) * np.where(direction < 0, -1.0, 1.0)


def chosen(effect: NDArray[Any]) -> NDArray[np.bool_]:
    """(p,) bool: the features a fold's model uses: those with an effect, or the TOP strongest where more have one."""
    strength = np.abs(effect).max(axis=0)
    used = strength > 0
    if used.sum() > TOP:
        used = np.zeros_like(used)
        used[np.argsort(-strength, kind="stable")[:TOP]] = True
    return used


def agreement(models: Sequence[tuple[Sequence[str], NDArray[Any]]]) -> dict[str, float | None]:
    """{stability, lower, upper} of the features that models choose (stability.nogueira), rounded; None where undefined.

    models : list of (feature names, (C, p) effects), whose features may differ
    """
    every = sorted({name for names, _ in models for name in names})
    picks = [dict(zip(names, chosen(effect), strict=True)) for names, effect in models]
    measured = stability.nogueira([[pick.get(name, False) for name in every] for pick in picks])
    return {key: None if np.isnan(value) else round(float(value), 4) for key, value in measured.items()}


def table(
    names: Sequence[str],
    symbols: Mapping[str, str],
    classes: Sequence[Any],
    final: NDArray[Any],
    folds: Sequence[tuple[Mapping[str, int], NDArray[Any]]],
    limit: NDArray[Any] | None = None,
) -> pd.DataFrame:
    """DataFrame of COLUMNS and CONTROL_COLUMNS, strongest first, of all features that the final model or a fold uses.

    final : (C, p) effects of the final model; folds : list of ({name: column}, (C, p) effects), whose features may differ
    limit : (C, p) what effects reach by chance (null_models.limit), or None for empty cells
    """
    import pandas as pd

    rows = []
    picks = [chosen(effect) for _, effect in folds]
    for k, label in enumerate(classes):
        for column, name in enumerate(names):
            seen = [effect[k, place[name]] for place, effect in folds if name in place]
            taken = sum(
                pick[place[name]] for (place, _), pick in zip(folds, picks, strict=True) if name in place
            )
            if not final[k, column] and not any(seen):
                continue
            sign = np.sign(final[k, column]) or np.sign(sum(seen))
            padded = np.array([*seen, *[0.0] * (len(folds) - len(seen))])
            over_folds = padded.mean(), padded.std(), taken / len(folds), np.mean(np.sign(padded) == sign)
            by_chance = (
                ("", "") if limit is None else (limit[k, column], abs(final[k, column]) > limit[k, column])
            )
            rows.append((name, symbols.get(name, ""), label, final[k, column], *over_folds, *by_chance))
    frame = pd.DataFrame(rows, columns=COLUMNS + CONTROL_COLUMNS)
    return frame.iloc[np.argsort(-frame["effect"].abs().to_numpy(), kind="stable")]
