"""What sequencing centres deliver, through every pair of aligner and counter: no fragment is lost, none counted twice."""

import pandas as pd
import pytest
import yaml

from rna2model.fragments import FATES
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow import oddreads
from tests.workflow.conftest import Run

SETTINGS = {
    "star-featurecounts": {},
    "star-htseq": {"trimming": {"tool": "cutadapt"}, "quantification": {"tool": "htseq"}},
    "star-star": {"trimming": {"tool": "trim_galore"}, "quantification": {"tool": "star"}},
    "hisat2-featurecounts": {"trimming": {"tool": "none"}, "alignment": {"tool": "hisat2"}},
    "hisat2-htseq": {
        "alignment": {"tool": "hisat2", "min_mapq": 1, "multimappers": "primary"},
        "quantification": {"tool": "htseq"},
    },
    "star-salmon": {"quantification": {"tool": "salmon"}},
    "star-umi-featurecounts": {"trimming": {"umi": "in_name"}},
    "hisat2-umi-htseq": {
        "trimming": {"umi": "in_name"},
        "alignment": {"tool": "hisat2"},
        "quantification": {"tool": "htseq"},
    },
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    found = oddreads.World()
    found.folder = tmp_path_factory.mktemp("odd")
    found.write(found.folder)
    return found


def count(world, name, sheet, **settings):
    """Run the workflow on rows of a sheet up to the count matrix."""
    table = pd.DataFrame(sheet)
    table["condition"] = ["a", "b"] * (len(table) // 2) + ["a"] * (len(table) % 2)
    table.to_csv(world.folder / f"{name}.tsv", sep="\t", index=False)
    config = {
        "samples": f"{name}.tsv",
        "results": f"results_{name}",
        "reference": {"fasta": "genome.fa", "gtf": "annotation.gtf"},
        "qc": {"min_reads": 100, "min_mapped_pct": 10, "min_assigned_pct": 10, "fastqc_reads": 0},
        **settings,
    }
    (world.folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
    results = world.folder / config["results"]
    targets = [f"{config['results']}/counts/matrix.tsv.gz", f"{config['results']}/samples.tsv"]
    run = snakemake(world.folder, *LOCAL, *targets, config=f"{name}.yaml", check=True)
    return Run(world.folder, results, run.text)


def check(run, libraries, least=0.97):
    """Every fragment of {sample: library} is somewhere, and the genes have what was drawn from them."""
    status, counts = run.table("samples.tsv").set_index("sample"), run.matrix()
    for name, library in libraries.items():
        row = status.loc[name]
        assert row["status"] == "included" and int(row["unaccounted"]) == 0 and "but" not in row["flags"], row
        assert int(row["reads"]) == len(library.records) == row[FATES].astype(int).sum()
        sure, maybe = library.drawn(oddreads.SURE), library.drawn(oddreads.MAYBE)
        total = 0
        for gene, number in counts[name].items():
            total += number
            assert number <= sure[gene] + 2 * maybe[gene], (name, gene)
        assert least * sum(sure.values()) <= total <= sum(sure.values()) + sum(maybe.values()), name
    return status


@pytest.mark.parametrize("way", SETTINGS)
def test_every_fragment_is_counted_once(world, way):
    settings = SETTINGS[way]
    umi = "umi" in settings.get("trimming", {})
    libraries = {f"{kind}_{way}": oddreads.Library(world, way + kind, umi=umi) for kind in ("pair", "single")}
    sheet = []
    for name, library in libraries.items():
        files = library.write(world.folder, name, mates=(1, 2) if name.startswith("pair") else (1,))
        sheet.append(
            {"sample": name} | {f"fastq_{mate}": file.name for mate, file in enumerate(files, start=1)}
        )
    run = count(world, way, sheet, **settings)
    status = check(run, libraries)
    failed = sum(record[3] == "Y" for record in libraries[f"pair_{way}"].records)
    assert (status["failed_filter"].astype(int) == failed).all()
