"""Tables of predictions: sample, predicted, and columns of the task.

Classification: prob_<class> for each class. Survival: predicted is a risk; risk_group, survival_<time> at the landmarks
and curve_<time>, which only the metrics read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

DIGITS = 9


def table(
    samples: Sequence[str],
    model: Any,
    expression: NDArray[np.float64],
    times: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """DataFrame of `model`'s predictions for `samples`; probabilities have 9 digits, other numbers 9 significant ones.

    times : {column: time} at which survival is predicted, for a survival model
    """
    frame = pd.DataFrame({"sample": list(samples)})
    if model.task == "classification":
        probabilities = (
            model.predict_proba(expression) if len(samples) else np.empty((0, len(model.classes_)))
        )
        classes = np.array(model.classes_, dtype=object)
        frame["predicted"] = classes[model.decide(probabilities)]
        return frame.assign(
            **{f"prob_{name}": np.round(probabilities[:, k], DIGITS) for k, name in enumerate(classes)}
        )
    predicted = model.predict(expression) if len(samples) else np.empty(0)
    frame["predicted"] = significant(predicted)
    if model.task == "survival":
        assert times is not None
        frame["risk_group"] = model.risk_group(predicted)
        survival = model.survival(predicted, np.array(list(times.values()), dtype=float))
        columns = {name: np.round(survival[:, k], DIGITS) for k, name in enumerate(times)}
        frame = pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)
    return frame


def significant(values: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers of any unit with DIGITS significant digits, in the shape of values; NaN stays."""
    values = np.asarray(values, dtype=float)
    return np.array([float(f"{value:.{DIGITS}g}") for value in values.ravel()]).reshape(values.shape)


def scored(predicted: pd.DataFrame, split: str, y: NDArray[Any]) -> pd.DataFrame:
    """The table of a split's held-out samples: `predicted` with the split's name and what came true, y (n,)."""
    predicted.insert(1, "split", split)
    came_true = {name: y[name] for name in y.dtype.names} if y.dtype.names else {"truth": y}
    for place, (name, values) in enumerate(came_true.items(), start=2):
        predicted.insert(place, name, values.astype(int) if values.dtype == bool else values)
    return predicted


def read(paths: Iterable[str | Path]) -> pd.DataFrame:
    """All prediction files of one model as one DataFrame; names and classes stay text."""
    text = {"sample": str, "split": str, "truth": str, "predicted": str}
    parts = [pd.read_csv(path, sep="\t", dtype=text, keep_default_na=False) for path in paths]
    return pd.concat(parts, ignore_index=True)


def write(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a table of predictions without the columns that only the metrics need."""
    hidden = [name for name in frame if name.startswith("curve_")]
    frame.drop(columns=hidden).to_csv(path, sep="\t", index=False)
