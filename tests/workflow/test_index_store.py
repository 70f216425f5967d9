"""A project and a serving run with the same genome under other paths, plain and packed, and one index; naming a store runs
nothing again."""

import gzip
import shutil

import pandas as pd

from rna2model.inputs import config as configuration
from rna2model.inputs import frozen_bundle
from rna2model.planning import predict_run
from rna2model.serving import manifest
from tests.conftest import snakemake

INDEX = "results/reference/hisat2"
CONFIG = {"alignment": {"tool": "hisat2"}}


def write_bundle(folder, trained):
    """A bundle that says how the project in `trained` counts; its reference and index are no longer where they were."""
    full, _ = configuration.complete({**CONFIG, "design": {"target": "condition"}})
    files = {"fasta": trained / "genome.fa", "gtf": trained / "annotation.gtf"}
    reference_facts = frozen_bundle._facts(
        {"reference": {}}, full | {"results": str(folder / "none"), "reference": files}
    )
    facts = {"reference": reference_facts | {"fasta": "/gone/genome.fa", "gtf": "/gone/annotation.gtf"}}
    facts |= {"counting": {name: full[name] for name in frozen_bundle.COUNTING}, "rrna_sha256": None}
    facts |= {"counts_unit": "counts", "index": "/gone/hisat2", "model": "dummy", "target": "condition"}
    facts |= {key: full[key] for key in ("design", "expression", "qc")}
    facts["training"] = manifest.remember(["s1", "s2"], None, None, "salt")
    (folder / "bundle").mkdir()
    manifest.write(folder / "bundle", facts)
    return folder / "bundle"


def serve(folder, trained, store):
    """A serving run whose reference has a name in the table of the store, and the genome packed."""
    packed = folder / "g.fa.gz"
    packed.write_bytes(gzip.compress((trained / "genome.fa").read_bytes()))
    row = ("tiny", "v1", packed.as_uri(), (trained / "annotation.gtf").as_uri())
    table = pd.DataFrame([row], columns=["name", "annotation", "fasta", "gtf"])
    table.to_csv(store / "references.tsv", sep="\t", index=False)
    reads = {f"fastq_{mate}": [trained / f"reads/d02_b1_R{mate}.fastq.gz"] for mate in (1, 2)}
    pd.DataFrame({"sample": ["new"]} | reads).to_csv(folder / "new.tsv", sep="\t", index=False)
    reference = folder / "ref.yaml"
    reference.write_text(f'reference: {{name: tiny, annotation: v1, store: "{store}"}}\n')
    _, config = predict_run.write(
        predict_run.look(write_bundle(folder, trained), folder / "new.tsv", reference=reference)
    )
    return snakemake(folder, INDEX, "--quiet", config=config, check=True)


def test_projects_and_serving_share_an_index_and_keep_their_results(tiny, tmp_path_factory):
    store = tmp_path_factory.mktemp("shared") / "re fs (ü) & 'x'"
    tiny(INDEX, "--quiet", check=True, **CONFIG)
    log = (tiny.folder / "results/logs/index_hisat2/reference.log").read_text()
    assert "reference.store" not in log
    with_store = {**CONFIG, "reference": {"fasta": "genome.fa", "gtf": "annotation.gtf", "store": str(store)}}
    assert "Nothing to be done" in tiny(INDEX, check=True, **with_store).text
    shutil.rmtree(tiny.folder / INDEX)
    tiny(INDEX, "--quiet", check=True, **with_store)
    (place,) = (store / "indices").glob("hisat2-*-*[0-9a-f]")
    assert (tiny.folder / INDEX / "genome.1.ht2").resolve().parent == place / "index"

    served = tmp_path_factory.mktemp("core facility")
    serve(served, tiny.folder, store)
    assert "the index is" in (served / "results/logs/index_hisat2/reference.log").read_text()
    assert (served / INDEX / "genome.1.ht2").samefile(tiny.folder / INDEX / "genome.1.ht2")

    store.rename(store.with_name("moved"))
    gone = snakemake(tiny.folder, INDEX, "-n")
    assert gone.returncode and "name the store that has" in gone.text
