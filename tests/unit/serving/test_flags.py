"""Flags of new samples: what training did not have."""

import numpy as np

from rna2model import __version__
from rna2model.serving import flags


def test_strandedness_that_training_did_not_have_is_a_flag():
    manifest = {"strandedness": {"reverse": 24}}
    assert flags.of_strandedness(manifest, ["reverse", ""]) == ["", ""]
    assert flags.of_strandedness(manifest, ["forward"]) == [
        "forward library; training had reverse (24 samples)"
    ]
    assert flags.of_strandedness({}, ["forward"]) == [""]


def test_of_the_versions_only_those_that_change_predictions_are_flags(monkeypatch):
    manifest = {
        "rna2model": __version__,
        "libraries": {"numpy": "1.0.0", "scikit-learn": "1.5.2"},
        "files": {},
    }
    assert flags.of_versions(manifest) == []
    monkeypatch.setattr(flags, "version", lambda name: "99.1.0")
    assert flags.of_versions(manifest) == []  # no trees
    manifest["files"] = {"model/model.skops": "0"}
    (flag,) = flags.of_versions(manifest)
    assert flag == "the bundle was made with scikit-learn 1.5.2, predicted with 99.1.0"


def test_a_prediction_of_a_tiny_library_says_so():
    manifest = {"counts_unit": "counts", "library_size": 2e7}
    counts = np.zeros((3, 1000))
    counts[0], counts[1, 0], counts[2] = 20_000, 15, 100
    sound, tiny, poor = flags.of_library_sizes(manifest, counts, 1000)
    assert sound == "" and "15 counts in all: less than 1 % of what training samples have" in tiny
    assert "100000 counts in all: less than 1 %" in poor
    older = {}  # a manifest of before these keys
    chance = "15 counts in all, for 1000 genes: what a gene has is chance"
    assert flags.of_library_sizes(older, counts, 1000) == ["", chance, ""]
