"""What a finished run holds of each sample: few files, few records, and all of it in MultiQC."""

import base64
import json

import pytest

# Alignments and index, counts; FastQC, the counter, the trimmer, the input check, library, alignments, RSeQC, STAR's two, facts.
RESULTS, JOBS = 13, 8
WITHOUT_READS = {"truncated"}
WITHOUT_GENES = WITHOUT_READS | {"wrong_organism"}


def records(folder):
    """Paths of which Snakemake keeps a record; long names it cuts into folders."""
    root = folder / ".snakemake/metadata"
    names = [
        "".join(part.removeprefix("@") for part in path.relative_to(root).parts)
        for path in root.rglob("*")
        if path.is_file()
    ]
    return [base64.b64decode(name).decode() for name in names]


def test_a_sample_leaves_few_files_and_records(demo):
    names = sorted(demo.table("samples.tsv")["sample"])
    files = [path.relative_to(demo.results).parts for path in demo.results.rglob("*") if path.is_file()]
    known = records(demo.folder)
    for name in names:
        of_sample = [parts for parts in files if name in (parts[-1].split(".")[0], parts[-1].split("_R")[0])]
        kinds = [parts[0] for parts in of_sample]
        assert (kinds.count("logs"), kinds.count("benchmarks")) == (JOBS, JOBS), of_sample
        assert len(kinds) - 2 * JOBS == RESULTS < 20, of_sample
        assert {parts[1] for parts in of_sample if parts[0] == "qc"} == {name}
        # and six of temporary reads: prepared, trimmed, and those for FastQC, of each mate
        assert (
            len([path for path in known if path.split("/")[-1].startswith((f"{name}.", f"{name}_R"))])
            == RESULTS + 6
            < 20
        )
    assert sorted(path.name for path in (demo.results / "qc").iterdir()) == names


@pytest.mark.parametrize(
    ("table", "without"),
    [
        ("multiqc_sample_status", set()),
        ("multiqc_fragment_fates", set()),
        ("multiqc_strandedness", WITHOUT_GENES),
        ("multiqc_fastp", set()),
        ("multiqc_star", set()),
        ("multiqc_samtools_stats", set()),
        ("multiqc_featurecounts", set()),
        ("multiqc_fastqc_fastqc_raw", set()),
        ("multiqc_fastqc_fastqc_trimmed", set()),
        ("multiqc_rseqc_read_distribution", WITHOUT_READS),
        ("multiqc_rseqc_junction_annotation", WITHOUT_GENES),
        ("rseqc_gene_body_cov", WITHOUT_GENES),
    ],
)
def test_multiqc_has_every_sample_of_every_tool(demo, table, without):
    data = json.loads((demo.results / "multiqc/multiqc_report_data/multiqc_data.json").read_text())
    names = set(demo.table("samples.tsv")["sample"]) - without
    mates = {f"{name}_R{mate}" for name in names for mate in (1, 2)}
    assert set(data["report_saved_raw_data"][table]) == (mates if "fastqc" in table else names)
