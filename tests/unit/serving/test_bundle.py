"""The bundle serves new samples anywhere, says what it did, and refuses what it cannot vouch for."""

import json
import pickle

import numpy as np
import pytest

from rna2model import models
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.serving import bundle, manifest, out_of_distribution

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
    normalizer = methods.make("tmm", GENES).fit(counts, groups=LABELS)
    normalizer.save(tmp_path / "n")
    expression = normalizer.transform(counts)
    correction = registry.make("combat").fit(expression, BATCHES)
    correction.save(tmp_path / "b")
    model = models.make("logistic_l2", inner_folds=3)
    model.fit(correction.transform(expression, BATCHES), LABELS, log=lambda *_: None).save(tmp_path / "m")
    out_of_distribution.OutOfDistribution().fit(correction.transform(expression, BATCHES)).save(
        tmp_path / "o"
    )
    facts = {"model": "logistic_l2", "batch_correction": "combat", "classes": {"case": 12, "control": 12}}
    facts |= {"counts_unit": "counts", "counting": None, "strandedness": {"reverse": 24}}
    facts["training"] = manifest.remember(NAMES, [f"d{i // 2}" for i in range(24)], counts, "salt")
    bundle.assemble(
        tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", facts, ood=tmp_path / "o"
    )
    return tmp_path / "bundle"


def test_a_sample_is_predicted_the_same_alone_and_in_company(folder, counts):
    serve = bundle.Bundle(folder)
    together = serve.predict(NAMES, counts, GENES, BATCHES)
    assert (together["predicted"] == LABELS).mean() > 0.9 and set(together["flags"]) == {""}
    assert set(together["batch_policy"]) == {"corrected"} and (together["ood_score"] <= 1).all()
    for row in (0, 13, 23):
        alone = serve.predict([NAMES[row]], counts[[row]], GENES, BATCHES[[row]])
        assert alone.iloc[0].tolist() == together.iloc[row].tolist()


def test_a_batch_never_seen_is_flagged_or_refused(folder, counts):
    serve = bundle.Bundle(folder)
    table = serve.predict(NAMES[:2], counts[:2], GENES, ["x", "elsewhere"])
    assert table["flags"][0] == ""
    assert "batch 'elsewhere' was not in training: not batch-corrected" in table["flags"][1]
    assert list(table["batch_policy"]) == ["corrected", "uncorrected"]
    with pytest.raises(InputProblem, match="'elsewhere' was not in training"):
        serve.predict(NAMES[:2], counts[:2], GENES, ["x", "elsewhere"], unseen="refuse")


def test_a_new_batch_is_adapted_when_it_is_whole_and_an_odd_mixture_in_it_is_flagged(folder, counts):
    serve = bundle.Bundle(folder)
    shifted = counts[:12] * np.random.default_rng(2).lognormal(0, 0.4, 80)
    table = serve.predict(NAMES[:12], shifted, GENES, ["run9"] * 12, unseen="adapt")
    assert table["flags"].str.contains("batch 'run9' was not in training: adapted by its own samples").all()
    assert set(table["batch_policy"]) == {"adapted"}
    assert (table["predicted"] == LABELS[:12]).mean() > 0.9
    few = serve.predict(NAMES[:3], shifted[:3], GENES, ["run9"] * 3, unseen="adapt")
    assert few["flags"].str.contains("batch 'run9' was not in training: not batch-corrected").all()
    odd = np.vstack([shifted[::2], shifted[::2][:3]])  # cases only
    predicted = serve.predict(NAMES[:9], odd, GENES, ["run9"] * 9, unseen="adapt")
    share = (predicted["predicted"] == "case").mean()
    assert predicted["flags"].str.contains("far from those of training").all() == (abs(share - 0.5) > 0.3)


def test_a_bundle_that_chose_to_adapt_does_so_and_says_what_too_few_samples_are_worth(folder, counts):
    """What `batch_correction: auto` stored with the batch model is what `unseen_batch: auto` does; a user's own rule wins."""
    serve = bundle.Bundle(folder)
    before = serve.predict(NAMES[:4], counts[:4] * 2, GENES, ["run9"] * 4, unseen="auto")
    assert set(before["batch_policy"]) == {"uncorrected"}  # a bundle without a choice
    model = serve.preprocessing.batch_model
    model.unseen_, model.adapt_samples = "adapt", 4
    model.choice_ = {"metric": "balanced accuracy", "alone": {"score": 0.74}}
    table = serve.predict(NAMES[:5], counts[:5], GENES, ["run9"] * 4 + ["run8"], unseen="auto")
    assert list(table["batch_policy"]) == ["adapted"] * 4 + ["uncorrected"]
    assert "'run9' was not in training: adapted by its own samples" in table["flags"][0]
    few = "'run8' was not in training: not batch-corrected, since fewer than 4 samples of it are not adapted"
    assert f"{few} (balanced accuracy of such samples in training: 0.74)" in table["flags"][4]
    own = serve.predict(NAMES[:4], counts[:4], GENES, ["run9"] * 4, unseen="uncorrected")
    assert set(own["batch_policy"]) == {"uncorrected"}


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


def rewritten(folder, **changes):
    """The manifest with `changes`, its checksum made anew as a forger would; files are listed as they are."""
    facts = json.loads((folder / "manifest.json").read_text())
    listed = changes.pop("files", None)
    facts = {key: value for key, value in (facts | changes).items() if key != "manifest_sha256"}
    made = manifest.write(folder, facts)
    if listed is not None:
        made["files"] = listed
        made["manifest_sha256"] = manifest.own_sha256(made)
        (folder / "manifest.json").write_text(json.dumps(made))


def test_a_manifest_of_another_format_or_that_is_none_is_refused(folder):
    text = (folder / "manifest.json").read_text()
    for changed, message in (
        (json.dumps(json.loads(text) | {"format": 99}), "bundle format 99"),
        ("{", "is not a bundle"),
        ("[]", "holds no mapping"),
        (text.replace('"combat"', '"none"'), "was changed after the bundle was made"),
    ):
        (folder / "manifest.json").write_text(changed)
        with pytest.raises(InputProblem, match=message):
            bundle.Bundle(folder)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "model/../../secret"])
def test_a_manifest_that_points_outside_is_refused(folder, name):
    (folder.parent / "secret").write_text("x")
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    rewritten(folder, files=listed | {name: "0"})
    with pytest.raises(InputProblem, match="lies outside of the bundle"):
        bundle.Bundle(folder)


def test_a_link_that_points_outside_is_refused(folder):
    path = folder / "model/weights.safetensors"
    path.rename(folder.parent / "elsewhere")
    path.symlink_to(folder.parent / "elsewhere")
    with pytest.raises(InputProblem, match="lies outside of the bundle"):
        bundle.Bundle(folder)


@pytest.mark.parametrize("listed", [{}, [], None, {"model/model.json": "0"}])
def test_a_manifest_that_does_not_list_the_artefacts_is_refused(folder, listed):
    facts = json.loads((folder / "manifest.json").read_text()) | {"files": listed}
    facts["manifest_sha256"] = manifest.own_sha256(facts)
    (folder / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(InputProblem, match="does not list"):
        bundle.Bundle(folder)


def test_a_file_that_the_manifest_does_not_know_is_refused_beside_the_model(folder):
    (folder / "notes.txt").write_text("a user's own")
    bundle.Bundle(folder)
    (folder / "model/model.skops").write_bytes(b"x")
    with pytest.raises(InputProblem, match=r"model/model.skops is not in the bundle's manifest"):
        bundle.Bundle(folder)


class Canary:
    def __reduce__(self):
        return open, ("/tmp/rna2model_canary_of_test_bundle", "w")


@pytest.mark.parametrize(
    "name", ["model/weights.safetensors", "normalizer.safetensors", "ood.safetensors", "model/model.json"]
)
@pytest.mark.parametrize("content", ["pickle", "truncated", "empty"])
def test_weights_that_are_pickles_or_cut_off_are_refused_and_never_run(folder, name, content):
    """With checksums made anew, so that what reads the file is what has to refuse it."""
    path = folder / name
    whole = path.read_bytes()
    path.write_bytes(
        {"pickle": pickle.dumps(Canary()), "truncated": whole[: len(whole) // 2], "empty": b""}[content]
    )
    rewritten(folder)
    with pytest.raises(InputProblem):
        bundle.Bundle(folder)
    from pathlib import Path

    assert not Path("/tmp/rna2model_canary_of_test_bundle").exists()


def test_a_pickle_in_place_of_a_forest_is_refused_and_never_run(folder, counts, tmp_path):
    forest = models.make("random_forest", inner_folds=2, search={"min_samples_leaf": [1]})
    forest.fit(counts, LABELS, log=lambda *_: None).save(tmp_path / "forest")
    bundle.assemble(folder, tmp_path / "n", tmp_path / "b", tmp_path / "forest", {"classes": {}})
    (path,) = (folder / "model").glob("*.skops")
    path.write_bytes(pickle.dumps(Canary()))
    rewritten(folder)
    with pytest.raises(InputProblem, match="is not a readable model"):
        bundle.Bundle(folder)


@pytest.mark.parametrize("change", [{"name": "os.system"}, {"classes": 3}, {"columns": "x"}, {"task": None}])
def test_a_model_description_that_makes_no_sense_is_refused(folder, change):
    path = folder / "model/model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    rewritten(folder)
    with pytest.raises(InputProblem):
        bundle.Bundle(folder).predict(NAMES[:1], np.ones((1, 80)), GENES, ["x"])


# What is said of samples that are not as those of training


def test_a_sample_like_none_of_training_is_flagged(folder, counts):
    shuffled = np.random.default_rng(0).permuted(counts[:3], axis=1)
    table = bundle.Bundle(folder).predict(NAMES[:3], shuffled, GENES, BATCHES[:3])
    assert (table["ood_score"] > 1).all() and table["flags"].str.contains("unlike the training samples").all()


def counted(**changes):
    sequences = {"fasta": "g.fa", "fasta_sha256": "1", "contigs": 1, "genome_bases": 9, "contig_lengths": {}}
    exons = {"gtf": "a.gtf", "gtf_sha256": "2", "genes": 3, "transcripts": 4, "gene_ids_sha256": "5"}
    facts = {"unit": "counts", "counting": {"quantification": {"tool": "star"}}, "rrna_sha256": None}
    return facts | {"reference": sequences | exons} | changes


def test_samples_that_were_counted_otherwise_are_refused_with_what_differs(folder):
    rewritten(folder, **{key: value for key, value in counted().items() if key != "unit"})
    serve = bundle.Bundle(folder)
    assert serve.check_counting(counted()) == ""
    assert "counted elsewhere" in serve.check_counting(counted(counting=None, reference=None))
    with pytest.raises(InputProblem, match=r"(?s)bundle says 'star', these samples 'htseq'.*Count them as"):
        serve.check_counting(counted(counting={"quantification": {"tool": "htseq"}}))
    with pytest.raises(InputProblem, match=r"annotation: the bundle was made with a\.gtf"):
        serve.check_counting(counted(reference=counted()["reference"] | {"gtf_sha256": "x"}))
    with pytest.raises(InputProblem, match="trained on counts, these samples are given as tpm"):
        serve.check_counting(counted(unit="tpm"))


def test_a_bundle_knows_who_trained_it_without_names(folder, counts):
    text = (folder / "manifest.json").read_text()
    assert '"s13"' not in text and '"d6"' not in text
    serve = bundle.Bundle(folder)
    seen = serve.seen(["s13", "new", "copy", "other"], counts[[0, 1, 5, 5]] + [[9], [9], [0], [9]], GENES)
    assert seen == {
        "s13": "a sample of this name was in training",
        "copy": "a sample with the same counts was in training",
    }
    seen = serve.seen(["new", "other"], counts[:2] + 1, GENES, groups=["d6", "d99"])
    assert seen == {"new": "other samples of 'd6' were in training"}


def test_versions_of_ensembl_ids_do_not_matter(counts, tmp_path):
    genes = [f"ENSG{i:011}.{i % 7}" for i in range(80)]
    methods.make("tmm", genes).fit(counts, groups=LABELS).save(tmp_path / "n")
    expression = methods.load(tmp_path / "n").transform(counts)
    registry.make("none").fit(expression, BATCHES).save(tmp_path / "b")
    models.make("dummy").fit(expression, LABELS, log=lambda *_: None).save(tmp_path / "m")
    bundle.assemble(tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", {"classes": {}})
    serve = bundle.Bundle(tmp_path / "bundle")
    plain, missing = serve.expression(counts, [gene.partition(".")[0] for gene in genes], BATCHES)
    assert missing == [] and np.array_equal(plain, serve.expression(counts, genes, BATCHES)[0])
