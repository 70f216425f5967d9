"""Quality control of single samples, and the one page that shows it all. Verdicts are passed in cohort.smk."""


rule prepare_reads:
    """Read each FASTQ once: integrity, pairing, read count; join lanes. A faulty library becomes an empty one
    with a verdict, so that it flows through the same rules and is excluded by the gate with its reason."""
    input:
        r1=lambda wildcards: SAMPLES[wildcards.sample].fastq_1,
        r2=lambda wildcards: SAMPLES[wildcards.sample].fastq_2,
    output:
        reads=[
            temp(f"{RESULTS}/reads/paired/{{sample}}_R1.fastq.gz"),
            temp(f"{RESULTS}/reads/paired/{{sample}}_R2.fastq.gz"),
        ],
        verdict=f"{RESULTS}/qc/reads/paired/{{sample}}.json",
    log:
        f"{RESULTS}/logs/prepare_reads/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_reads/{{sample}}.tsv"
    conda:
        "../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10, per_gigabyte=10),
    script:
        "../scripts/prepare_reads.py"


use rule prepare_reads as prepare_reads_single with:
    output:
        reads=[temp(f"{RESULTS}/reads/single/{{sample}}_R1.fastq.gz")],
        verdict=f"{RESULTS}/qc/reads/single/{{sample}}.json",


rule fastqc:
    """FastQC of the reads before and after trimming. Below 50 MB most of its time is Java's start-up: quick JIT."""
    input:
        reads_at_stage,
    output:
        [
            f"{RESULTS}/qc/fastqc/{{stage}}/paired/{{sample}}_R1_fastqc.zip",
            f"{RESULTS}/qc/fastqc/{{stage}}/paired/{{sample}}_R2_fastqc.zip",
        ],
    log:
        f"{RESULTS}/logs/fastqc_{{stage}}/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fastqc_{{stage}}/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/fastqc.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(1500),
        runtime=minutes(10, per_gigabyte=15),
    params:
        folder=lambda wildcards, output: Path(output[0]).parent,
    shell:
        """
        jit=$(du -Lcm {input} | awk 'END {{if ($1 < 50) print "-XX:TieredStopAtLevel=1"}}')
        JAVA_TOOL_OPTIONS="-XX:+UseSerialGC $jit" \
            fastqc --quiet --threads {threads} --outdir {params.folder} {input} >{log} 2>&1
        """


use rule fastqc as fastqc_single with:
    output:
        [f"{RESULTS}/qc/fastqc/{{stage}}/single/{{sample}}_R1_fastqc.zip"],


rule flagstat:
    """Reads in, reads mapped."""
    input:
        bam,
    output:
        f"{RESULTS}/qc/flagstat/{{sample}}.json",
    log:
        f"{RESULTS}/logs/flagstat/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/flagstat/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/samtools.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10, per_gigabyte=5),
    shell:
        "samtools flagstat --threads {threads} --output-fmt json {input} > {output} 2> {log}"
