"""No cell of the sheet and no value of the config reaches a shell unquoted, and a run writes below its results only."""

import os
import re
import shlex
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rna2model.core import paths as places
from rna2model.inputs import config as configuration
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.faults import nasty
from tests.faults.project import Project
from tests.faults.test_reads import Run
from tests.workflow.conftest import make_demo

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
STAR = nasty.LEGAL.replace('"', "") + " star"
UNQUOTED = {  # strings of the config that tools are told as they are
    "results": lambda value: value,
    "trimming.umi": lambda value: value,
    "trimming.adapters": lambda value: [value],
    "alignment.tool": lambda value: value,
    "quantification.strandedness": lambda value: value,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("fuzz"))


@given(name=nasty.anything)
def test_a_name_is_safe_or_refused(project, name):
    project.raw = f'sample\tfastq_1\n"{name.replace(chr(34), chr(34) * 2)}"\treads/s01_R1.fastq.gz\n'.encode(
        "utf-8", "replace"
    )
    path = project.file("samples.tsv", project.raw)
    from rna2model.inputs import sheet

    samples, problems = sheet.read(path)
    assert problems or all(NAME.fullmatch(sample) for sample in samples)


@given(key=st.sampled_from(sorted(UNQUOTED)), value=nasty.anything)
def test_a_config_value_is_safe_or_refused(key, value):
    config = {}
    node = config
    *parents, last = key.split(".")
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = UNQUOTED[key](value)
    _, problems = configuration.complete(config)
    assert problems or (
        shlex.quote(value).strip("'") == value and not re.search(r"[\s;&|$`<>*?~#\\{}]", value)
    )


def harmful(folder, texts):
    """A project whose paths and metadata are `texts`, in every place that takes free text; paths that must be quoted."""
    project, name = Project(folder), nasty.as_file_name
    for number, (row, text) in enumerate(zip(project.rows, texts, strict=False)):
        path = f"reads/{name(text)[:60]}{number}_R1.fastq.gz"
        (folder / row["fastq_1"]).rename(folder / path)
        row["fastq_1"] = path
    for key, old in (("fasta", "genome.fa"), ("gtf", "annotation.gtf")):
        new = f"{name(texts[0])[:60]} {old}"
        (folder / old).rename(folder / new)
        project.config["reference"][key] = new
    star = name(texts[1]).replace('"', "")[:60] + " star"  # STAR ends a path at that mark
    rrna = f"{name(texts[2])[:60]} rrna.fa"
    for file in ("Genome", "SA", "SAindex", "chrNameLength.txt"):
        project.file(f"{star}/{file}", "x")
    project.file(f"{star}/genomeParameters.txt", "versionGenome 2.7.4a\n")
    project.file(rrna, ">a\nACGT\n")
    project.config["reference"]["index"], project.config["trimming"] = star, {"rrna": rrna}
    project.fill("condition", [f"{texts[0]} {'ab'[i % 2]}" for i in range(12)])
    project.fill("batch", [f"{texts[1]} {'xyz'[i // 4]}" for i in range(12)])
    project.cell(12, "exclude", texts[2])
    return project, [folder / star, folder / rrna]


def assert_nothing_unquoted(text, paths):
    """What is left of the shell commands without the quoted paths holds nothing of them."""
    for path in paths:
        text = text.replace(shlex.quote(str(path)), "")
    commands = [line for line in text.splitlines() if not line.startswith(("    input: ", "    reason: "))]
    assert not [line for line in commands if "CANARY" in line]


@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.sampled_from(nasty.PARTS[:9]), min_size=4, max_size=4, unique=True))
def test_printed_commands_quote_every_path(tmp_path, texts):
    folder = tmp_path / "fuzz"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    project, paths = harmful(folder, texts)
    project.write()
    run = snakemake(folder, "--dry-run", "--printshellcmds", "results/counts/matrix.tsv.gz", check=True)
    named = [places.below(str(folder), str(path)) for path in paths]
    assert shlex.quote(named[0]) in run.text and shlex.quote(named[1]) in run.text
    assert_nothing_unquoted(run.text, named)
    assert not list(folder.rglob("CANARY"))


def contents(folder):
    """{path below folder: (mode, size, time of change)} apart from results and Snakemake's own notes."""
    files = {}
    for path in folder.rglob("*"):
        place = path.relative_to(folder)
        if place.parts[0] not in ("results", ".snakemake"):
            stat = path.lstat()
            files[str(place)] = (stat.st_mode, stat.st_size if path.is_file() else 0, stat.st_mtime_ns)
    return files


@pytest.mark.slow
def test_a_run_on_nasty_but_legal_paths(tmp_path):
    """Reads, genome, annotation, index and ribosomal RNA under such names; the counts are those of plain names."""
    plain, folder = tmp_path / "plain", tmp_path / "nasty"
    make_demo(plain, "--pairs", "1500")
    names = ("d02_b1", "d08_b1")
    rows = [[name, *(str(plain / f"reads/{name}_R{mate}.fastq.gz") for mate in (1, 2))] for name in names]
    expected = Run(plain, rows)

    folder.mkdir()
    for row in rows:
        for mate in (1, 2):
            path = folder / f"{nasty.LEGAL} {row[0]}_R{mate}.fastq.gz"
            shutil.copyfile(row[mate], path)
            row[mate] = path.name
    for name in ("genome.fa", "annotation.gtf"):
        shutil.copyfile(plain / name, folder / f"{nasty.LEGAL} {name}")
    shutil.copytree(plain / "results/reference/star", folder / STAR)
    (folder / f"{nasty.LEGAL} rrna.fa").write_text(">rrna\n" + "ACGGTCATTGCA" * 20 + "\n")
    sheet = ["sample\tfastq_1\tfastq_2\tcondition"]
    sheet += [
        "\t".join(['"' + cell.replace('"', '""') + '"' for cell in [*row, f"{nasty.LEGAL} {row[0]}"]])
        for row in rows
    ]
    (folder / "samples.tsv").write_text("\n".join(sheet) + "\n")
    settings = {"samples": "samples.tsv", "qc": {"min_reads": 100, "fastqc_reads": 0, "rseqc_fragments": 0}}
    settings["reference"] = {
        "fasta": f"{nasty.LEGAL} genome.fa",
        "gtf": f"{nasty.LEGAL} annotation.gtf",
        "index": STAR,
    }
    settings["trimming"] = {"rrna": f"{nasty.LEGAL} rrna.fa"}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True))
    (folder / "samples.tsv").chmod(0o444)
    before = contents(folder)
    snakemake(folder, *LOCAL, "--printshellcmds", "results/counts/matrix.tsv.gz", check=True)
    assert contents(folder) == before  # nothing is written beside the results, no permission is changed
    assert not list(tmp_path.rglob("CANARY"))
    matrix = (folder / "results/counts/matrix.tsv.gz").read_bytes()
    assert matrix == (plain / "results/counts/matrix.tsv.gz").read_bytes() and expected.counts


@pytest.mark.slow
def test_a_run_on_nasty_metadata(tmp_path):
    """Classes, batches, donors, reasons and column names that a shell, a page or a table could misread."""
    project = Project(tmp_path, matrix=True)
    for old, new in (
        ("condition", "$(touch CANARY) <b>"),
        ("batch", "`touch CANARY`"),
        ("donor", "it's; touch CANARY"),
    ):
        project.columns[project.columns.index(old)] = new
        for row in project.rows:
            row[new] = f"{nasty.LEGAL} {row.pop(old)} <script>alert(1)</script>"
    project.config["design"] = {
        "target": "$(touch CANARY) <b>",
        "batch": "`touch CANARY`",
        "group": "it's; touch CANARY",
    }
    project.cell(12, "$(touch CANARY) <b>", "")  # a new sample, which is predicted
    project.cell(11, "exclude", f"{nasty.LEGAL} <script>alert(1)</script>")
    project.set("models", ["logistic_l2"])
    project.config["evaluation"] |= {"folds": 2, "inner_folds": 2, "permutations": 5}
    project.write()
    before = contents(tmp_path)
    run = snakemake(tmp_path, *LOCAL, check=True)
    assert contents(tmp_path) == before
    assert not list(tmp_path.rglob("CANARY")) and "Traceback" not in run.text
    predictions = (tmp_path / "results/predictions.tsv").read_text()
    assert "s12" in predictions
    page = (tmp_path / "results/report.html").read_text()
    assert "<script>alert(1)" not in page
    assert os.stat(tmp_path / "results").st_mode & 0o002 == 0  # nobody else may write there
