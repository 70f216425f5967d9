"""Jobs that die for reasons other than the data: the rest goes on, the failure is named, nothing is built on the hole."""

import pandas as pd
import pytest

from rna2model import simulate
from tests.conftest import LOCAL, REPOSITORY

PAIRS = 20_000  # of the large library: its alignments outgrow a limit that its reads, and the others, keep
LIMIT = 1_500_000  # bytes of a file


@pytest.fixture
def one_too_large(tiny):
    """Four small libraries and a large one, and an index that is already there."""
    definition = simulate.read_definition(REPOSITORY / "resources/demo/demo.yaml")
    definition["cohort"] |= {"donors": {"control": 1, "treated": 1}, "batches": {"b1": 1.0}}
    definition["cohort"] |= {"two_lanes": [], "faulty": {}, "new": []}
    definition["reads"]["pairs"] = PAIRS
    simulate.make(definition, tiny.folder / "large")
    row = tiny.sheet.iloc[0].copy()
    row["sample"], row["fastq_1"], row["fastq_2"] = (
        "large",
        *(f"large/reads/d01_b1_R{mate}.fastq.gz" for mate in (1, 2)),
    )
    tiny.others = list(tiny.sheet["sample"])
    tiny.sheet = pd.concat([tiny.sheet, pd.DataFrame([row])])
    tiny(str(tiny.results / "reference/star"), *LOCAL, sheet=tiny.sheet, check=True)
    return tiny


def test_a_disk_that_is_full_for_one_sample_stops_that_sample_only(one_too_large):
    """A limit on the size of files stands for the disk: what writes beyond it is killed."""
    tiny = one_too_large
    limit = ["prlimit", f"--fsize={LIMIT}"]
    few = {
        "min_reads": 100,
        "fastqc_reads": 1000,
    }  # so that FastQC's part of the large library keeps the limit
    failed = tiny("counts", *LOCAL, sheet=tiny.sheet, check=False, within=limit, qc=few)
    assert "rna2model: 1 job failed after all retries (sample, rule, log):" in failed.text
    log = tiny.results / "logs/align_star/large.log"
    assert f"  large  align_star  {log}" in failed.text
    assert failed.text.count("Error in rule align_star") == 3  # tried again, twice
    assert all((tiny.results / f"qc/samples/{name}.json").is_file() for name in tiny.others)
    assert not (tiny.results / "aligned/star/large.bam").exists()
    for name in ("samples.tsv", "cohort.h5ad", "counts/matrix.tsv.gz"):
        assert not (tiny.results / name).exists()

    tiny("counts", *LOCAL, sheet=tiny.sheet, check=True)
    status = (tiny.results / "samples.tsv").read_text().splitlines()
    assert len(status) == 6 and all("\tincluded\t" in line for line in status[1:])
