"""Each way from reads to counts that a config may choose, with the real tools, on two small libraries.

The truth is what the simulation drew; every run must also account for every fragment (rule tally_fragments fails
otherwise).
"""

import gzip
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

from rna2model.qc.fragment_fates import FATES
from tests.command import LOCAL
from tests.conftest import snakemake
from tests.workflow.conftest import Run, make_demo

NAMES = ["d02_b1", "d08_b2"]
UMI = 8


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """Two libraries (the second comes as two lanes), their truth, and a function that runs the workflow on them."""
    folder = tmp_path_factory.mktemp("options")
    make_demo(folder, "--pairs", "400")
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet = sheet[sheet["sample"].isin(NAMES)]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config |= {
        "evaluation": {"folds": 2},
        "expression": {},
        "design": {},
        "qc": {"min_reads": 100, "rseqc_fragments": 0},
    }

    def run(name, sheet=sheet, quality_page=False, **changes):
        results = folder / name
        sheet.to_csv(folder / f"{name}.tsv", sep="\t", index=False)
        settings = {**config, "samples": f"{name}.tsv", "results": str(results), **changes}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
        targets = ["counts"] if quality_page else [str(results / "samples.tsv"), str(results / "cohort.h5ad")]
        done = snakemake(folder, *LOCAL, *targets, config=f"{name}.yaml", check=True)
        return Run(folder, results, done.text)

    run.folder, run.sheet = folder, sheet
    run.truth = pd.read_csv(folder / "truth/counts.tsv", sep="\t", index_col=0)
    return run


@pytest.fixture(scope="module")
def hisat2(libraries):
    return libraries("aligned", alignment={"tool": "hisat2"}, trimming={"tool": "none"})


def check(libraries, run, least=0.97, names=NAMES):
    """All included, counts as simulated, nothing lost; returns samples.tsv."""
    status = run.table("samples.tsv").set_index("sample")
    assert (status.loc[names, "status"] == "included").all(), status["reason"]
    assert set(status["strandedness"]) <= {"reverse", "unstranded"}
    assert (status.loc[names, "strandedness"] == "reverse").all()
    fates = status[FATES].astype(int)
    assert (fates.sum(axis=1) == status["reads"].astype(int)).all()
    counts = run.matrix()
    for name in names:
        truth = libraries.truth.loc[counts.index, name]
        assert counts[name].corr(truth, method="spearman") > least, name
    return fates


def test_trim_galore_hisat2_htseq_with_multimappers_at_their_best_place(libraries):
    run = libraries(
        "galore",
        quality_page=True,
        trimming={"tool": "trim_galore"},
        alignment={"tool": "hisat2", "min_mapq": 1, "multimappers": "primary"},
        quantification={"tool": "htseq"},
    )
    fates = check(libraries, run)
    assert (fates["trimmed"] > 0).all() and (fates["multimapped"] == 0).all()
    assert "broke" not in (run.results / "logs/multiqc/cohort.log").read_text()


def test_salmon_alone(libraries):
    run = libraries(
        "salmon", quality_page=True, alignment={"tool": "none"}, quantification={"tool": "salmon"}
    )
    check(libraries, run)
    assert not (run.results / "aligned").exists()
    assert "broke" not in (run.results / "logs/multiqc/cohort.log").read_text()
    assert run.table("samples.tsv")["sense_pct"].astype(float).max() < 5


def test_salmon_beside_an_aligner_with_cutadapt_and_given_adapters(libraries):
    trimming = {"tool": "cutadapt", "poly_a": True, "poly_g": False, "adapters": ["AGATCGGAAGAGC"]}
    run = libraries("both", trimming=trimming, quantification={"tool": "salmon"})
    check(libraries, run)
    assert (run.table("samples.tsv")["mapped_pct"].astype(float) > 97).all()


def test_star_counts_in_two_passes_without_trimming_and_with_a_given_index(libraries):
    first = libraries(
        "star", trimming={"tool": "none"}, quantification={"tool": "star"}, keep={"alignments": False}
    )
    check(libraries, first)
    assert not list(first.results.glob("aligned/*/*"))
    reference = {
        "fasta": "genome.fa",
        "gtf": "annotation.gtf",
        "index": str(first.results / "reference/star"),
    }
    options = {"alignment": {"two_pass": True}, "quantification": {"tool": "star"}, "keep": {"trimmed": True}}
    second = libraries("star2", reference=reference, **options)
    check(libraries, second)
    assert not (second.results / "reference/star").exists()
    assert len(list(second.results.glob("reads/trimmed/paired/*"))) == 4


def test_an_index_of_another_genome_is_refused(libraries, tmp_path):
    other = libraries.folder / "other.fa"
    other.write_text((libraries.folder / "genome.fa").read_text() + ">chrX\n" + "ACGT" * 100 + "\n")
    index = libraries.folder / "other_index"
    if not index.exists():
        index.mkdir()
        subprocess.run(["hisat2-build", "-q", libraries.folder / "genome.fa", index / "any_name"], check=True)
    reference = {"fasta": "other.fa", "gtf": "annotation.gtf", "index": str(index)}
    settings = yaml.safe_load((libraries.folder / "config.yaml").read_text())
    settings |= {
        "reference": reference,
        "alignment": {"tool": "hisat2"},
        "results": str(tmp_path / "results"),
    }
    settings |= {"evaluation": {"folds": 2}}
    (libraries.folder / "other.yaml").write_text(yaml.safe_dump(settings))
    target = str(tmp_path / "results/reference/index_sequences.tsv")
    refused = snakemake(libraries.folder, *LOCAL, target, config="other.yaml", check=False)
    assert "it lacks, or has in another length, chrX 400" in refused.text


@pytest.mark.parametrize("tool", ["cutadapt", "trim_galore"])
def test_a_single_end_sample_gets_the_adapter_of_r1_only(libraries, tool):
    adapters, folder = ["AGATCGGAAGAGC", "CTGTCTCTTATAC"], libraries.folder
    sheet = libraries.sheet.drop_duplicates("sample").reset_index(drop=True)
    sheet.loc[0, "fastq_2"] = ""
    sheet.to_csv(folder / f"{tool}.tsv", sep="\t", index=False)
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    settings |= {"samples": f"{tool}.tsv", "results": tool, "evaluation": {"folds": 2}, "design": {}}
    settings |= {"expression": {}, "trimming": {"tool": tool, "adapters": adapters}}
    (folder / f"{tool}.yaml").write_text(yaml.safe_dump(settings))
    one, pair = sheet["sample"]
    targets = [f"{tool}/reads/trimmed/single/{one}_R1.fastq.gz"]
    targets += [f"{tool}/reads/trimmed/paired/{pair}_{mate}.fastq.gz" for mate in ("R1", "R2")]
    snakemake(folder, *LOCAL, "--notemp", *targets, config=f"{tool}.yaml", check=True)
    (log,) = (path for path in (folder / tool / "logs").glob(f"trim_*/{one}.log"))
    assert adapters[0] in log.read_text() and adapters[1] not in log.read_text()
    assert all(adapter in log.with_name(f"{pair}.log").read_text() for adapter in adapters)


def with_identifiers(libraries):
    """The libraries with a random identifier before R1, every fourth molecule copied once; one library single-end, and
    a third one, the first cut short."""
    rng, folder, rows = random.Random(1), libraries.folder, []
    (folder / "umi").mkdir()
    for name, lanes in libraries.sheet.groupby("sample"):
        mates = {column: [] for column in ("fastq_1", "fastq_2")}
        for column, records in mates.items():
            for file in lanes[column]:
                lines = gzip.decompress((folder / file).read_bytes()).decode().splitlines()
                records += [lines[i : i + 4] for i in range(0, len(lines), 4)]
        texts = {column: [] for column in mates}
        for number, pair in enumerate(zip(*mates.values(), strict=True)):
            molecule = "".join(rng.choices("ACGT", k=UMI))
            for copy in range(2 if number % 4 == 0 else 1):
                for column, (title, bases, _, quality) in zip(mates, pair, strict=True):
                    tag = molecule if column == "fastq_1" else ""
                    read = f"{title.split()[0]}:{copy}\n{tag}{bases}\n+\n{'I' * len(tag)}{quality}\n"
                    texts[column].append(read)
        row = lanes.iloc[0].to_dict()
        for column, text in texts.items():
            row[column] = f"umi/{name}_{column}.fastq.gz"
            (folder / row[column]).write_bytes(gzip.compress("".join(text).encode()))
        rows.append(row)
    rows[-1]["fastq_2"] = ""
    cut = rows[0] | {"sample": "cut"}
    for column in texts:
        whole, cut[column] = (folder / cut[column]).read_bytes(), f"umi/cut_{column}.fastq.gz"
        (folder / cut[column]).write_bytes(whole[: len(whole) // 2])
    rows.append(cut)
    return pd.DataFrame(rows)


def test_copies_of_a_molecule_and_ribosomal_rna_are_taken_out(libraries):
    sheet = with_identifiers(libraries)
    gene = libraries.truth[NAMES].sum(axis=1).idxmax()
    transcripts = libraries.folder / "transcripts.fa"
    genome, annotation = libraries.folder / "genome.fa", libraries.folder / "annotation.gtf"
    subprocess.run(["gffread", "-w", transcripts, "-g", genome, annotation], check=True)
    (record,) = (r for r in transcripts.read_text().split(">") if r.startswith(f"{gene}."))
    (libraries.folder / "rrna.fa").write_text(f">{record}")
    run = libraries(
        "umi", sheet=sheet, trimming={"umi": "N" * UMI, "rrna": "rrna.fa"}, alignment={"min_mapq": 1}
    )
    fates = check(libraries, run, least=0.95).loc[NAMES]
    cut = run.table("samples.tsv").set_index("sample").loc["cut"]
    assert cut["status"] == "excluded" and "truncated gzip" in cut["reason"]
    molecules = libraries.truth[NAMES].sum()
    assert (fates["duplicates"] / molecules).between(0.2, 0.3).all()
    assert (fates["rrna"] >= libraries.truth.loc[gene, NAMES]).all()
    counts = run.matrix()
    assert (counts.loc[gene] <= 1).all()
    assert (counts.sum() <= molecules).all() and (counts.sum() > 0.85 * molecules).all()


def test_bam_files_are_counted_like_the_reads_they_came_from(libraries, hisat2):
    folder = libraries.folder
    rows = [{"sample": name, "bam": f"{name}.bam", "condition": "ab"[n % 2]} for n, name in enumerate(NAMES)]
    for name in NAMES:
        (folder / f"{name}.bam").write_bytes((hisat2.results / f"aligned/hisat2/{name}.bam").read_bytes())
    subprocess.run(
        ["samtools", "sort", "-n", "-o", folder / "by_name.sam", folder / "d02_b1.bam"], check=True
    )
    rows[0]["bam"] = "by_name.sam"
    cram = ["samtools", "view", "-C", "-T", folder / "genome.fa", "-o", folder / "d08_b2.cram"]
    subprocess.run([*cram, folder / "d08_b2.bam"], check=True)
    rows[1]["bam"] = "d08_b2.cram"
    whole = (folder / "d08_b2.bam").read_bytes()
    (folder / "cut.bam").write_bytes(whole[: len(whole) // 2])
    rows.append({"sample": "cut", "bam": "cut.bam", "condition": "a"})
    half = "samtools view -h d08_b2.bam | awk '/^@/ || NR % 7' | samtools view -b -o half.bam -"
    subprocess.run(half, shell=True, cwd=folder, check=True)
    rows.append({"sample": "half", "bam": "half.bam", "condition": "a"})
    from_bam = libraries("given", sheet=pd.DataFrame(rows), alignment={"tool": "none"})
    check(libraries, from_bam)
    pd.testing.assert_frame_equal(from_bam.matrix()[NAMES], hisat2.matrix()[NAMES])
    status = from_bam.table("samples.tsv").set_index("sample")
    assert (
        status.loc["half", "status"] == "included"
        and "lacks mates of some pairs" in status.loc["half", "flags"]
    )
    assert status.loc["cut", "reason"].startswith("damaged or truncated alignment file")


def test_rseqc_needs_no_r(libraries):
    """Its modules draw with R after they wrote their tables; here every program is on the PATH but Rscript."""
    programs = libraries.folder / "programs"
    programs.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*"):
            link = programs / program.name
            if program.name != "Rscript" and not link.is_symlink():
                link.symlink_to(program)
    settings = yaml.safe_load((libraries.folder / "config.yaml").read_text())
    settings |= {"results": "without_r", "alignment": {"tool": "hisat2"}, "evaluation": {"folds": 2}}
    (libraries.folder / "without_r.yaml").write_text(yaml.safe_dump(settings))
    targets = [f"without_r/qc/{name}/{name}.json" for name in NAMES]
    within = ["env", f"PATH={programs}"]
    snakemake(libraries.folder, *LOCAL, *targets, config="without_r.yaml", check=True, within=within)
    assert not (libraries.folder / "log.txt").exists()  # RSeQC writes one into the folder it runs in
    for name in NAMES:
        facts = json.loads((libraries.folder / f"without_r/qc/{name}/{name}.json").read_text())
        assert 0.3 < facts["three_prime_bias"] < 3
        junctions = (libraries.folder / f"without_r/qc/{name}/{name}.rseqc.txt").read_text()
        assert "Known Splicing Junctions" in junctions and "Rscript executable not found" in junctions


def test_gff3_counts_the_same_as_gtf(libraries, hisat2):
    command = ["gffread", libraries.folder / "annotation.gtf", "-o", libraries.folder / "annotation.gff3"]
    subprocess.run(command, check=True)
    reference = {"fasta": "genome.fa", "gtf": "annotation.gff3"}
    gff3 = libraries("gff3", alignment={"tool": "hisat2"}, trimming={"tool": "none"}, reference=reference)
    pd.testing.assert_frame_equal(hisat2.matrix(), gff3.matrix().loc[hisat2.matrix().index])


def archive(folder, accession, *reads):
    """A run as the archive keeps it, in the working directory, where sra-tools look before they ask the network."""
    command = ["latf-load", "--quality", "PHRED_33", "--platform", "ILLUMINA", "-o", accession]
    subprocess.run([*command, *reads], cwd=folder, check=True, capture_output=True)
    packed = folder / f"{accession}.sra"
    subprocess.run(["kar", "--create", packed, "-d", folder / accession], check=True, capture_output=True)
    shutil.rmtree(folder / accession)
    (folder / accession).mkdir()
    packed.rename(folder / accession / packed.name)


def accessions(libraries, name, rows):
    """Write sheet and config of samples that are accessions; returns the config's name."""
    sheet = pd.DataFrame(rows, columns=["sample", "accession", "layout", "condition"])
    sheet.to_csv(libraries.folder / f"{name}.tsv", sep="\t", index=False)
    settings = yaml.safe_load((libraries.folder / "config.yaml").read_text())
    settings |= {"samples": f"{name}.tsv", "results": name, "design": {}, "expression": {}}
    (libraries.folder / f"{name}.yaml").write_text(yaml.safe_dump(settings))
    return f"{name}.yaml"


def test_an_accession_gives_the_reads_that_the_archive_holds(libraries):
    if not shutil.which("latf-load"):
        pytest.skip("latf-load, which makes a run of the archive, is not installed")
    files = [libraries.folder / libraries.sheet.iloc[0][column] for column in ("fastq_1", "fastq_2")]
    archive(libraries.folder, "SRR00000001", *files)
    archive(libraries.folder, "SRR00000002", files[0])
    rows = [("pair", "SRR00000001", "paired", "a"), ("one", "SRR00000002", "single", "b")]
    config = accessions(libraries, "near", [*rows, ("wrong", "SRR00000002", "paired", "b")])
    targets = ["near/qc/pair/pair.paired.reads.json", "near/qc/one/one.single.reads.json"]
    snakemake(libraries.folder, "--notemp", *targets, config=config, check=True)
    for mate, file in zip(("R1", "R2"), files, strict=True):
        fetched = libraries.folder / f"near/reads/prepared/paired/pair_{mate}.fastq.gz"
        bases = [gzip.decompress(path.read_bytes()).split(b"\n")[1::4] for path in (fetched, file)]
        assert bases[0] == bases[1]
    target = "near/qc/wrong/wrong.paired.reads.json"
    refused = snakemake(libraries.folder, *LOCAL, "--retries", "0", target, config=config, check=False)
    assert "SRR00000002 has no SRR00000002_1.fastq: the sheet's layout is not the archive's" in refused.text


def test_an_accession_that_cannot_be_fetched_is_named_at_the_end(libraries):
    config = accessions(
        libraries, "far", [("a", "SRR99999999", "paired", "a"), ("b", "SRR99999999", "paired", "b")]
    )
    plan = snakemake(libraries.folder, "-n", "-p", "counts", config=config, check=True).text
    assert "fasterq-dump --split-3 --threads" in plan
    failed = snakemake(libraries.folder, "--retries", "0", "counts", config=config, check=False)
    assert "1 job failed after all retries" in failed.text and "SRR99999999  fetch_accession" in failed.text
