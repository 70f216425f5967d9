"""Studies without any biology, in which a careless analysis finds some: what ours says of each, in numbers."""

import numpy as np

from rna2model import models
from rna2model.cohort import cohort, splits
from rna2model.evaluation import ranking
from rna2model.inputs import config, sheet
from rna2model.inputs import design_checks as designs
from rna2model.training import batch_choice, split_data

DESIGN = {"task": "classification", "target": "label", "batch": "run", "group": "donor", "covariates": []}


def donors_in_two_batches(seed=1, donors=40, genes=200):
    """Cohort of donors with a sample in each of two batches: profiles of their own, labels without any meaning."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 1, (donors, genes))
    label_of = rng.permutation(np.repeat(["case", "control"], donors // 2))
    values = np.vstack([own, own]) + rng.normal(0, 0.3, (2 * donors, genes))
    names = [f"d{donor}_{run}" for run in "xy" for donor in range(donors)]
    obs = {"label": [*label_of, *label_of], "run": ["x"] * donors + ["y"] * donors}
    obs["donor"] = [f"d{donor}" for donor in range(donors)] * 2
    return cohort.Cohort(values, names, [f"g{i}" for i in range(genes)], None, obs)


def auroc_of_batches(data, design):
    """AUROC of each batch predicted by a model of the other, and the SplitData of both."""
    manifest = splits.make(data.samples, data.obs["label"], data.obs["donor"], folds=5).astype(str)
    aurocs, parts = [], []
    for name in ("batch.x", "batch.y"):
        split = split_data.of(data, manifest, name, design)
        if len(split.train):
            model = models.make("logistic_l2", inner_folds=3)
            model.fit(split.counts(split.train), split.labels(split.train), log=lambda *_: None)
            truth = (split.labels(split.test) == "control").astype(int)
            alone = np.ones((1, len(truth)))
            scores = model.predict_proba(split.counts(split.test))
            aurocs.append(ranking.fold_means("auroc", scores, truth, np.zeros(len(truth)), alone)[0][0])
        parts.append(split)
    return aurocs, parts


def test_a_donor_in_two_batches_is_never_on_both_sides_of_a_batch_split():
    """40 donors in both of two batches: AUROC .99 of noise if groups were not looked at; with them nobody is left to train."""
    data = donors_in_two_batches()
    careless, _ = auroc_of_batches(data, DESIGN | {"group": None})
    assert min(careless) > 0.95
    aurocs, parts = auroc_of_batches(data, DESIGN)
    assert aurocs == [] and all(part.train == [] for part in parts)


def test_donors_of_one_batch_only_still_train_and_noise_scores_as_chance_does():
    """20 donors in batch x only, 20 in y only, 40 in both: the 40 train in neither split, AUROC is about .5."""
    data = donors_in_two_batches(donors=80)
    once = {f"d{donor}" for donor in range(40)}
    keep = [
        row
        for row, (donor, run) in enumerate(zip(data.obs["donor"], data.obs["run"], strict=True))
        if donor not in once or (int(donor[1:]) < 20) == (run == "x")
    ]
    data = cohort.Cohort(
        data.counts[keep],
        [data.samples[row] for row in keep],
        data.genes,
        None,
        {name: [cells[row] for row in keep] for name, cells in data.obs.items()},
    )
    aurocs, parts = auroc_of_batches(data, DESIGN)
    assert len(aurocs) == 2 and 0.3 < np.mean(aurocs) < 0.7
    manifest = splits.make(data.samples, data.obs["label"], data.obs["donor"], folds=5).astype(str)
    sizes = split_data.held_out_batches(data, manifest, ["batch.x", "batch.y"], DESIGN)
    for part, split in zip(parts, ("batch.x", "batch.y"), strict=True):
        assert not set(part.groups(part.train)) & set(part.groups(part.test))
        assert sizes[split] == {"tested": 60, "trained": 20, "left_out": 40, "shared": 0}


def test_auto_does_not_take_a_donor_seen_again_for_a_batch_that_can_be_predicted():
    """Profiles of donors in both batches and labels without meaning: no candidate is worth anything."""
    data = donors_in_two_batches()
    batches, labels, groups = (np.array(data.obs[name]) for name in ("run", "label", "donor"))
    careless = batch_choice.choose(data.counts, batches, labels)[1]
    assert min(careless.values()) > 0.9
    method, scores = batch_choice.choose(data.counts, batches, labels, groups=groups)
    assert method == "none" and set(scores.values()) == {None}


def sheet_of(rows, **evaluation):
    """Problems of a sheet with rows (label, run, donor)."""
    settings = {
        "counts": "m.tsv",
        "samples": "s.tsv",
        "evaluation": {"leave_one_batch_out": True, "folds": 2},
    }
    settings["design"] = {"target": "label", "batch": "run", "group": "donor"}
    samples = {}
    for number, cells in enumerate(rows):
        metadata = dict(zip(("label", "run", "donor"), cells, strict=True))
        samples[f"s{number}"] = sheet.Sample(f"s{number}", number + 2, "auto", "", metadata)
    return designs.check_columns("s.tsv", samples, config.complete(settings)[0])


def test_a_batch_whose_donors_leave_a_class_empty_elsewhere_is_refused_before_any_job():
    apart = [(label, run, f"{label}{run}{i}") for label in "ab" for run in "xy" for i in range(3)]
    assert sheet_of(apart) == []
    everywhere = [(label, run, f"{label}{i}") for label in "ab" for run in "xy" for i in range(3)]
    problems = sheet_of(everywhere)
    assert len(problems) == 2
    assert (
        "without batch 'x' and the donor that it shares with others no labelled sample is left" in problems[0]
    )
    three = apart + [("c", run, f"c{i}") for run in "xy" for i in range(3)]
    problems = sheet_of(three)
    assert len(problems) == 2 and "no sample is 'c'; leave_one_batch_out would predict a class" in problems[0]
