"""Print what each model scored under each kind of folds, side by side."""

import argparse
from pathlib import Path

import pandas as pd
from prepare import FOLDS

METRIC = "balanced_accuracy"


def summary(folder):
    """DataFrame model x kind of folds, text: balanced accuracy with its 95 % interval, from finished runs in `folder`."""
    parts = {}
    for name in FOLDS:
        scores = pd.read_csv(folder / name / "models" / "comparison.tsv", sep="\t")
        scores = scores[scores["metric"] == METRIC].set_index("model")
        parts[name] = scores.apply(
            lambda row: f"{row.estimate:.2f} ({row.lower:.2f} to {row.upper:.2f})", axis=1
        )
    return pd.DataFrame(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, type=Path, help="folder that prepare.py wrote to")
    folder = parser.parse_args().folder
    print(
        f"balanced accuracy of the same models on the same samples, by who stays together in a fold:\n\n{summary(folder)}\n"
    )
    print("docs/example.md says which of them to believe; the reports are", end=" ")
    print(", ".join(str(folder / name / "report.html") for name in FOLDS))


if __name__ == "__main__":
    main()
