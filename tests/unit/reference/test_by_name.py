"""A reference by name: fetched once, whole, compared; without network the run says which files to put where."""

import csv
import gzip
import hashlib
import json
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlparse

import pytest

from rna2model.core import fetching
from rna2model.core.errors import InputProblem
from rna2model.inputs import config as configuration
from rna2model.planning import preflight
from rna2model.reference import by_name

NAMES = ("tiny genome.fa.gz", "genes.gtf")


@pytest.fixture
def site(tmp_path):
    """A folder of publisher's files, and the project folder."""
    folder, project = tmp_path / "site", tmp_path / "project"
    folder.mkdir()
    project.mkdir()
    (folder / NAMES[0]).write_bytes(gzip.compress(b">chr1\nACGTACGTACGTACGTACGT\n"))
    (folder / NAMES[1]).write_text('chr1\tx\texon\t1\t9\t.\t+\t.\tgene_id "g"; transcript_id "t"\n')
    return folder, project


def write_table(store, folder, **more):
    store.mkdir(exist_ok=True)
    fasta, gtf = ((folder / name).as_uri() for name in NAMES)
    row = {"name": "tiny", "annotation": "v1", "fasta": fasta, "gtf": gtf, **more}
    (store / "references.tsv").write_text("\t".join(row) + "\n" + "\t".join(row.values()) + "\n")
    return store


def ask(project, store=None, fetch=True, counts=None, **reference):
    """(problems, reference of the config, messages)."""
    messages = []
    empty = {"fasta": None, "gtf": None, "index": None, "name": "tiny", "annotation": "v1"}
    config = {"counts": counts, "reference": empty | {"store": str(store) if store else None} | reference}
    problems = by_name.resolve(config, [project], fetch, messages.append)
    return problems, config["reference"], messages


def test_files_are_fetched_once_into_the_store(site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder)
    problems, reference, messages = ask(project, store)
    assert problems == [] and len(messages) == 2
    place = store / "sources/tiny-v1"
    assert reference["fasta"] == str(place / NAMES[0]) and reference["gtf"] == str(place / NAMES[1])
    assert sorted(path.name for path in place.iterdir()) == sorted(
        [*NAMES, *(f"{name}.json" for name in NAMES)]
    )
    recorded = json.loads((place / f"{NAMES[0]}.json").read_text())
    assert recorded["sha256"] == hashlib.sha256((folder / NAMES[0]).read_bytes()).hexdigest()
    for name in NAMES:
        (folder / name).unlink()
    assert ask(project, store)[::2] == ([], [])


def test_a_whole_config_with_a_name_passes_and_jobs_fetch_nothing(site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder)
    (project / "r_R1.fastq.gz").write_bytes(gzip.compress(b"@r\nACGT\n+\nIIII\n"))
    (project / "samples.tsv").write_text("sample\tfastq_1\tkind\na\tr_R1.fastq.gz\tx\n")
    settings = {
        "samples": "samples.tsv",
        "design": {"target": "kind"},
        "reference": {"name": "tiny", "annotation": "v1", "store": str(store)},
    }
    _, _, problems = preflight.check(settings, [project])
    assert any("no such file" in text for text in problems) and not (store / "sources").exists()
    full, _, problems = preflight.check(settings, [project], thorough=True)
    assert not [text for text in problems if "reference" in text]
    assert full["reference"]["fasta"] == str(store / "sources/tiny-v1" / NAMES[0])


def test_a_matrix_needs_the_annotation_alone(site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder)
    _, reference, messages = ask(project, store, counts="counts.tsv")
    assert reference["fasta"] is None and reference["gtf"] and len(messages) == 1


def test_without_network_it_says_which_files_to_put_where(site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder)
    for name in NAMES:
        (folder / name).rename(tmp_path / name)
    (problem,), _, _ = ask(project, store)
    place = store / "sources/tiny-v1"
    assert problem.count(str(place)) == 1
    for text in (*NAMES, *((folder / name).as_uri() for name in NAMES)):
        assert text in problem
    for name in NAMES:
        (tmp_path / name).rename(place / name)
    assert ask(project, store)[0] == []
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


def test_without_a_store_they_lie_in_the_project(monkeypatch, site, tmp_path):
    folder, project = site
    table = write_table(tmp_path / "elsewhere", folder) / "references.tsv"
    monkeypatch.setattr(by_name, "TABLE", table)
    assert ask(project)[1]["gtf"] == str(project / "resources/references/tiny-v1" / NAMES[1])


@pytest.mark.parametrize("column", ["fasta_sha256", "gtf_sha256"])
def test_a_file_that_is_not_that_of_the_table_is_refused(column, site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder, **{column: "0" * 64})
    assert "is not the file of the table" in ask(project, store)[0][0]


def test_a_file_that_changed_since_its_first_use_is_refused(site, tmp_path):
    folder, project = site
    store = write_table(tmp_path / "store", folder)
    _, reference, _ = ask(project, store)
    with open(reference["gtf"], "a") as file:
        file.write("#\n")
    (problem,), _, _ = ask(project, store)
    assert "is not what it was when it was first used" in problem
    os.remove(reference["gtf"])
    assert ask(project, store)[0] == []


@pytest.mark.parametrize("listed", ["right", "wrong", "not listed", "no list"])
def test_a_download_is_compared_with_the_publishers_list(listed, site, tmp_path):
    folder, project = site
    sums = {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in NAMES}
    lines = {
        "right": [f"{sums[name]}  ./{name}" for name in NAMES],
        "wrong": [f"{sums[NAMES[0]]}  {NAMES[0]}", f"{'0' * 32} *{NAMES[1]}"],
        "not listed": ["0 other"],
    }
    if listed in lines:
        (folder / "MD5SUMS").write_text("\n".join(lines[listed]) + "\n")
    store = write_table(tmp_path / "store", folder, md5sums=(folder / "MD5SUMS").as_uri())
    problems, reference, messages = ask(project, store)
    assert bool(problems) == (listed == "wrong")
    assert os.path.exists(reference["gtf"]) == (listed != "wrong")
    assert any("not compared" in text for text in messages) == (listed in ("not listed", "no list"))


class Short(SimpleHTTPRequestHandler):
    """A server whose connection ends early."""

    def copyfile(self, source, outputfile):
        outputfile.write(source.read()[:10])

    def log_message(self, *text):
        pass


def test_a_download_that_ends_early_leaves_nothing(site, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Short, directory=str(site[0])))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(InputProblem, match="cannot be had"):
            fetching.fetch(f"http://127.0.0.1:{server.server_port}/genes.gtf", tmp_path / "new/genes.gtf")
    finally:
        server.shutdown()
        server.server_close()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    "reference, parts",
    [
        ({"name": "GRCh37"}, ["GRCh37 is not known", "did you mean GRCh38", "genomepy"]),
        ({"name": "xyz"}, ["known: tiny, GRCh38, GRCm39"]),
        ({"name": None}, ["needs a name", "GRCh38"]),
        ({"annotation": None}, ["needs an annotation", "known: v1"]),
        ({"name": "GRCh38", "annotation": "gencode_v12"}, ["gencode_v46, gencode_v47"]),
        ({"fasta": "g.fa"}, ["reference.fasta is given, too"]),
    ],
)
def test_what_is_not_known_is_answered_with_what_is(reference, parts, site, tmp_path):
    folder, project = site
    (problem,), _, messages = ask(project, write_table(tmp_path / "store", folder), **reference)
    assert all(text in problem for text in parts), problem
    assert messages == []


def test_genomepy_is_asked_for_by_its_providers(site, tmp_path):
    try:
        import genomepy  # noqa: F401
    except ImportError:
        (problem,), _, _ = ask(site[1], tmp_path / "store", name="sacCer3", annotation="UCSC")
        assert "pip install genomepy" in problem and "sacCer3.fa" in problem
    place = tmp_path / "store/sources/sacCer3-UCSC/sacCer3"
    place.mkdir(parents=True)
    for name in ("sacCer3.fa", "sacCer3.fa.fai", "sacCer3.annotation.gtf", "sacCer3.annotation.bed"):
        (place / name).write_text("")
    problems, reference, _ = ask(site[1], tmp_path / "store", name="sacCer3", annotation="UCSC")
    assert problems == [] and reference["fasta"] == str(place / "sacCer3.fa")
    assert reference["gtf"] == str(place / "sacCer3.annotation.gtf")


def test_the_table_has_an_address_of_each_file():
    rows = by_name.tables()
    assert len({(row["name"], row["annotation"]) for row in rows}) == len(rows) > 10
    names = configuration.schema("config")["properties"]["reference"]["properties"]["name"]["pattern"]
    for row in rows:
        assert configuration.re.match(names, row["name"]) and configuration.re.match(names, row["annotation"])
        for key, end in (("fasta", ".fa.gz"), ("gtf", ".gtf.gz")):
            address = urlparse(row[key])
            assert address.scheme == "https" and address.path.endswith(end)
            assert row["name"] in row["fasta"]
    with open(by_name.TABLE, newline="") as file:
        assert {len(line) for line in csv.reader(file, delimiter="\t")} == {6}
