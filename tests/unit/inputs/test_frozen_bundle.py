"""A frozen bundle takes the place of config and training: what it brings, what it refuses, whom it is tested on."""

import json

import numpy as np
import pytest
import yaml

from rna2model.cohort import cohort
from rna2model.core.errors import InputProblem
from rna2model.inputs import config, frozen_bundle
from rna2model.planning import predict_run, preflight
from rna2model.serving import manifest

GENOME, GTF = (
    ">c1\nACGTACGTACGTACGTACGTACGT\n",
    'c1\tx\texon\t1\t9\t.\t+\t.\tgene_id "g"; transcript_id "t"\n',
)


@pytest.fixture
def trained(tmp_path):
    """A folder with a bundle's manifest (of no use to predict with), its reference, and a sheet of new samples."""
    (tmp_path / "g.fa").write_text(GENOME)
    (tmp_path / "a.gtf").write_text(GTF)
    (tmp_path / "n1_R1.fastq.gz").write_bytes(b"")
    (tmp_path / "n2_R1.fastq.gz").write_bytes(b"")
    (tmp_path / "new.tsv").write_text("sample\tfastq_1\nn1\tn1_R1.fastq.gz\nn2\tn2_R1.fastq.gz\n")
    full, _ = config.complete(
        {"trimming": {"umi": "NNNN"}, "qc": {"min_reads": 7}, "design": {"target": "kind", "group": "donor"}}
    )
    reference_facts = frozen_bundle._facts(
        {"reference": {}},
        full
        | {
            "results": str(tmp_path / "none"),
            "reference": {"fasta": tmp_path / "g.fa", "gtf": tmp_path / "a.gtf"},
        },
    )
    facts = {
        "counting": {name: full[name] for name in frozen_bundle.COUNTING},
        "reference": reference_facts,
        "rrna_sha256": None,
    }
    facts |= {"counts_unit": "counts", "index": None, "model": "dummy", "target": "kind"}
    facts |= {key: full[key] for key in ("design", "expression", "qc")}
    facts["training"] = manifest.remember(["s1", "s2"], ["d1", "d2"], None, "salt")
    (tmp_path / "bundle").mkdir()
    manifest.write(tmp_path / "bundle", facts)
    return tmp_path


def check(folder, thorough=True, **settings):
    frozen = {"retrain": "never", "bundle": str(folder / "bundle")}
    return preflight.check(
        {
            "samples": str(folder / "new.tsv"),
            "results": str(folder / "results"),
            "training": frozen,
            **settings,
        },
        [folder],
        thorough=thorough,
    )


def test_a_bundle_and_a_sheet_are_a_whole_config(trained):
    full, samples, problems = check(trained)
    assert problems == [] and list(samples) == ["n1", "n2"]
    assert full["trimming"]["umi"] == "NNNN" and full["qc"]["min_reads"] == 7
    assert full["design"]["target"] == "kind" and full["reference"]["fasta"] == str(trained / "g.fa")
    assert preflight.to_predict(samples, full) == ["n1", "n2"] and preflight.external(samples, full) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"trimming": {"tool": "cutadapt"}}, "trimming.tool: the bundle says 'fastp', the config 'cutadapt'"),
        ({"quantification": {"tool": "htseq"}}, "quantification.tool: the bundle says 'featurecounts'"),
        ({"alignment": {"multimappers": "primary"}}, "alignment.multimappers: the bundle says 'discard'"),
        ({"expression": {"normalization": "cpm"}}, "expression.normalization: the bundle says 'tmm'"),
        ({"design": {"target": "age"}}, "design.target: the bundle says 'kind', the config 'age'"),
    ],
)
def test_a_config_that_contradicts_its_bundle_is_refused(trained, settings, message):
    _, _, (problem,) = check(trained, **settings)
    assert message in problem and "leave the key out" in problem


def test_what_means_not_given_is_known_to_the_bundle_and_one_of_before_serves(trained):
    sheet = "sample\tfastq_1\tkind\nn1\tn1_R1.fastq.gz\t'--\nn2\tn2_R1.fastq.gz\t\n"
    (trained / "new.tsv").write_text(sheet)
    _, _, (problem,) = check(trained)
    assert 'column kind: "\'--" (1 cell, row 2) may mean a class or no value' in problem
    facts = manifest.read(trained / "bundle")
    facts["design"]["missing"] = ["'--"]
    manifest.write(trained / "bundle", facts)
    full, samples, problems = check(trained)
    assert problems == [] and full["design"]["missing"] == ["'--"]
    assert preflight.to_predict(samples, full) == ["n1", "n2"]
    del facts["design"]["missing"]  # made before there was such a key
    manifest.write(trained / "bundle", facts)
    (trained / "new.tsv").write_text(sheet.replace("'--", ""))
    assert check(trained)[2] == []


def test_labels_of_which_the_bundle_knows_none_are_refused_before_any_job(trained):
    facts = manifest.read(trained / "bundle") | {"classes": {"case": 5, "control": 5}}
    manifest.write(trained / "bundle", facts)
    sheet = "sample\tfastq_1\tkind\nn1\tn1_R1.fastq.gz\tCase\nn2\tn2_R1.fastq.gz\tcontrols\n"
    (trained / "new.tsv").write_text(sheet)
    _, _, (problem,) = check(trained)
    assert (
        "column kind: no labelled sample can validate the bundle: its classes are 'case', 'control'"
        in problem
    )
    assert (
        "'Case' (1 sample; did you mean 'case'?), 'controls' (1 sample; did you mean 'control'?)" in problem
    )
    (trained / "new.tsv").write_text(sheet.replace("controls", "control"))
    assert check(trained)[2] == []


def test_another_genome_or_annotation_is_refused_before_any_job_and_the_same_in_other_packing_is_not(trained):
    import gzip

    (trained / "same.fa.gz").write_bytes(gzip.compress(GENOME.lower().replace(">c1", ">c1 x").encode()))
    named = {"fasta": str(trained / "same.fa.gz"), "gtf": str(trained / "a.gtf")}
    assert check(trained, reference=named)[2] == []
    (trained / "other.fa").write_text(">c1\nACGT\n")
    _, _, (problem,) = check(trained, reference=named | {"fasta": str(trained / "other.fa")})
    assert (
        "c1 has 24 bases in the bundle's and 4 in theirs" in problem
        and "cannot serve such samples" in problem
    )
    (trained / "other.gtf").write_text(GTF.replace("\t9\t", "\t8\t"))
    _, _, (problem,) = check(trained, reference=named | {"gtf": str(trained / "other.gtf")})
    assert "the same genes with other exons" in problem
    assert (
        check(trained, False, reference=named | {"gtf": str(trained / "other.gtf")})[2] == []
    )  # not in each job


def test_a_reference_that_is_gone_is_asked_for(trained):
    (trained / "g.fa").rename(trained / "elsewhere.fa")
    _, _, (problem,) = check(trained)
    assert "reference.fasta is missing" in problem and "REFERENCE= of make predict" in problem
    assert check(trained, reference={"fasta": str(trained / "elsewhere.fa")})[2] == []


def test_an_index_of_training_is_used_only_while_it_is_of_that_reference(trained):
    index = trained / "old/reference/star"
    index.mkdir(parents=True)
    made = manifest.read(trained / "bundle") | {"index": str(index)}
    full = {"alignment": {"tool": "star"}, "results": str(trained / "results")}
    (index.parent / "reference.json").write_text(json.dumps(made["reference"]))
    assert frozen_bundle._index(made, full) == str(index)
    (index.parent / "reference.json").write_text(json.dumps(made["reference"] | {"gtf_sha256": "x"}))
    assert frozen_bundle._index(made, full) is None
    assert frozen_bundle._index(made, full | {"results": str(trained / "old")}) is None  # this run's own


def test_a_bundle_of_a_matrix_asks_for_a_matrix(trained):
    facts = manifest.read(trained / "bundle") | {"counting": None, "reference": None}
    manifest.write(trained / "bundle", facts)
    _, _, (problem,) = check(trained)
    assert "new samples have to come as a matrix" in problem


def test_without_a_bundle_never_says_what_to_do(tmp_path):
    _, _, (problem,) = preflight.check({"training": {"retrain": "never"}}, [tmp_path])
    assert "training.retrain never needs a bundle" in problem and "retrain: auto" in problem


def test_samples_and_donors_of_training_are_not_external(trained):
    rows = ["sample\tfastq_1\tkind\tdonor", "s1\tn1_R1.fastq.gz\ta\td9", "n2\tn2_R1.fastq.gz\tb\td2"]
    (trained / "n3_R1.fastq.gz").write_bytes(b"")
    (trained / "new.tsv").write_text("\n".join([*rows, "n3\tn3_R1.fastq.gz\ta\td3"]) + "\n")
    full, samples, problems = check(trained)
    assert problems == []
    assert preflight.external(samples, full) == ["n3"] and preflight.to_predict(samples, full) == []
    full["training"]["predict_labelled"] = True
    assert preflight.to_predict(samples, full) == ["s1", "n2", "n3"]


def test_make_predict_writes_the_config_and_keeps_off_a_training_run(trained, tmp_path):
    folder, path = predict_run.write(predict_run.look(trained / "bundle", trained / "new.tsv"))
    assert folder == trained and path == trained / "results/serving.yaml"
    assert yaml.safe_load(path.read_text())["training"]["bundle"] == str(trained / "bundle")
    (tmp_path / "m.tsv").write_text("gene_id\ta\tb\ng1\t1\t2\n")
    _, path = predict_run.write(
        predict_run.look(trained / "bundle", counts=tmp_path / "m.tsv", results=tmp_path / "out")
    )
    assert (tmp_path / "out/samples_of_matrix.tsv").read_text() == "sample\na\nb\n"
    (tmp_path / "other/results/models").mkdir(parents=True)
    (tmp_path / "other/new.tsv").write_text("sample\n")
    with pytest.raises(InputProblem, match="Give RESULTS="):
        predict_run.write(predict_run.look(trained / "bundle", tmp_path / "other/new.tsv"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", "new.tsv"), "BUNDLE= is missing"),
        (("nowhere", "new.tsv"), "BUNDLE=.*nowhere: there is no such"),
        (("bundle", "absent.tsv"), "SAMPLES=.*absent.tsv: there is no such"),
        (("bundle",), "give SAMPLES=sheet, or COUNTS=matrix"),
        ((".", "new.tsv"), "is not a bundle"),
    ],
)
def test_what_make_predict_is_not_given_is_named(trained, arguments, message, monkeypatch):
    monkeypatch.chdir(trained)
    with pytest.raises(InputProblem, match=message):
        predict_run.write(predict_run.look(*arguments))


def test_a_reference_is_a_config_or_a_folder(trained):
    settings = predict_run._reference(trained)["reference"]
    assert settings == {"fasta": str(trained / "g.fa"), "gtf": str(trained / "a.gtf")}
    (trained / "my.yaml").write_text("reference: {fasta: g.fa, gtf: /b.gtf}\ntrimming: {rrna: r.fa}\n")
    settings = predict_run._reference(trained / "my.yaml")
    assert settings["reference"] == {"fasta": str(trained / "g.fa"), "gtf": "/b.gtf"}
    assert settings["trimming"] == {"rrna": str(trained / "r.fa")}
    (trained / "second.fa").write_text(GENOME)
    with pytest.raises(InputProblem, match=r"one genome is needed there, found g.fa, second.fa"):
        predict_run._reference(trained)
    with pytest.raises(InputProblem, match="no config with"):
        predict_run._reference(trained / "new.tsv")


# Samples without a label in pretraining


def test_unlabelled_samples_never_stand_for_held_out_ones():
    from rna2model.expression.batch import registry
    from rna2model.expression.normalization import methods
    from rna2model.training import preprocessing, split_data

    rng = np.random.default_rng(0)
    counts = rng.poisson(50, (8, 20))
    names, donors = [f"s{i}" for i in range(8)], [f"d{i // 2}" for i in range(8)]
    obs = {"condition": ["a", "b"] * 4, "donor": donors, "run": ["x"] * 6 + ["y"] * 2}
    whole = cohort.Cohort(counts, names, [f"g{i}" for i in range(20)], None, obs)
    design = {"task": "classification", "target": "condition", "group": "donor", "batch": "run"}
    data = split_data.SplitData(whole, names[:6], names[6:], names, design)
    normalizer = methods.make("cpm", whole.genes, gene_filter="none").fit(data.counts(data.train))
    same = registry.make("none").fit(normalizer.transform(data.counts(data.train)), ["x"] * 6)
    fitted = preprocessing.Preprocessing(normalizer, same)
    others = cohort.Cohort(
        np.vstack([counts[0] + 1, counts[1] + 1, counts[6] + 1, counts[7], counts[2] + 1]),
        ["u1", "donor_held_out", "s6", "copy", "batch_held_out"],
        whole.genes,
        None,
        {"condition": [""] * 5, "donor": ["d0", "d3", "d9", "d9", "d9"], "run": ["x", "x", "x", "x", "y"]},
    )
    seen = split_data.unlabelled(data, others, fitted)
    assert np.array_equal(seen, normalizer.transform(others.counts[:1]))


def test_who_is_pretrained_on_is_said_in_the_sheet(tmp_path):
    (tmp_path / "m.tsv").write_text("x")
    rows = ["sample\tcondition\tpretrain", "a\tx\t", "b\ty\tyes", "u\t\tyes", "n\t\t"]
    (tmp_path / "s.tsv").write_text("\n".join(rows) + "\n")

    def names(**training):
        settings = {
            "samples": str(tmp_path / "s.tsv"),
            "counts": "m.tsv",
            "models": ["vae"],
            "training": training,
        }
        full, samples, problems = preflight.check(settings, [tmp_path])
        assert problems == []
        return preflight.pretraining(samples, full), preflight.to_predict(samples, full)

    assert names() == ([], ["u", "n"])
    assert names(pretrain_unlabelled=True) == (["u"], ["n"])
    assert names(pretrain_new=True) == (["u", "n"], ["u", "n"])
    assert names(pretrain_unlabelled=True, pretrain_new=True) == (["u", "n"], ["n"])
    (tmp_path / "s.tsv").write_text("\n".join(rows).replace("yes", "") + "\n")
    settings = {"samples": str(tmp_path / "s.tsv"), "counts": "m.tsv", "models": ["vae"]}
    _, _, (problem,) = preflight.check(settings | {"training": {"pretrain_unlabelled": True}}, [tmp_path])
    assert "set training.pretrain_new" in problem


@pytest.mark.parametrize(
    "settings",
    [
        {"models": ["mlp"], "training": {"pretrain_unlabelled": True}},
        {"models": ["vae"], "training": {"pretrain_new": True, "pretrained": "p"}},
        {"training": {"bundle": "b"}},
        {"training": {"predict_labelled": True}},
        {"models": ["vae"], "training": {"retrain": "never", "pretrain_new": True}},
    ],
)
def test_keys_of_training_that_would_do_nothing_are_refused(settings):
    (problem,) = config.complete(settings)[1]
    assert "training." in problem


def test_a_bundle_decides_on_spike_ins_also_where_it_is_older_than_the_key(trained):
    facts = manifest.read(trained / "bundle")
    assert check(trained)[0]["expression"]["spike_ins"] == "drop"
    _, _, (problem,) = check(trained, expression={"spike_ins": "keep"})
    assert "expression.spike_ins: the bundle says 'drop', the config 'keep'" in problem
    facts["expression"].pop("spike_ins")
    manifest.write(trained / "bundle", facts)
    full, _, problems = check(trained)
    assert problems == [] and full["expression"]["spike_ins"] == "keep"


def test_logarithms_of_counts_serve_a_bundle_of_counts(trained):
    facts = manifest.read(trained / "bundle") | {"counting": None, "reference": None}
    manifest.write(trained / "bundle", facts | {"qc": facts["qc"] | {"min_counts": 9}})
    (trained / "new.tsv").write_text("sample\nn1\nn2\n")
    rng = np.random.default_rng(0)
    counts = rng.poisson(200, (40, 2))
    for unit, values in (("counts", counts), ("log_counts", np.log2(counts + 1))):
        rows = [f"g{i}\t{a}\t{b}\n" for i, (a, b) in enumerate(values)]
        (trained / "m.tsv").write_text("".join(["gene_id\tn1\tn2\n", *rows]))
        full, _, problems = check(trained, counts=str(trained / "m.tsv"), counts_unit=unit)
        assert problems == [] and full["qc"]["min_counts"] == 9
    _, _, problems = check(trained, counts=str(trained / "m.tsv"), counts_unit="log")
    assert any("counts_unit: the bundle says 'counts', the config 'log'" in text for text in problems)


def test_a_reference_may_name_a_store_and_a_genome(tmp_path):
    (tmp_path / "ref.yaml").write_text("reference: {name: GRCh38, annotation: gencode_v46, store: refs}\n")
    reference = predict_run._reference(tmp_path / "ref.yaml")["reference"]
    assert reference == {"name": "GRCh38", "annotation": "gencode_v46", "store": str(tmp_path / "refs")}


def test_an_index_whose_store_is_gone_is_left_for_that_of_the_store(trained, tmp_path):
    made = {"index": str(tmp_path / "index")}
    (tmp_path / "index").mkdir()
    (tmp_path / "SA").write_text("")
    (tmp_path / "index/SA").symlink_to(tmp_path / "SA")
    full = {"alignment": {"tool": "star"}, "results": str(tmp_path / "results")}
    assert frozen_bundle._index(made, full) == str(tmp_path / "index")
    (tmp_path / "SA").unlink()
    assert frozen_bundle._index(made, full) is None
