"""One run from a shell that sets everything at once that has ever changed what a tool does, and the page of its samples."""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from rna2model.qc import fastqc_archive
from tests.command import LOCAL, REPOSITORY
from tests.conftest import snakemake
from tests.workflow.conftest import Run, make_demo

SAMPLES = ["A", "A.bam", "A_trimmed"]
# Names that MultiQC would cut short, or whose files look like those of another tool.
NAMES = [
    *SAMPLES,
    "A_fastqc",
    "A.Log",
    "S_val_1",
    "A_1",
    "A.fastq",
    "A.stats",
    "A.txt",
    "A.json",
    "x_mqc",
    "fastqc_data",
]
NAMES += [
    "infer_experiment",
    "B.idxstat",
    "A.stats.txt",
    "A_fastqc.zip",
    "A.fastp",
    "Log.final.out",
    "a.summary",
    "A.htseq",
]
NAMES += [
    "A.geneBodyCoverage",
    "A.inner_distance_freq",
    "A.Log.final.out",
    "A.fastqc_theoretical_gc",
    "00",
    "1e5",
    "NA",
]
NAMES += ["not_aligned", "multiqc_data", "__pycache__", "fastqc"]  # folders that MultiQC would pass over


def hostile(folder, german):
    """Variables of a shell in which tools do something else."""
    python = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for place in ("modules", f"user/{python}", "user/lib/python3/site-packages"):
        (folder / place).mkdir(parents=True)
        for module in ("numpy", "pysam", "HTSeq", "yaml"):
            (folder / place / f"{module}.py").write_text("raise SystemExit('a module of the shell')")
    (folder / "strict.pm").write_text("die 'a module of the shell';")
    (folder / "bash_env").write_text("awk() { echo broken; }; sort() { return 3; }; set -o noclobber\n")
    (folder / "multiqc.yaml").write_text("sample_names_ignore: ['*']\n")
    return german | {
        "HOME": "/proc/none",
        "TMPDIR": str(folder / "not there"),
        "PYTHONPATH": str(folder / "modules"),
        "PYTHONUSERBASE": str(folder / "user"),
        "PYTHONSTARTUP": str(folder / "bash_env"),
        "MPLBACKEND": "module://not_there",
        "MULTIQC_CONFIG_PATH": str(folder / "multiqc.yaml"),
        "BASH_ENV": str(folder / "bash_env"),
        "ENV": str(folder / "bash_env"),
        "BASH_FUNC_samtools%%": "() { return 3; }",
        "CDPATH": str(folder),
        "GREP_OPTIONS": "--invert-match",
        "POSIXLY_CORRECT": "1",
        "TAR_OPTIONS": "--totals",
        "AWKPATH": "/proc/none",
        "_JAVA_OPTIONS": "-Xmx1m",
        "CLASSPATH": str(folder),
        "PERL5LIB": str(folder),
        "R_LIBS": "/proc/none",
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory, german):
    """(clean, hostile): the same three small libraries, one of them single-end, counted from either shell."""
    folder = tmp_path_factory.mktemp("shells")
    make_demo(folder, "--pairs", "150")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    names = dict(zip(["d02_b1", "d02_b2", "d08_b2"], SAMPLES, strict=True))
    sheet = sheet[sheet["sample"].isin(names)].replace({"sample": names})
    sheet.loc[sheet["sample"] == "A.bam", "fastq_2"] = ""
    sheet.to_csv(folder / "samples.tsv", sep="\t", index=False)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {"qc": {"min_reads": 50, "rseqc_fragments": 100}, "evaluation": {"folds": 2}}
    for shell in ("clean", "hostile"):
        settings = config | {"results": str(folder / shell)}
        (folder / f"{shell}.yaml").write_text(yaml.safe_dump(settings))
    counted = [str(folder / "clean" / name) for name in ("counts/matrix.tsv.gz", "samples.tsv")]
    snakemake(folder, *LOCAL, *counted, config="clean.yaml", check=True)
    (folder / "shell").mkdir()
    variables = [f"{name}={value}" for name, value in hostile(folder / "shell", german).items()]
    shell = ["bash", "-c", 'umask 077; exec env "$@"', "-", *variables]
    done = snakemake(folder, *LOCAL, "counts", config="hostile.yaml", check=True, within=shell)
    return Run(folder, folder / "clean"), Run(folder, folder / "hostile", done.text)


def test_the_shell_changes_no_byte_of_the_counts(runs):
    clean, other = runs
    tables = ["samples.tsv", "counts/matrix.tsv.gz", *(f"counts/{name}.tsv" for name in SAMPLES)]
    assert set(clean.table("samples.tsv")["status"]) == {"included"}
    for table in tables:
        assert filecmp.cmp(clean.results / table, other.results / table, shallow=False), table
    assert "temporary files go to /" in other.log
    assert (other.results / "samples.tsv").stat().st_mode & 0o077 == 0  # the user's umask holds
    for name in SAMPLES:  # RSeQC saw a share of each, which a decimal comma has broken
        assert "Total Tags" in (other.results / f"qc/{name}/{name}.rseqc.txt").read_text()


def test_every_sample_is_on_the_page_under_its_own_name(runs):
    check_names(runs[1].results / "multiqc/multiqc_report_data", SAMPLES)


def check_names(folder, names):
    """Each table of MultiQC's data has these samples, or their mates (of A.bam, single-end, the first)."""
    tables = sorted(folder.glob("multiqc_*.txt"))
    assert len(tables) > 8
    for table in tables:
        if table.stem.removeprefix("multiqc_") in ("sources", "software_versions", "citations"):
            continue
        samples = [line.split("\t")[0] for line in table.read_text().splitlines()[1:]]
        mates = [f"{name}_R{mate}" for name in names for mate in (1, 2)]
        if "fastqc" in table.stem:
            assert set(samples) <= set(mates) and {f"{name}_R1" for name in names} <= set(samples), table
        else:
            assert sorted(samples) == sorted(names), table


@pytest.fixture(scope="module")
def other_tools(runs):
    """QC files of one of the samples by the other trimmer, aligner and counter."""
    folder = runs[0].folder
    config = yaml.safe_load((folder / "clean.yaml").read_text())
    config |= {"results": str(folder / "other"), "trimming": {"tool": "cutadapt"}}
    config |= {"alignment": {"tool": "hisat2"}, "quantification": {"tool": "htseq"}}
    (folder / "other.yaml").write_text(yaml.safe_dump(config))
    snakemake(folder, *LOCAL, str(folder / "other/counts/A_trimmed.tsv"), config="other.yaml", check=True)
    return Run(folder, folder / "other")


def test_no_name_is_cut_short_or_taken_for_another_tools(runs, other_tools, tmp_path):
    """Real files of one sample under many names, through the page's settings."""
    listed = []
    ours = ("A_trimmed.json", ".library.json", ".reads.json", ".SJ.out.tab")  # which no module reads
    for run in (runs[1], other_tools):
        files = [path for path in (run.results / "qc/A_trimmed").iterdir() if not path.name.endswith(ours)]
        for path in fastqc_archive.unpacked(sorted(files), tmp_path / run.results.name):
            stage = Path("fastqc", path.parent.name) if path.suffix == ".zip" else None
            for name in NAMES:
                listed.append(tmp_path / "qc" / (stage or name) / path.name.replace("A_trimmed", name, 1))
                listed[-1].parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, listed[-1])
    (tmp_path / "files.txt").write_text("".join(f"{path}\n" for path in listed))
    command = ["multiqc", "--quiet", "--no-version-check", "--config", REPOSITORY / "resources/multiqc.yaml"]
    command += [
        "--file-list",
        tmp_path / "files.txt",
        "--outdir",
        tmp_path / "page",
        "--filename",
        "page.html",
    ]
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    subprocess.run(list(map(str, command)), check=True, env=os.environ | {"PATH": path})
    check_names(tmp_path / "page/page_data", NAMES)
