"""Quality control of single samples; none of it looks at another sample. Verdicts are passed in cohort.smk."""


rule sample_reads:
    """Trimmed reads for FastQC, taken evenly, so that its time is bounded; of raw reads prepare_reads takes them."""
    input:
        paired(STEPS[-1]),
    output:
        sampled("trimmed", "paired"),
    log:
        f"{RESULTS}/logs/sample_reads/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/sample_reads/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500 + config["qc"]["fastqc_reads"] // 1000),
        runtime=minutes(10, per_gigabyte=5),
    params:
        most=config["qc"]["fastqc_reads"],
    script:
        "../scripts/sample_reads.py"


use rule sample_reads as sample_reads_single with:
    input:
        single(STEPS[-1]),
    output:
        sampled("trimmed", "single"),


rule fastqc:
    """FastQC before and after trimming."""
    input:
        [f"{RESULTS}/reads/sampled/{{stage}}/paired/{{sample}}_{mate}.fastq" for mate in ("R1", "R2")],
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
        most=config["qc"]["fastqc_reads"],
        jit="-XX:TieredStopAtLevel=1" if config["qc"]["fastqc_reads"] <= 1_000_000 else "",  # Java starts faster
    shell:
        guarded(
            "set -- {output};"
            ' JAVA_TOOL_OPTIONS="-XX:+UseSerialGC {params.jit}"'
            ' fastqc --quiet --threads {threads} --outdir "$(dirname "$1")" {input} > {log} 2>&1'
        )


use rule fastqc as fastqc_single with:
    input:
        [f"{RESULTS}/reads/sampled/{{stage}}/single/{{sample}}_R1.fastq"],
    output:
        [f"{RESULTS}/qc/fastqc/{{stage}}/single/{{sample}}_R1_fastqc.zip"],


rule alignment_stats:
    """Reads in, reads mapped, and samtools' statistics of them."""
    input:
        bam,
    output:
        flagstat=f"{RESULTS}/qc/flagstat/{{sample}}.json",
        stats=f"{RESULTS}/qc/samtools/{{sample}}.stats.txt",
    log:
        f"{RESULTS}/logs/alignment_stats/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/alignment_stats/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/samtools.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10, per_gigabyte=10),
    shell:
        guarded("""
        samtools flagstat --threads {threads} --output-fmt json {input} >{output.flagstat} 2>{log}
        samtools stats --threads {threads} {input} >{output.stats} 2>>{log}
        """)


rule rseqc:
    """Where reads lie, coverage along genes, known and new junctions: RSeQC on a subsample, so that its time is bounded."""
    input:
        bam=bam,
        library=f"{RESULTS}/qc/library/{{sample}}.txt",
        transcripts=f"{REFERENCE}/transcripts.bed",
        bodies=f"{REFERENCE}/gene_bodies.bed",
    output:
        distribution=f"{RESULTS}/qc/rseqc/{{sample}}.read_distribution.txt",
        body=f"{RESULTS}/qc/rseqc/{{sample}}.geneBodyCoverage.txt",
        junctions=f"{RESULTS}/qc/rseqc/{{sample}}.junctions.txt",
    log:
        f"{RESULTS}/logs/rseqc/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/rseqc/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/rseqc.yaml"
    resources:
        mem_mb=megabytes(2000, per_genome_mb=0.5),
        runtime=minutes(30),
    params:
        most=config["qc"]["rseqc_fragments"],
    shell:
        guarded("""
        exec 2>{log}
        source {input.library} # layout, strandedness, fragments
        if [ "$fragments" = 0 ]; then
            touch {output}
            exit 0
        fi
        take_scratch 1 {output.body} {input.bam}
        folder=$scratch
        part=$folder/{wildcards.sample}.bam
        share=$(awk -v most={params.most} -v all="$fragments" 'BEGIN {{print (most < all) ? most / all : 1}}')
        samtools view --bam --fast --subsample "$share" --subsample-seed 1 --write-index --output "$part##idx##$part.bai" {input.bam}
        read_distribution.py -i "$part" -r {input.transcripts} >{output.distribution}
        # both write their tables first, then draw with R, which need not be there
        junction_annotation.py -i "$part" -r {input.transcripts} -o "$folder"/junctions \
            >/dev/null 2>{output.junctions} || grep -q "Rscript executable not found" {output.junctions}
        bodies=$(realpath {input.bodies}) part=$(realpath "$part") # it leaves a log.txt where it runs
        (cd "$folder" && geneBody_coverage.py -i "$part" -r "$bodies" -o body -f png >/dev/null) \
            || grep -q "Rscript executable not found" {log} \
            || {{ grep -q "division by zero" {log} && : >"$folder"/body.geneBodyCoverage.txt; }} # nothing is covered
        mv "$folder"/body.geneBodyCoverage.txt {output.body}
        """)
