"""The bundle serves new samples anywhere, says what it did, and refuses what it cannot vouch for."""

import json

import numpy as np
import pytest

from rna2model import batch, bundle, models, normalization
from rna2model.errors import InputProblem

GENES = [f"g{i}" for i in range(80)]
NAMES = [f"s{i}" for i in range(24)]
LABELS = np.tile(["case", "control"], 12)
BATCHES = np.repeat(["x", "y"], 12)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(5)
    means = rng.lognormal(5, 1, 80) * np.where(
        LABELS[:, None] == "case", np.r_[np.full(8, 4.0), np.ones(72)], 1
    )
    return rng.poisson(means * np.where(BATCHES[:, None] == "x", 1, rng.lognormal(0, 0.3, 80))).astype(float)


@pytest.fixture
def folder(counts, tmp_path):
    """A bundle fitted on all 24 samples."""
    normalizer = normalization.make("tmm", GENES).fit(counts, groups=LABELS)
    normalizer.save(tmp_path / "n")
    expression = normalizer.transform(counts)
    correction = batch.make("combat").fit(expression, BATCHES)
    correction.save(tmp_path / "b")
    model = models.make("logistic_l2", inner_folds=3)
    model.fit(correction.transform(expression, BATCHES), LABELS, log=lambda *_: None).save(tmp_path / "m")
    facts = {"model": "logistic_l2", "batch_correction": "combat", "classes": {"case": 12, "control": 12}}
    bundle.assemble(tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", facts)
    return tmp_path / "bundle"


def test_a_sample_is_predicted_the_same_alone_and_in_company(folder, counts):
    serve = bundle.Bundle(folder)
    together = serve.predict(NAMES, counts, GENES, BATCHES)
    assert (together["predicted"] == LABELS).mean() > 0.9 and set(together["flags"]) == {""}
    for row in (0, 13, 23):
        alone = serve.predict([NAMES[row]], counts[[row]], GENES, BATCHES[[row]])
        assert alone.iloc[0].tolist() == together.iloc[row].tolist()


def test_a_batch_never_seen_is_flagged_or_refused(folder, counts):
    serve = bundle.Bundle(folder)
    table = serve.predict(NAMES[:2], counts[:2], GENES, ["x", "elsewhere"])
    assert list(table["flags"]) == ["", "batch 'elsewhere' was not in training: not batch-corrected"]
    with pytest.raises(InputProblem, match="'elsewhere' was not in training"):
        serve.predict(NAMES[:2], counts[:2], GENES, ["x", "elsewhere"], unseen="refuse")


def test_a_new_batch_is_adapted_when_it_is_whole_and_an_odd_mixture_in_it_is_flagged(folder, counts):
    serve = bundle.Bundle(folder)
    shifted = counts[:12] * np.random.default_rng(2).lognormal(0, 0.4, 80)
    table = serve.predict(NAMES[:12], shifted, GENES, ["run9"] * 12, unseen="adapt")
    assert set(table["flags"]) == {"batch 'run9' was not in training: adapted by its own samples"}
    assert (table["predicted"] == LABELS[:12]).mean() > 0.9
    few = serve.predict(NAMES[:3], shifted[:3], GENES, ["run9"] * 3, unseen="adapt")
    assert set(few["flags"]) == {"batch 'run9' was not in training: not batch-corrected"}
    odd = np.vstack([shifted[::2], shifted[::2][:3]])  # cases only
    predicted = serve.predict(NAMES[:9], odd, GENES, ["run9"] * 9, unseen="adapt")
    share = (predicted["predicted"] == "case").mean()
    assert predicted["flags"].str.contains("far from those of training").all() == (abs(share - 0.5) > 0.3)


def test_missing_genes_are_reported_and_too_many_refused(folder, counts):
    serve = bundle.Bundle(folder)
    table = serve.predict(NAMES[:2], counts[:2, 4:], GENES[4:], BATCHES[:2])
    assert all("5.0 % of the model's genes missing" in flag for flag in table["flags"])
    with pytest.raises(InputProblem, match="counted with another annotation"):
        serve.predict(NAMES[:2], counts[:2, 40:], GENES[40:], BATCHES[:2])


@pytest.mark.parametrize("name", ["normalizer.safetensors", "model/weights.safetensors", "model/model.json"])
def test_a_changed_or_missing_file_is_refused(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputProblem, match="differs from the bundle's manifest"):
        bundle.Bundle(folder)
    path.unlink()
    with pytest.raises(InputProblem, match="is missing"):
        bundle.Bundle(folder)


def test_a_manifest_that_points_outside_or_is_of_another_format_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files": {"../../etc/passwd": "0"}}))
    with pytest.raises(InputProblem):
        bundle.Bundle(folder)
    (folder / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(InputProblem, match="bundle format 99"):
        bundle.Bundle(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(InputProblem, match="is not a bundle"):
        bundle.Bundle(folder)
