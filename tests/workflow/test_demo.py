"""The demo against its own truth: what was simulated must come out."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from rna2model.cohort import cohort
from rna2model.qc import fragment_fates
from rna2model.serving import bundle
from tests.browser import DRAWN
from tests.conftest import snakemake


@pytest.fixture(scope="session")
def truth(demo):
    return demo.folder / "truth"


def test_counts_follow_the_simulated_fragments(demo, truth):
    counts = demo.matrix()
    simulated = pd.read_csv(truth / "counts.tsv", sep="\t", index_col=0).loc[counts.index]
    agreement = {name: counts[name].corr(simulated[name], method="spearman") for name in counts}
    assert len(agreement) == 28
    assert min(agreement.values()) >= 0.98, sorted(agreement.items(), key=lambda item: item[1])[:3]


def test_every_sample_ends_included_or_excluded_for_the_right_reason(demo, truth):
    status = demo.table("samples.tsv").set_index("sample")
    expected = pd.read_csv(truth / "expected_status.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert sorted(status.index) == sorted(expected["sample"])
    for row in expected.itertuples():
        verdict = status.loc[row.sample]
        assert (verdict["status"], row.reason in verdict["reason"]) == (row.status, True), verdict
    assert set(status.loc[status["status"] == "included", "strandedness"]) == {"reverse"}


def test_the_cohort_holds_the_counts_the_sheet_and_the_annotation(demo):
    anndata = pytest.importorskip("anndata")
    data = anndata.read_h5ad(demo.results / "cohort.h5ad")
    counts = demo.matrix()
    assert np.array_equal(data.layers["counts"].T, counts[data.obs_names].loc[data.var_names].to_numpy())
    assert np.allclose(data.layers["tpm"].sum(axis=1), 1e6, rtol=1e-3)
    assert {"condition", "batch", "donor"} <= set(data.obs) and {"gene_name", "length"} <= set(data.var)
    one = pd.read_csv(demo.results / "counts/d05_b1.tsv", sep="\t", index_col=0)["count"]
    assert one.loc[counts.index].equals(counts["d05_b1"].rename("count"))


def test_no_donor_and_no_excluded_or_new_sample_crosses_a_split(demo):
    manifest = demo.table("splits/manifest.tsv")
    status = demo.table("samples.tsv").set_index("sample")
    labelled = status[(status["status"] == "included") & (status["condition"] != "")]
    assert set(manifest["sample"]) == set(labelled.index)
    tested = manifest[manifest["role"] == "test"]
    assert sorted(tested["sample"]) == sorted(labelled.index)
    sides = (
        manifest.assign(donor=manifest["sample"].map(labelled["donor"]))
        .groupby(["fold", "donor"])["role"]
        .nunique()
    )
    assert (sides == 1).all()


def test_models_find_the_condition_and_dummy_does_not(demo):
    comparison = demo.table("models/comparison.tsv").set_index(["model", "metric"])
    assert {"dummy", "logistic_l2", "linear_svm", "random_forest", "mlp"} == {
        model for model, _ in comparison.index
    }
    assert comparison.loc[("logistic_l2", "auroc"), "estimate"] > 0.9
    assert comparison.loc[("mlp", "balanced_accuracy"), "estimate"] > 0.8
    assert comparison.loc[("dummy", "balanced_accuracy"), "estimate"] == pytest.approx(0.5, abs=0.01)
    permutation = json.loads((demo.results / "models/logistic_l2/metrics.json").read_text())["permutation"]
    assert permutation["n"] == 20 and permutation["p"] <= 3 / 21


def test_new_samples_are_predicted_right(demo, truth):
    labels = pd.read_csv(truth / "labels.tsv", sep="\t", index_col=0)["condition"]
    served = demo.table("predictions.tsv").set_index("sample")
    assert sorted(served.index) == ["new_1", "new_2", "new_3", "new_4"]
    assert (served["predicted"] == labels[served.index]).all()


def test_the_reloaded_bundle_gives_the_same_predictions_alone_and_in_any_order(demo):
    serve = bundle.Bundle(demo.results / "bundle")
    data = cohort.read(demo.results / "cohort.h5ad")
    served = demo.table("predictions.tsv").set_index("sample")
    column = f"prob_{serve.model.classes_[-1]}"
    for name in served.index[::-1]:
        row = data.rows([name])
        alone = serve.predict([name], data.counts[row], data.genes, data.column("batch", [name]))
        assert alone[column][0] == pytest.approx(float(served.loc[name, column]), abs=1e-9)


def test_serving_the_training_samples_gives_the_matrix_the_model_was_trained_on(demo):
    from rna2model.training import preprocessing, split_data

    design = {"target": "condition", "batch": "batch", "group": "donor"}
    data = split_data.read(
        demo.results / "splits/training.h5ad", demo.results / "splits/manifest.tsv", "full", design
    )
    fitted = preprocessing.load(
        *(demo.results / f"splits/full/{n}.safetensors" for n in ("normalizer", "batch_model"))
    )
    trained_on = data.expression(data.train, fitted)
    serve = bundle.Bundle(demo.results / "bundle")
    served, missing = serve.expression(data.counts(data.train), data.cohort.genes, data.batches(data.train))
    assert missing == [] and np.array_equal(served, trained_on)


def test_the_bundle_holds_no_pickle(demo):
    files = [path for path in (demo.results / "bundle").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".skops", ".md", ".tsv"}
    assert not any(path.read_bytes()[:1] == b"\x80" for path in files)
    assert "author must complete" in (demo.results / "bundle/MODEL_CARD.md").read_text()


def test_the_torch_model_says_that_it_trained_on_the_cpu(demo):
    assert "mlp: trained on cpu" in (demo.results / "logs/train_mlp/r1f1.log").read_text()


def test_reports_are_there_and_load_nothing_from_the_network(demo):
    page = (demo.results / "report.html").read_text()
    assert not re.search(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']https?:", page)
    multiqc = (demo.results / "multiqc/multiqc_report.html").read_text()
    for text in ("Sample status", "Where the fragments went", "truncated", "RSeQC", "FastQC (trimmed)"):
        assert text in multiqc


def test_every_figure_of_the_report_is_drawn_in_a_browser(demo, opened):
    page = opened(demo.results / "report.html")
    drawn = page.evaluate(DRAWN)
    assert {"quality", "pca", "roc", "calibration", "decision", "permutation", "features", "volcano"} <= set(
        drawn
    )
    assert all(drawn.values()) and page.heard == []


def test_snakemake_s_own_report_finds_its_captions(demo):
    run = snakemake(demo.folder, "--report", demo.folder / "snakemake_report.html")
    assert run.returncode == 0, run.text[-3000:]
    page = (demo.folder / "snakemake_report.html").read_text()
    assert "TRIPOD+AI" in page and "3-fold cross-validation" in page and "Out-of-fold scores" in page
    assert "Paired differences of models" in page and "Features of logistic_l2" in page


def test_no_section_of_the_quality_page_broke(demo):
    assert "broke" not in (demo.results / "logs/multiqc/cohort.log").read_text()


def test_every_fragment_of_every_sample_is_accounted_for(demo):
    status = demo.table("samples.tsv")
    assert (status[fragment_fates.FATES].astype(int).sum(axis=1) == status["reads"].astype(int)).all()
    included = status[status["status"] == "included"].set_index("sample")
    assert (demo.matrix().sum() == included["assigned"].astype(int)).all()
    assert int(status.set_index("sample").loc["truncated", "faulty"]) > 0


def test_genes_come_with_symbol_biotype_and_length(demo):
    import anndata

    genes = anndata.read_h5ad(demo.results / "cohort.h5ad").var
    assert (
        set(genes["biotype"]) == {"protein_coding", "lncRNA"}
        and genes["gene_name"].str.startswith("dmo").all()
    )
    assert (genes["length"] >= 500).all()


def test_the_run_says_first_what_disk_it_takes(demo):
    lines = demo.log.splitlines()
    disk_line = next(number for number, line in enumerate(lines) if line.startswith("rna2model: disk: "))
    assert not any(line.startswith("[") for line in lines[:disk_line])


def test_progress_was_a_line_per_step(demo):
    lines = [
        line
        for line in demo.log.splitlines()
        if re.match(r"\[ *\d+/\d+\] \d+:\d\d, about \d+:\d\d left", line)
    ]
    done, total = re.match(r"\[ *(\d+)/(\d+)\]", lines[-1]).groups()
    assert done == total
