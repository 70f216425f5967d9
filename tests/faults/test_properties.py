"""What holds for any input: readers answer with a result or a problem, splits and transformers keep their promises."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rna2model import models
from rna2model.cohort import count_matrix, splits
from rna2model.core.errors import InputProblem
from rna2model.expression.batch import registry
from rna2model.expression.normalization import methods
from rna2model.inputs import config, sheet
from rna2model.reads import fastq
from rna2model.reference import annotation, circular, genome, transcripts
from rna2model.serving import bundle
from tests.faults import nasty
from tests.faults.catalogue.references import ROUND
from tests.faults.project import GTF, bases

ONE_FOLDER = {"suppress_health_check": [HealthCheck.function_scoped_fixture]}
names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,12}", fullmatch=True)
cells = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=12)


@settings(**ONE_FOLDER)
@given(
    content=st.one_of(
        st.binary(max_size=200), nasty.anything.map(lambda text: ("sample\tcondition\n" + text).encode())
    )
)
def test_any_bytes_make_a_sheet_or_a_problem(tmp_path, content):
    (tmp_path / "s.tsv").write_bytes(content)
    samples, problems = sheet.read(tmp_path / "s.tsv", matrix=True)
    assert bool(samples) or bool(problems)


@settings(**ONE_FOLDER)
@given(table=st.dictionaries(names, cells, min_size=1, max_size=8), ending=st.sampled_from(["tsv", "csv"]))
def test_a_sheet_reads_back_as_it_was_written(tmp_path, table, ending):
    assume(len({name.lower().lstrip("0") for name in table}) == len(table))
    assume(not any(cell.startswith("#") for cell in table.values()))
    path = tmp_path / f"s.{ending}"
    frame = pd.DataFrame({"sample": list(table), "note": list(table.values())})
    frame.to_csv(path, sep="," if ending == "csv" else "\t", index=False, quotechar='"')
    samples, problems = sheet.read(path, matrix=True)
    assert problems == []
    assert {name: sample.metadata["note"] for name, sample in samples.items()} == table


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | nasty.anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(nasty.texts, inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    (section, key)
    for section, node in config.schema("config")["properties"].items()
    for key in node.get("properties", {}) or [None]
]


@given(place=st.sampled_from(KEYS), value=json)
def test_any_config_is_complete_or_a_problem(place, value):
    section, key = place
    full, problems = config.complete({section: value if key is None else {key: value}})
    assert problems or full is not None
    assert all(isinstance(problem, str) and problem for problem in problems)


@settings(**ONE_FOLDER)
@given(content=st.binary(max_size=200), ending=st.sampled_from(["tsv", "csv", "tsv.gz", "parquet", "h5ad"]))
def test_any_bytes_make_a_matrix_or_a_problem(tmp_path, content, ending):
    path = tmp_path / f"m.{ending}"
    path.write_bytes(content)
    with pytest.raises(InputProblem) as raised:
        count_matrix.load(path, ["s1", "s2"], "counts")
    assert path.name in str(raised.value)


@settings(**ONE_FOLDER)
@given(
    values=st.lists(st.lists(st.integers(0, 2**40), min_size=3, max_size=3), min_size=1, max_size=6),
    data=st.data(),
)
def test_a_matrix_reads_back_in_any_order_of_samples_and_genes(tmp_path, values, data):
    assume(max(map(max, values)) >= 1)
    table = pd.DataFrame(values, [f"g{i}" for i in range(len(values))], ["a", "b", "c"])
    wanted = data.draw(st.permutations(["a", "b", "c"]))
    path = tmp_path / "m.tsv"
    table.iloc[data.draw(st.permutations(range(len(values))))].to_csv(path, sep="\t", index_label="gene_id")
    counts, genes, _ = count_matrix.load(path, wanted, "counts")
    assert np.array_equal(counts, table.loc[genes, wanted])


@settings(**ONE_FOLDER)
@given(
    content=st.one_of(st.binary(max_size=120), st.text("@+ACGTI\n", max_size=120).map(str.encode)),
    packed=st.booleans(),
)
def test_any_bytes_make_reads_or_a_verdict(tmp_path, content, packed):
    path = tmp_path / ("s.fastq.gz" if packed else "s.fastq")
    path.write_bytes(gzip.compress(content) if packed else content)
    fragments, problem = fastq.inspect([(path,)], fastq.Copies(), fastq.Evenly(10))
    assert (problem is None) == (fragments > 0) or problem
    assert problem is None or path.name in problem


@settings(**ONE_FOLDER)
@given(
    whole=st.sampled_from([GTF, ROUND.format("301\t500"), GTF.replace("+", ".")]),
    place=st.floats(0, 1),
    text=st.one_of(nasty.texts, st.text('\t";.+-0123456789x%,=', max_size=8)),
)
def test_any_change_of_an_annotation_is_read_or_a_problem(tmp_path, whole, place, text):
    place = round(place * len(whole))
    (tmp_path / "a.gtf").write_text(whole[:place] + text + whole[place:])
    lengths = {"1": 400, "2": 200}
    try:
        gtf = annotation.read(tmp_path / "a.gtf")
        circles = circular.sequences(gtf, lengths)
        genome.check_chromosomes("g.fa", "a.gtf", lengths, gtf.genes, circles)
    except InputProblem:
        return
    genes, gtf.transcripts = gtf.genes, transcripts.for_tools(gtf.transcripts, lengths)
    genome.write_gtf(gtf, tmp_path / "prepared.gtf")
    again = annotation.read(tmp_path / "prepared.gtf")
    assert {gene["gene_id"]: gene["length"] for gene in again.genes} == {
        gene["gene_id"]: gene["length"] for gene in genes
    }


@given(
    rows=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=2, max_size=40),
    folds=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_groups_are_never_split_and_every_sample_is_tested_once(rows, folds, seed):
    labels, groups = zip(*rows, strict=True)
    samples = [f"s{i}" for i in range(len(rows))]
    try:
        table = splits.make(
            samples, labels, groups=[str(group) for group in groups], folds=folds, repeats=2, seed=seed
        )
    except InputProblem as problem:
        assert str(problem)
        return
    group = dict(zip(samples, groups, strict=True))
    tested = table[table["role"] == "test"]
    assert (tested.groupby(["repeat", "sample"]).size() == 1).all() and len(tested) == 2 * len(samples)
    table["group"] = table["sample"].map(group)
    assert (table.groupby(["repeat", "fold", "group"])["role"].nunique() == 1).all()
    shuffled = splits.make(samples[::-1], labels[::-1], [str(g) for g in groups[::-1]], folds, 2, seed)
    assert table.drop(columns="group").equals(shuffled)


@pytest.fixture(scope="module")
def lengths():
    return np.random.default_rng(1).integers(200, 5000, 90)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("method", methods.METHODS)
@given(seed=st.integers(0, 10**6), spread=st.floats(0.1, 2.5), depth=st.floats(0.5, 6))
def test_a_sample_is_transformed_the_same_alone_together_and_reordered(method, lengths, seed, spread, depth):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.lognormal(depth, spread, 90) * rng.lognormal(0, 0.4, (12, 1))).astype(float)
    try:
        fitted = methods.make(method, [f"g{i}" for i in range(90)], lengths).fit(
            counts[:8], groups=list("abababab")
        )
        together = fitted.transform(counts)
    except InputProblem as problem:
        assert str(problem)
        return
    assert np.isfinite(together).all()
    assert np.array_equal(np.vstack([fitted.transform(row[None]) for row in counts]), together)
    order = rng.permutation(12)
    assert np.array_equal(fitted.transform(counts[order]), together[order])


@settings(max_examples=8, **ONE_FOLDER)
@given(seed=st.integers(0, 10**6), method=st.sampled_from(["tmm", "deseq2", "vst", "cpm"]))
def test_a_bundle_predicts_as_what_it_was_made_of(tmp_path, seed, method):
    rng = np.random.default_rng(seed)
    labels, batches = np.tile(["a", "b"], 10), np.repeat(["x", "y"], 10)
    genes = [f"g{i}" for i in range(70)]
    counts = rng.poisson(
        rng.lognormal(5, 1, 70) * np.where(labels[:, None] == "a", np.r_[np.full(5, 4.0), np.ones(65)], 1)
    )
    normalizer = methods.make(method, genes).fit(counts.astype(float), groups=labels)
    expression = normalizer.transform(counts.astype(float))
    correction = registry.make("combat").fit(expression, batches)
    model = models.make("logistic_l2", inner_folds=3)
    model.fit(correction.transform(expression, batches), labels, log=lambda *_: None).save(tmp_path / "m")
    normalizer.save(tmp_path / "n")
    correction.save(tmp_path / "b")
    facts = {"model": "logistic_l2", "batch_correction": "combat", "classes": {"a": 10, "b": 10}}
    bundle.assemble(tmp_path / "bundle", tmp_path / "n", tmp_path / "b", tmp_path / "m", facts)
    new = rng.poisson(rng.lognormal(5, 1, (3, 70))).astype(float)
    table = bundle.Bundle(tmp_path / "bundle").predict(["p", "q", "r"], new, genes, ["x", "y", "x"])
    mine = model.predict_proba(correction.transform(normalizer.transform(new), np.array(["x", "y", "x"])))
    assert np.allclose(table[["prob_a", "prob_b"]], mine, atol=1e-9, rtol=0)


def test_random_bases_are_the_same_each_time():
    assert bases(30, 4) == bases(30, 4) != bases(30, 5)
