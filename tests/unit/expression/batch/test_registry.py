"""Batch models with a frozen apply, and the designs in which correction must not happen."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    batches = np.repeat(["x", "y", "z"], 10)
    values = rng.normal(8, 1, (30, 200)) + rng.normal(0, 1, (3, 200))[np.repeat([0, 1, 2], 10)]
    values[:, 0] = 5.0
    return values, batches


VARIANTS = {
    "combat": {},
    "combat of means": {"mean_only": True},
    "combat to a reference": {"reference": "y"},
    "limma": {},
    "center": {},
}


def variant(name):
    return registry.make(name.split()[0], **VARIANTS[name])


@pytest.mark.parametrize("name", VARIANTS)
def test_every_method_brings_batches_together_and_each_sample_by_itself(name, data, tmp_path):
    values, batches = data
    model = variant(name).fit(values[:25], batches[:25])
    together = model.transform(values, batches)
    assert_array_equal(np.vstack([model.transform(values[[i]], batches[[i]]) for i in range(30)]), together)
    assert_array_equal(model.transform(values[::-1], batches[::-1])[::-1], together)
    model.save(tmp_path / "m.safetensors")
    assert_array_equal(registry.load(tmp_path / "m.safetensors").transform(values, batches), together)
    before, after = (
        np.ptp([v[:25][batches[:25] == b].mean(axis=0) for b in "xyz"], axis=0).mean()
        for v in (values, together)
    )
    assert (
        after < (0.6 if "means" in name else 0.2) * before
    )  # sva shrinks means more when it leaves variances
    one = variant(name).fit(values, np.repeat("y", 30)).transform(values, np.repeat("y", 30))
    assert one == pytest.approx(values, abs=1e-12)


@pytest.mark.parametrize("method", ["combat", "limma"])
def test_protected_labels_survive_an_unbalanced_design_and_are_not_needed_later(method):
    """Batch y has mostly cases. Unprotected, half of what the cases have more goes with the batch."""
    rng = np.random.default_rng(5)
    labels = np.array(["case"] * 4 + ["control"] * 16 + ["case"] * 16 + ["control"] * 4)
    batches = np.repeat(["x", "y"], 20)
    values = rng.normal(8, 0.5, (40, 300)) + np.where(batches == "y", 1.0, 0.0)[:, None]
    values[:, :50] += np.where(labels == "case", 3.0, 0.0)[:, None]
    kept = {}
    for protect in (None, labels):
        corrected = registry.make(method).fit(values, batches, protect=protect).transform(values, batches)
        difference = corrected[labels == "case"].mean(axis=0) - corrected[labels == "control"].mean(axis=0)
        kept["with" if protect is not None else "without"] = difference[:50].mean()
    assert kept["with"] > 2.7 and kept["without"] < 0.8 * kept["with"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_new_batch_that_comes_as_a_whole_is_adapted_without_labels(name, data):
    values, batches = data
    model = variant(name).fit(values[:20], batches[:20])
    adapted = model.transform(values, batches, unseen="adapt")
    assert list(model.adapts(batches)) == [False] * 20 + [True] * 10
    assert_array_equal(adapted[:20], model.transform(values, batches)[:20])
    target = values[batches == "y"] if "reference" in name else adapted[:20]
    before, after = (
        np.abs(rows[20:].mean(axis=0) - target.mean(axis=0)).mean() for rows in (values, adapted)
    )
    assert after < (0.7 if "means" in name else 0.35) * before
    few = model.transform(values[:25], batches[:25], unseen="adapt")
    assert_array_equal(few[20:], values[20:25])


def test_labels_that_cannot_be_told_from_batches_cannot_be_protected(data):
    values, batches = data
    with pytest.raises(InputProblem, match="cannot be told apart"):
        registry.make("limma").fit(values, batches, protect=np.where(batches == "x", "a", "b"))
    with pytest.raises(InputProblem, match="reference batch 'w' is not among the training batches"):
        registry.make("combat", reference="w").fit(values, batches)


def test_a_reference_batch_stays_as_it_is(data):
    values, batches = data
    corrected = registry.make("combat", reference="y").fit(values, batches).transform(values, batches)
    assert_array_equal(corrected[batches == "y"], values[batches == "y"])


def test_batches_end_with_the_same_mean_and_constant_genes_unchanged(data):
    values, batches = data
    corrected = registry.make("combat").fit(values, batches).transform(values, batches)
    before, after = (
        np.ptp([v[batches == b].mean(axis=0) for b in "xyz"], axis=0).mean() for v in (values, corrected)
    )
    assert after < 0.15 * before
    assert_array_equal(corrected[:, 0], values[:, 0])


def test_a_sample_is_corrected_the_same_alone_in_company_and_after_reload(data, tmp_path):
    values, batches = data
    model = registry.make("combat").fit(values[:25], batches[:25])
    together = model.transform(values, batches)
    assert_array_equal(np.vstack([model.transform(values[[i]], batches[[i]]) for i in range(30)]), together)
    model.save(tmp_path / "m.safetensors")
    assert_array_equal(registry.load(tmp_path / "m.safetensors").transform(values, batches), together)


def test_a_batch_never_seen_is_left_alone_or_refused_never_silent(data):
    values, batches = data
    model = registry.make("combat").fit(values, batches)
    new = np.array(["x", "new"])
    assert list(model.is_known(new)) == [True, False]
    assert_array_equal(model.transform(values[:2], new)[1], values[1])
    with pytest.raises(InputProblem, match="batch 'new' was not in training"):
        model.transform(values[:2], new, unseen="refuse")


def test_a_batch_of_one_sample_corrects_means_only(data):
    values, batches = data
    model = registry.make("combat").fit(values[:21], batches[:21])
    assert (model.scale_ == 1).all() and np.isfinite(model.transform(values, batches)).all()


def test_one_batch_changes_nothing(data):
    values, _ = data
    same = np.repeat("x", 30)
    model = registry.make("combat").fit(values, same)
    assert_array_equal(model.transform(values, same), values)
    assert not model.corrects_


def test_a_gene_constant_within_one_batch_only_is_passed_through(data):
    """As sva::ComBat 3.46.0 does ("uniform expression within a single batch")."""
    values, batches = data
    values = values.copy()
    values[batches == "y", 1] = 3.3
    corrected = registry.make("combat").fit(values, batches).transform(values, batches)
    assert_array_equal(corrected[:, 1], values[:, 1])
    assert np.isfinite(corrected).all()


def test_other_rows_of_a_batch_change_nothing_once_fitted(data):
    values, batches = data
    model = registry.make("combat").fit(values[:25], batches[:25])
    changed = values.copy()
    changed[26:] += 100
    assert_array_equal(
        model.transform(changed, batches)[:26], model.transform(values[::-1], batches[::-1])[::-1][:26]
    )


def test_what_would_become_nan_is_refused(data):
    values, batches = data
    broken = values.copy()
    broken[1, 3] = np.nan
    with pytest.raises(InputProblem, match="row 2, gene g3: nan"):
        registry.make("combat").fit(broken, batches, gene_ids=[f"g{i}" for i in range(200)])
    with pytest.raises(InputProblem, match="row 2, gene 4: nan"):
        registry.make("combat").fit(values, batches).transform(broken, batches)
    with pytest.raises(InputProblem, match="learns across genes"):
        registry.make("combat").fit(values[:, 5:6], batches)
    with pytest.raises(InputProblem, match="vary equally"):
        registry.make("combat").fit(np.repeat(values[:, 5:6], 20, axis=1), batches)
    with pytest.raises(InputProblem, match="30 samples have 5 batch names"):
        registry.make("combat").fit(values, batches[:5])


def test_misspelt_choices_are_refused(data):
    with pytest.raises(InputProblem, match="'combatt' is not one of none, combat"):
        registry.make("combatt")
    with pytest.raises(InputProblem, match="uncorrected, refuse, adapt, not 'refused'"):
        registry.make("combat").fit(*data).transform(*data, unseen="refused")


def test_without_correction_values_pass_unchanged(data, tmp_path):
    values, batches = data
    model = registry.make("none").fit(values, batches)
    model.save(tmp_path / "m.safetensors")
    assert_array_equal(
        registry.load(tmp_path / "m.safetensors").transform(values, batches, unseen="refuse"), values
    )


def test_when_batch_and_target_coincide_correction_is_refused():
    with pytest.raises(InputProblem, match="batch and target coincide"):
        registry.check_confounding(["a", "a", "b", "b"], ["x", "x", "y", "y"])
    registry.check_confounding(["a", "a", "b", "b"], ["x", "y", "y", "y"])
    assert registry.confounding(["a", "a", "b", "b"], ["x", "x", "y", "y"])["cramers_v"] == pytest.approx(1)
    assert registry.confounding(["a", "a", "b", "b"], ["x", "y", "x", "y"])["cramers_v"] == pytest.approx(0)
