"""Reads as they come: FASTQ files, accessions of the Sequence Read Archive, or BAM files; checked, lanes joined.

A faulty library becomes an empty one with a verdict: it flows through the same rules and is excluded with its reason.
"""


rule fetch_accession:
    """Download a run with sra-tools; stop when the archive's layout is not the sheet's."""
    output:
        [temp(f"{RESULTS}/reads/fetched/paired/{{accession}}_R{mate}.fastq.gz") for mate in (1, 2)],
    log:
        f"{RESULTS}/logs/fetch_accession/{{accession}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_accession/{{accession}}.tsv"
    retries: 2
    conda:
        "../../envs/sra.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(240),
        downloads=1,  # the profile says how many at the same time
    params:
        folder=lambda wildcards, output: f"{Path(output[0]).parent}/{wildcards.accession}.tmp",
        files=lambda wildcards: [f"{wildcards.accession}_{mate}.fastq" for mate in (1, 2)],
    shell:
        """
        exec >{log} 2>&1
        rm -rf {params.folder} && mkdir -p {params.folder}
        source "$RNA2MODEL_GUARD"
        scratch=$(mktemp -d "$(scratch_place 32000000 {params.folder}/any)"/rna2model.XXXXXX) # kB for 30 million pairs
        trap 'rm -rf {params.folder} "$scratch"' EXIT
        fasterq-dump --split-3 --threads {threads} --outdir {params.folder} --temp "$scratch" {wildcards.accession}
        set -- {output}
        for file in {params.files}; do
            if ! test -s {params.folder}/"$file"; then
                echo "error: {wildcards.accession} has no $file: the sheet's layout is not the archive's, which gave" $(ls {params.folder})
                exit 1
            fi
            gzip -c {params.folder}/"$file" >"$1"
            shift
        done
        """


use rule fetch_accession as fetch_accession_single with:
    output:
        [temp(f"{RESULTS}/reads/fetched/single/{{accession}}_R1.fastq.gz")],
    params:
        folder=lambda wildcards, output: f"{Path(output[0]).parent}/{wildcards.accession}.tmp",
        files=lambda wildcards: f"{wildcards.accession}.fastq",


if config["downloads"] == "here":

    localrules:
        fetch_accession,
        fetch_accession_single,


rule prepare_reads:
    """Read each FASTQ once: integrity, pairing, read count, a part for FastQC; join lanes."""
    input:
        r1=lanes(1),
        r2=lanes(2),
    output:
        reads=stored("prepared", paired("prepared")),
        part=temp(sampled("paired")),
        verdict=f"{QC}.paired.reads.json",
    log:
        f"{RESULTS}/logs/prepare_reads/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_reads/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500 + config["qc"]["fastqc_reads"] // 1000),
        runtime=minutes(10, per_gigabyte=10),
    # How many reads are taken for FastQC is no param here: without FastQC nothing is to be trimmed and aligned again.
    params:
        umi_in_names=UMI == "in_name",
    script:
        "../../scripts/prepare_reads.py"


use rule prepare_reads as prepare_reads_single with:
    output:
        reads=stored("prepared", single("prepared")),
        part=temp(sampled("single")),
        verdict=f"{QC}.single.reads.json",


rule extract_umis:
    """Move the unique molecular identifier from the read to its name."""
    input:
        reads=paired("prepared"),
    output:
        reads=stored("with_umi", paired("with_umi")),
        kept=f"{QC}.paired.umi.json",
    log:
        f"{RESULTS}/logs/extract_umis/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/extract_umis/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/umi_tools.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(20, per_gigabyte=60),
    params:
        patterns=umi_patterns("paired"),
        files=lambda wildcards, input, output: (
            f"--stdin {input[0]} --stdout {output[0]} --read2-in {input[1]} --read2-out {output[1]}"
        ),
    shell:
        guarded("""
        umi_tools extract {params.patterns} {params.files} --log {log} 2>>{log}
        # of a library without reads umi_tools gives no number
        kept=$(sed -n 's/.*Reads output: \\([0-9]*\\).*/\\1/p' {log})
        printf '{{"reads_kept": %s}}\\n' "${{kept:-0}}" >{output.kept}
        """)


use rule extract_umis as extract_umis_single with:
    input:
        reads=single("prepared"),
    output:
        reads=stored("with_umi", single("with_umi")),
        kept=f"{QC}.single.umi.json",
    params:
        patterns=umi_patterns("single"),
        files=lambda wildcards, input, output: f"--stdin {input} --stdout {output.reads}",


rule prepare_bam:
    """Check a given BAM, CRAM or SAM file against the genome; keep one alignment of each read, in order."""
    input:
        bam=lambda wildcards: as_input(SAMPLES[wildcards.sample].bam) or [],
        fasta=f"{REFERENCE}/genome.fa",
        contigs=f"{REFERENCE}/contigs.tsv",
    output:
        bam=stored_alignments(f"{RESULTS}/aligned/given/{{sample}}.bam"),
        index=stored_alignments(f"{RESULTS}/aligned/given/{{sample}}.bam.bai"),
        verdict=f"{QC}.bam.reads.json",
    log:
        f"{RESULTS}/logs/prepare_bam/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_bam/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/reads.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(4000),
        runtime=minutes(10, per_gigabyte=20),
    params:
        umi_in_names=UMI == "in_name",
    script:
        "../../scripts/prepare_bam.py"
