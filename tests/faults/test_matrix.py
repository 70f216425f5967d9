"""Faults of count matrices: by the function that the rule calls, and by the rule."""

import csv
import gzip

import anndata
import numpy as np
import pytest

from rna2model.cohort import count_matrix, units
from rna2model.core import spike_ins
from rna2model.core.errors import InputProblem
from rna2model.qc import gate
from tests.faults.case import ACCEPTED, EXCLUDED, NOTED, STOPPED
from tests.faults.catalogue import AREAS
from tests.faults.conftest import parameters
from tests.faults.forked import snakemake
from tests.faults.project import NAMES, Project

CASES = AREAS["matrix"]


@pytest.mark.parametrize("case", parameters(CASES))
def test_what_the_matrix_says(case, tmp_path):
    project = Project(tmp_path, matrix=True)
    case.inject(project)
    unit, path = project.config.get("counts_unit", "counts"), tmp_path / project.config["counts"]
    if case.outcome == STOPPED:
        with pytest.raises(InputProblem) as raised:
            count_matrix.load(path, NAMES, unit)
        assert case.message in str(raised.value) and path.name in str(raised.value)
        return
    values, genes, notes = count_matrix.load(path, NAMES, unit)
    assert len(genes) == len(values)
    if case.outcome == ACCEPTED:
        assert np.array_equal(values, project.counts()) and notes == []
    else:
        none = spike_ins.find(genes)
        values = values[[gene not in none for gene in genes]]
        sizes = dict(zip(NAMES, values.sum(axis=0), strict=True))
        least = project.config.get("qc", {}).get("min_counts", 100)
        reasons = gate.too_small(sizes, "counts", units.empty_samples(NAMES, values, unit), least)
        rows = [gate.of_matrix(name, "", {}, 0, sizes[name], reasons.get(name, "")) for name in NAMES]
        gate.flag_small(rows, sizes, len(values))
        assert [row["sample"] for row in rows if row["reason"]] == ["s03"] * (case.outcome == EXCLUDED)
        assert case.message in "\n".join(
            [*notes, spike_ins.note(none, "drop"), rows[2]["flags"], rows[2]["reason"]]
        )
        assert values[:, 0].sum() == project.counts()[:, 0].sum()  # nothing of another sample is lost


@pytest.mark.parametrize("unit, place", [("counts", "layer"), ("tpm", "X"), ("log", "X")])
def test_an_h5ad_gives_what_the_unit_says(unit, place, tmp_path):
    counts = np.random.default_rng(2).poisson(50, (3, 40)).astype(float)
    held = {
        "counts": counts,
        "tpm": 1e6 * counts / counts.sum(axis=1, keepdims=True),
        "log": np.log2(1e6 * counts / counts.sum(axis=1, keepdims=True) + 1),
    }
    data = anndata.AnnData(held[unit] if place == "X" else held["log"], layers={"counts": counts})
    data.obs_names, data.var_names = ["a", "b", "c"], [f"g{i}" for i in range(40)]
    data.write_h5ad(tmp_path / "m.h5ad")
    assert np.allclose(count_matrix.load(tmp_path / "m.h5ad", ["a", "b", "c"], unit)[0], held[unit].T)


@pytest.fixture(scope="module")
def imported(together, tmp_path_factory):
    """{case: (project, finished run)} of every case, through the workflow's rule."""

    def run(case, folder):
        project = Project(folder, matrix=True)
        case.inject(project)
        project.write()
        return project, snakemake(folder, "results/samples.tsv", "--retries", "0", cores=1)

    folders = [tmp_path_factory.mktemp("matrix") for _ in CASES]
    return dict(zip(CASES, together.map(run, CASES, folders), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("case", parameters(CASES))
def test_what_the_workflow_makes_of_it(case, imported):
    project, run = imported[case]
    results = project.folder / "results"
    log = results / "logs/import_matrix/cohort.log"
    log = log.read_text() if log.exists() else run.text  # the first rows show it: no job was started
    assert "Traceback" not in run.text + log, run.text[-3000:] + log
    if case.outcome == STOPPED:
        assert run.returncode != 0 and ("error: " in run.text or "no job was started" in run.text)
        assert case.message in run.text and case.message in log
        assert not (results / "samples.tsv").exists() and not (results / "cohort.h5ad").exists()
        return
    assert run.returncode == 0, run.text[-3000:]
    with open(results / "samples.tsv", newline="") as file:
        rows = {row["sample"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert list(rows) == NAMES
    with gzip.open(results / "counts/matrix.tsv.gz", "rt") as file:
        header, *lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("ERCC-")]
    counts = dict(zip(header[1:], np.array([line[1:] for line in lines], dtype=int).T, strict=True))
    sound = dict(zip(NAMES, project.counts().T, strict=True))
    assert (rows["s03"]["status"] == "excluded") == (case.outcome == EXCLUDED)
    if case.outcome == EXCLUDED:
        assert case.message in rows["s03"]["reason"] and "s03" not in counts
    if case.outcome == NOTED:
        assert case.message in rows["s03"]["flags"] + log
    others = [name for name in NAMES if name != "s03"]
    assert all(counts[name].sum() == sound[name].sum() for name in others)
    if case.outcome == ACCEPTED:
        assert all(np.array_equal(counts[name], sound[name]) for name in NAMES)
