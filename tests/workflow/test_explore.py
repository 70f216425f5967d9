"""`expression/` on the demo's simulated counts, given as a matrix: what was simulated is found, and no model reads it."""

import json
import re

import pandas as pd
import pytest
import yaml

from rna2model.explore import clusters, combat_seq, differential, embedding, enrichment, outliers
from rna2model.simulate import demo as simulate
from rna2model.simulate import expression
from rna2model.simulate import genome as simulate_genome
from tests.command import LOCAL, REPOSITORY
from tests.conftest import snakemake
from tests.workflow.conftest import Run


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """The target `explore` on the counts that the demo simulates, without reads."""
    folder = tmp_path_factory.mktemp("explore")
    definition = simulate.read_definition(REPOSITORY / "resources/demo/demo.yaml")
    seed = definition["seed"]
    genome = simulate_genome.build(definition, seed)
    samples = [sample for sample in simulate.cohort(definition["cohort"]) if sample.fault is None]
    effects = expression.draw_effects(definition, genome.genes, seed)
    counts = expression.draw_cohort_counts(definition, effects, samples, seed)
    simulate_genome.write_gtf(genome.genes, folder / "annotation.gtf")
    simulate.write_gene_sets(genome.genes, effects, folder / "sets.gmt", seed)
    ids = [gene.id for gene in genome.genes]
    table = pd.DataFrame(counts, index=pd.Index(ids, name="gene_id"), columns=[s.name for s in samples])
    table.to_csv(folder / "counts.tsv", sep="\t")
    simulate.sheet(samples, True).drop(columns=["fastq_1", "fastq_2"]).drop_duplicates("sample").to_csv(
        folder / "samples.tsv", sep="\t", index=False
    )
    config = {
        "samples": "samples.tsv",
        "counts": "counts.tsv",
        "reference": {"gtf": "annotation.gtf"},
        "design": {"target": "condition", "batch": "batch", "group": "donor"},
        "expression": {"batch_correction": "combat", "gene_sets": "sets.gmt", "combat_seq": True},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    run = snakemake(folder, "explore", *LOCAL, check=True)
    finished = Run(folder, folder / "results", run.text)
    finished.truth = pd.Series(effects.log2fc, ids)
    return finished


def details(run, name):
    return json.loads((run.results / f"expression/{name}.json").read_text())


def test_every_table_has_its_columns_and_says_how_it_was_made(explored):
    columns = {
        "embedding": embedding.COLUMNS,
        "outliers": outliers.COLUMNS,
        "clusters": clusters.COLUMNS,
        "differential": differential.COLUMNS,
        "gsea": enrichment.COLUMNS,
    }
    for name, expected in columns.items():
        table = explored.table(f"expression/{name}.tsv")
        assert list(table) == expected and len(table) and details(explored, name)["note"] is None, name
    samples = list(explored.matrix())
    similar = explored.table("expression/sample_clustering.tsv")
    assert list(similar) == ["view", "sample", "position", *samples]
    assert set(similar["view"]) == {"normalized", "batch_corrected"}
    assert sorted(similar["position"]) == sorted(2 * list(range(1, len(samples) + 1)))
    placed = explored.table("expression/embedding.tsv").groupby(["view", "method"])["sample"].apply(list)
    assert len(placed) == 4 and all(names == samples for names in placed)


def test_pictures_are_svg_with_something_in_them(explored):
    for name in ("heatmap", "volcano", "ma"):
        text = (explored.results / f"expression/{name}.svg").read_text()
        assert text.startswith("<?xml") and "<image" in text, name


def test_the_batch_is_what_clusters_until_it_is_corrected(explored):
    clusters = explored.table("expression/clusters.tsv").drop_duplicates(["view", "method", "against"])
    rand = clusters.set_index(["view", "method", "against"])["adjusted_rand"]
    assert rand["normalized", "kmeans", "batch"] > 0.9
    assert rand["batch_corrected", "kmeans", "batch"] < 0.3


def test_simulated_changes_are_found_with_their_direction(explored):
    table = pd.read_csv(explored.results / "expression/differential.tsv", sep="\t", index_col="gene_id")
    assert set(table["contrast"]) == {"treated_vs_control"} and table["symbol"].str.startswith("dmo").all()
    changed = explored.truth[explored.truth != 0].index.intersection(table.index)
    agreement = table.loc[changed, "log2_fold_change"].corr(explored.truth[changed])
    assert len(changed) >= 18 and agreement > 0.9
    significant = table.index[table["padj"] < 0.05]
    assert (explored.truth[significant] != 0).mean() > 0.6 and len(significant) >= 10
    assert "donor" in details(explored, "differential")["warnings"][0]
    sets = explored.table("expression/gsea.tsv").set_index("gene_set")
    assert sets.loc["RISES", "nes"] > 1.5 and sets.loc["RISES", "fdr"] < 0.05
    assert sets.loc["FALLS", "nes"] < -1.5 and sets.loc["FALLS", "fdr"] < 0.05
    assert details(explored, "gsea")["matched_by"] == "symbol"


def test_combat_seq_counts_are_the_library_s(explored):
    table = pd.read_csv(explored.results / "expression/combat_seq.tsv.gz", sep="\t", index_col=0)
    counts = explored.matrix()
    batches = explored.table("samples.tsv").set_index("sample").loc[list(counts), "batch"]
    assert (table.T.to_numpy() == combat_seq.adjust(counts.T.to_numpy(), batches.to_numpy())).all()
    assert list(table) == list(counts) and not table.equals(counts)


def test_what_cannot_be_tested_is_a_note_and_the_run_goes_on(explored, tmp_path):
    """Logarithms have no counts to test: the table is empty, the note says why, gene sets follow."""
    config = yaml.safe_load((explored.folder / "config.yaml").read_text())
    values = pd.read_csv(explored.results / "expression/tmm.tsv.gz", sep="\t", index_col=0)
    values.to_csv(tmp_path / "log.tsv", sep="\t")
    config |= {"counts": "log.tsv", "counts_unit": "log", "samples": str(explored.folder / "samples.tsv")}
    config["reference"]["gtf"] = str(explored.folder / "annotation.gtf")
    config["expression"] = {"gene_sets": str(explored.folder / "sets.gmt")}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    wanted = [f"results/expression/{name}" for name in ("gsea.tsv", "clusters.tsv", "outliers.tsv")]
    snakemake(tmp_path, *LOCAL, *wanted, check=True)
    run = Run(tmp_path, tmp_path / "results")
    assert list(run.table("expression/differential.tsv")) == differential.COLUMNS
    assert len(run.table("expression/differential.tsv")) == len(run.table("expression/gsea.tsv")) == 0
    assert "counts_unit is log" in details(run, "differential")["note"]
    assert "no differential expression" in details(run, "gsea")["note"]
    assert "counts_unit is log" in (tmp_path / "results/expression/volcano.svg").read_text().replace(
        "\n", " "
    )


def test_the_demo_makes_all_but_the_embedding_from_its_reads(demo):
    made = {path.name for path in (demo.results / "expression").iterdir()}
    tables = ("sample_clustering", "outliers", "clusters", "differential", "gsea")
    assert {f"{name}.{kind}" for name in tables for kind in ("tsv", "json")} <= made
    assert {"heatmap.svg", "volcano.svg", "ma.svg"} <= made and "embedding.tsv" not in made
    truth = pd.read_csv(demo.folder / "truth/de_genes.tsv", sep="\t", index_col="gene_id")
    table = pd.read_csv(demo.results / "expression/differential.tsv", sep="\t", index_col="gene_id")
    strongest = table.sort_values("p").index[:8]
    assert truth.loc[strongest, "is_de"].all()
    assert (truth.loc[strongest, "log2fc"] * table.loc[strongest, "log2_fold_change"] > 0).all()
    sets = demo.table("expression/gsea.tsv").set_index("gene_set")["nes"].astype(float)
    assert sets["RISES"] > 1.5 and sets["FALLS"] < -1.5


def test_no_rule_of_a_model_reads_the_exploration():
    """Only these rules themselves, the report and the targets name expression/ as input; the library of models does not know it."""
    reading = set()
    for path in [REPOSITORY / "Snakefile", *(REPOSITORY / "rules").rglob("*.smk")]:
        for part in re.split(r"^ *rule ", path.read_text(), flags=re.M)[1:]:
            inputs = re.search(r"^ *input:\n(.*?)(?=^ *(?:output|log):|\Z)", part, flags=re.M | re.S)
            if inputs and re.search(r"/expression/|VIEWS|EXPLORATION|SHOWN_OF", inputs.group(1)):
                reading.add(part.split(":")[0])
    branch = {"embed_samples", "cluster_samples", "find_outliers", "enrich_gene_sets"}
    assert reading == branch | {"report", "all", "explore"}
    own = r"import .*\b(exploration|embedding|clusters|outliers|differential|combatseq|negativebinomial)\b"
    for path in (REPOSITORY / "scripts/rna2model/models").glob("*.py"):
        assert not re.search(own, path.read_text()), path.name
    for name in ("fit_normalizer", "fit_batch_model", "train", "score", "bundle", "predict"):
        assert not re.search(own, (REPOSITORY / f"scripts/{name}.py").read_text()), name
