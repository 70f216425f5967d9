"""Two projects with the same genome under other paths, plain and packed, and one index; naming a store runs nothing again."""

import gzip
import shutil

import yaml

from tests.conftest import snakemake

INDEX = "results/reference/hisat2"


def test_projects_share_an_index_and_keep_their_results(tiny, tmp_path_factory):
    store = tmp_path_factory.mktemp("shared") / "re fs (ü) & 'x'"
    config = {"alignment": {"tool": "hisat2"}}
    tiny(INDEX, "--quiet", check=True, **config)
    log = (tiny.folder / "results/logs/index_hisat2/reference.log").read_text()
    assert "reference.store" not in log
    with_store = {**config, "reference": {"fasta": "genome.fa", "gtf": "annotation.gtf", "store": str(store)}}
    assert "Nothing to be done" in tiny(INDEX, check=True, **with_store).text
    shutil.rmtree(tiny.folder / INDEX)
    tiny(INDEX, "--quiet", check=True, **with_store)
    (place,) = (store / "indices").glob("hisat2-*-*[0-9a-f]")
    assert (tiny.folder / INDEX / "genome.1.ht2").resolve().parent == place / "index"

    other = tmp_path_factory.mktemp("elsewhere")
    for name in ("reads", "samples.tsv", "annotation.gtf"):
        source = tiny.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, other / name)
    (other / "g.fa.gz").write_bytes(gzip.compress((tiny.folder / "genome.fa").read_bytes()))
    settings = yaml.safe_load((tiny.folder / "config.yaml").read_text())
    settings |= {"samples": "samples.tsv", "results": "results"}
    settings["reference"] |= {"fasta": "g.fa.gz"}
    (other / "config.yaml").write_text(yaml.safe_dump(settings))
    snakemake(other, INDEX, "--quiet", check=True)
    assert "the index is" in (other / "results/logs/index_hisat2/reference.log").read_text()
    assert (other / INDEX / "genome.1.ht2").samefile(tiny.folder / INDEX / "genome.1.ht2")
    store.rename(store.with_name("moved"))
    gone = snakemake(other, INDEX, "-n")
    assert gone.returncode and "reference.store" in gone.text
