"""Names and definitions that the report shows for keys of the result files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model.qc import gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pandas as pd

METRICS = {  # key: (name, definition)
    "auroc": ("AUROC", "how often a sample of the class ranks above one that is not; guessing gives 0.5"),
    "log_loss": ("log loss", "minus the log probability of what came true; lower is better"),
    "balanced_accuracy": ("balanced accuracy", "the mean over classes of the share predicted correctly; guessing gives 1 / classes"),
    "auprc": ("AUPRC", "precision averaged over recall; permuted labels give its chance level, which in small folds is far above the share of the class"),
    "mcc": ("MCC", "correlation of prediction and truth; guessing gives 0"),
    "f1_macro": ("F1", "harmonic mean of precision and recall, averaged over classes"),
    "brier": ("Brier score", "mean squared error of the probabilities; lower is better"),
    "calibration_slope": (
        "calibration slope",
        "1 is right, below 1 the predictions are too extreme; undefined if the classes are separated perfectly or the predictions are constant",
    ),
    "calibration_intercept": (
        "calibration intercept",
        "0 is right, below 0 the probabilities are too high on average (log odds)",
    ),
    "r2": ("R²", "share of the variance that is predicted; the mean as prediction gives 0"),
    "spearman": ("Spearman's rho", "correlation of ranks; guessing gives 0"),
    "pearson": ("Pearson's r", "correlation; guessing gives 0"),
    "mae": ("mean absolute error", "in the unit of the target; lower is better"),
    "rmse": ("root mean squared error", "the same, where large errors weigh more"),
    "harrell_c": (
        "Harrell's C",
        "how often, of two samples, the one with the earlier event has the higher risk; guessing gives 0.5",
    ),
    "uno_c": ("Uno's C", "the same, with weights for samples that were not followed to the end"),
    "auc": ("time-dependent AUC", "how often a sample with an event by then ranks above one without; guessing gives 0.5"),
    "integrated_brier": ("integrated Brier score", "mean squared error of the predicted survival over time; lower is better"),
}  # fmt: skip
FEATURES = {  # columns of features.tsv: (name, definition)
    "feature": ("feature", ""),
    "symbol": ("symbol", ""),
    "class": ("class", "the class that higher values favour if the effect is positive"),
    "effect": ("effect", "of the shipped model"),
    "mean_effect": ("mean of folds", "the same effect in the models of the folds, on average"),
    "sd": ("sd of folds", "and its standard deviation"),
    "folds_chosen": ("folds with it", "share of the folds whose model uses it (of more than 50, among its 50 strongest)"),
    "same_sign": ("same sign", "share of the folds where it points the same way"),
    "control_q95": ("by chance", "what the same feature reaches in 95 of 100 models of shuffled labels; among many features some exceed it by chance"),
    "above_control": ("above chance", "whether the effect is larger than that"),
}  # fmt: skip
VIEWS = {"normalized": "before correction", "batch_corrected": "after correction"}


def words(name: Any) -> str:
    """Readable name of a metric, a view of the cohort or a column."""
    return METRICS[name][0] if name in METRICS else VIEWS.get(name, str(name).replace("_", " "))


def rule(manifest: Mapping[str, Any]) -> str | None:
    """Sentence on the threshold of the shipped model; None for an old bundle without one."""
    made = manifest.get("predicts")
    if not made:
        return None
    if made["threshold"] is None:
        return "the most probable class is predicted, by every model"
    why = (
        "the best balanced accuracy on inner out-of-fold predictions, tuned for every model"
        if made["tuned"]
        else "its share among the training samples, the same rule for every model"
    )
    return f"{made['class']} is predicted from a probability of {made['threshold']:.3f} on: {why}"


def glossary(keys: Iterable[str], table: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    """[(name, meaning)] of the keys that have one."""
    return [table[key] for key in keys if key in table and table[key][1]]


def titles(frame: pd.DataFrame) -> dict[str, str]:
    """{column: what people call it} of a table of features."""
    return {column: FEATURES[column][0] for column in frame if column in FEATURES}


def samples(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """(samples.tsv as people read it: the excluded and flagged first, and the sheet's columns before the tools';
    columns that paper has no room for)."""
    order = 2 * (table["status"] == "included") + (table.get("flags", "") == "")
    table = table.iloc[order.argsort(kind="stable")]
    technical = [name for name in (*gate.NUMBERS, *gate.FATES) if name in table]
    own = [name for name in table if name not in technical and name not in gate.COLUMNS]
    reasons = [name for name in ("reason", "flags") if name in table]
    called = {name: name.replace("_pct", " %").replace("_", " ") for name in technical}
    shown = (
        table[["sample", "status", *own, *reasons, *technical]].replace("", None).dropna(axis=1, how="all")
    )
    return shown.rename(columns=called), [called[name] for name in technical if name not in gate.NUMBERS[:4]]
