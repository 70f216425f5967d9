"""How much the workflow costs over the bare tools: reads to counts of the demo, against a shell script.

Both run the same tool commands on the same two cores, one after the other, `--rounds` times in turn. The
script does no checks, no verdicts, no cohort file: what the workflow adds is part of what is measured.
Prints the ratio of wall times of each round, and the median.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

SCRIPT = r"""
set -euo pipefail
reads=$1 genome=$2 gtf=$3 out=$4
mkdir -p $out/raw $out/trimmed $out/star $out/index
STAR --runMode genomeGenerate --runThreadN 2 --genomeDir $out/index --genomeFastaFiles $genome --sjdbGTFfile $gtf \
    --genomeSAindexNbases 9 --outFileNamePrefix $out/index/ > /dev/null
one() {
    name=$1 reads=$2 gtf=$3 out=$4
    if [ -e $reads/${name}_L001_R1.fastq.gz ]; then
        for mate in R1 R2; do cat $reads/${name}_L00?_$mate.fastq.gz > $out/${name}_$mate.fastq.gz; done
    else
        for mate in R1 R2; do ln -s $reads/${name}_$mate.fastq.gz $out/${name}_$mate.fastq.gz; done
    fi
    export JAVA_TOOL_OPTIONS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    fastqc --quiet --threads 1 --outdir $out/raw $out/${name}_R1.fastq.gz $out/${name}_R2.fastq.gz
    fastp --in1 $out/${name}_R1.fastq.gz --in2 $out/${name}_R2.fastq.gz --out1 $out/trimmed/${name}_R1.fastq.gz \
        --out2 $out/trimmed/${name}_R2.fastq.gz --json $out/$name.fastp.json --html /dev/null --thread 1 \
        --detect_adapter_for_pe --length_required 30
    fastqc --quiet --threads 1 --outdir $out/trimmed $out/trimmed/${name}_R1.fastq.gz $out/trimmed/${name}_R2.fastq.gz
    STAR --runThreadN 1 --genomeDir $out/index --readFilesIn $out/trimmed/${name}_R1.fastq.gz \
        $out/trimmed/${name}_R2.fastq.gz --readFilesCommand gzip -cd --outFileNamePrefix $out/star/$name. \
        --outSAMtype BAM Unsorted --outStd BAM_Unsorted --outSAMunmapped Within \
        | samtools sort -T $out/$name --write-index -o $out/$name.bam##idx##$out/$name.bam.bai -
    samtools flagstat --output-fmt json $out/$name.bam > $out/$name.flagstat.json
    featureCounts -T 1 -p --countReadPairs -s 2 -t exon -g gene_id -a $gtf -o $out/$name.counts.txt $out/$name.bam
    rm $out/trimmed/${name}_R?.fastq.gz
}
export -f one
xargs -P 2 -I NAME bash -euc 'one NAME "$@"' bash $reads $gtf $out > $out/log 2>&1
multiqc --quiet --force --no-version-check --outdir $out/multiqc $out > /dev/null
"""


def samples(sheet):
    """Names with readable files: the script would stop at the truncated one."""
    lines = sheet.read_text().splitlines()[1:]
    return sorted({line.split("\t")[0] for line in lines} - {"truncated"})


def bare(demo, out):
    """Wall seconds of the shell script."""
    shutil.rmtree(out, ignore_errors=True)
    arguments = [demo / "reads", demo / "genome.fa", demo / "annotation.gtf", out]
    names = "\n".join(samples(demo / "samples.tsv")) + "\n"
    return timed(["bash", "-c", SCRIPT, "bash", *map(str, arguments)], input=names)


def workflow(demo):
    """Wall seconds of the workflow from nothing to the cohort's counts."""
    shutil.rmtree(demo / "results", ignore_errors=True)
    shutil.rmtree(demo / ".snakemake", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-s",
        REPOSITORY / "Snakefile",
        "-d",
        demo,
        "--cores",
        "2",
        "counts",
    ]
    command += ["--profile", REPOSITORY / "profiles/local", "--configfile", demo / "config.yaml"]
    return timed(list(map(str, command)))


def timed(command, **options):
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    start = time.monotonic()
    run = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, PATH=paths), **options)
    if run.returncode:
        sys.exit(f"failed: {command[:3]}\n{(run.stdout + run.stderr)[-3000:]}")
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, help="read pairs per sample (default: the demo's)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rna2model-bench-") as folder:
        demo = Path(folder) / "demo"
        make = [sys.executable, REPOSITORY / "resources/demo/make_demo.py", "--out", demo]
        subprocess.run(
            list(map(str, make + (["--pairs", arguments.pairs] if arguments.pairs else []))), check=True
        )
        ratios = []
        for number in range(1, arguments.rounds + 1):
            tools, whole = bare(demo, Path(folder) / "bare"), workflow(demo)
            ratios.append(whole / tools)
            print(
                f"round {number}: tools {tools:.1f} s, workflow {whole:.1f} s, ratio {whole / tools:.3f}",
                flush=True,
            )
    print(f"reads to counts, workflow / bare tools: median {statistics.median(ratios):.3f} (limit 1.25)")


if __name__ == "__main__":
    main()
