"""Tables of predictions: sample, predicted, prob_<class> for each class."""

import numpy as np
import pandas as pd


def table(samples, model, expression):
    """DataFrame of `model`'s predictions for `samples`; probabilities rounded to 9 digits, rows sum to one."""
    probabilities = model.predict_proba(expression) if len(samples) else np.empty((0, len(model.classes_)))
    classes = np.array(model.classes_, dtype=object)
    frame = pd.DataFrame({"sample": list(samples), "predicted": classes[probabilities.argmax(axis=1)]})
    for column, name in enumerate(classes):
        frame[f"prob_{name}"] = np.round(probabilities[:, column], 9)
    return frame


def read(paths):
    """All prediction files of one model as one DataFrame; names and classes stay text."""
    text = {"sample": str, "split": str, "truth": str, "predicted": str}
    parts = [pd.read_csv(path, sep="\t", dtype=text, keep_default_na=False) for path in paths]
    return pd.concat(parts, ignore_index=True)
