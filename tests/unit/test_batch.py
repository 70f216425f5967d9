"""ComBat with a frozen apply, and the designs in which correction must not happen."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model import batch
from rna2model.errors import InputProblem


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    batches = np.repeat(["x", "y", "z"], 10)
    values = rng.normal(8, 1, (30, 200)) + rng.normal(0, 1, (3, 200))[np.repeat([0, 1, 2], 10)]
    values[:, 0] = 5.0
    return values, batches


def test_batches_end_with_the_same_mean_and_constant_genes_unchanged(data):
    values, batches = data
    corrected = batch.make("combat").fit(values, batches).transform(values, batches)
    before, after = (
        np.ptp([v[batches == b].mean(axis=0) for b in "xyz"], axis=0).mean() for v in (values, corrected)
    )
    assert after < 0.15 * before
    assert_array_equal(corrected[:, 0], values[:, 0])


def test_a_sample_is_corrected_the_same_alone_in_company_and_after_reload(data, tmp_path):
    values, batches = data
    model = batch.make("combat").fit(values[:25], batches[:25])
    together = model.transform(values, batches)
    assert_array_equal(np.vstack([model.transform(values[[i]], batches[[i]]) for i in range(30)]), together)
    model.save(tmp_path / "m.safetensors")
    assert_array_equal(batch.load(tmp_path / "m.safetensors").transform(values, batches), together)


def test_a_batch_never_seen_is_left_alone_or_refused_never_silent(data):
    values, batches = data
    model = batch.make("combat").fit(values, batches)
    new = np.array(["x", "new"])
    assert list(model.is_known(new)) == [True, False]
    assert_array_equal(model.transform(values[:2], new)[1], values[1])
    with pytest.raises(InputProblem, match="batch 'new' was not in training"):
        model.transform(values[:2], new, unseen="refuse")


def test_a_batch_of_one_sample_corrects_means_only(data):
    values, batches = data
    model = batch.make("combat").fit(values[:21], batches[:21])
    assert (model.scale_ == 1).all() and np.isfinite(model.transform(values, batches)).all()


def test_one_batch_changes_nothing(data):
    values, _ = data
    same = np.repeat("x", 30)
    assert_array_equal(batch.make("combat").fit(values, same).transform(values, same), values)


def test_without_correction_values_pass_unchanged(data, tmp_path):
    values, batches = data
    model = batch.make("none").fit(values, batches)
    model.save(tmp_path / "m.safetensors")
    assert_array_equal(
        batch.load(tmp_path / "m.safetensors").transform(values, batches, unseen="refuse"), values
    )


def test_when_batch_and_target_coincide_correction_is_refused():
    with pytest.raises(InputProblem, match="batch and target coincide"):
        batch.check_confounding(["a", "a", "b", "b"], ["x", "x", "y", "y"])
    batch.check_confounding(["a", "a", "b", "b"], ["x", "y", "y", "y"])
    assert batch.confounding(["a", "a", "b", "b"], ["x", "x", "y", "y"])["cramers_v"] == pytest.approx(1)
    assert batch.confounding(["a", "a", "b", "b"], ["x", "y", "x", "y"])["cramers_v"] == pytest.approx(0)
