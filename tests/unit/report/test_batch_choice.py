"""What the report says of a choice about batches."""

import numpy as np
import pandas as pd

from rna2model.report import batch_choice as section
from rna2model.training import batch_choice


def shifted(seed=1, batches=8, size=8):
    """Batches of one size, half of each cases, that differ much."""
    rng = np.random.default_rng(seed)
    places = np.repeat(range(batches), size)
    labels = np.tile(["case", "control"], batches * size // 2)
    X = rng.normal(8, 1, (batches * size, 300)) + rng.normal(0, 3, (batches, 300))[places]
    X[:, :30] += 1.2 * (labels == "case")[:, None]
    return X, places.astype(str), labels


def test_every_candidate_the_choice_per_split_and_a_single_sample_are_told():
    X, batches, labels = shifted()
    chosen = batch_choice.compare(X, batches, labels)
    split = batch_choice.table(chosen).astype(str)
    table = pd.concat([split.assign(split=name) for name in ("r1f1", "full")])
    shown = section.gather({"batch_choice": chosen}, table)
    assert "Each of 8 batches was predicted from the others" in shown["sentences"][0]
    assert f"adapted from {chosen['adapt_samples']} samples on" in shown["sentences"][0]
    assert f"balanced accuracy {chosen['alone']['score']:.3f}" in shown["sentences"][1]
    assert set(shown["candidates"]["correction"]) == {"none", "rank", "center", "combat"}
    assert sorted(shown["candidates"]["splits that chose it"])[-1] == "2 of 2"
    assert len(shown["candidates"]) == len(chosen["candidates"])


def test_where_nothing_could_be_compared_that_is_said_and_without_auto_nothing():
    X, _, labels = shifted()
    chosen = batch_choice.compare(X, np.repeat("only", len(X)), labels)
    assert section.sentences(chosen) == [
        "Batches were not corrected: no batch could be held out: nothing to choose by."
    ]
    assert section.gather({"batch_choice": None}, None) is None and section.gather(None, None) is None
