"""Spliced alignment, streamed into a coordinate-sorted, indexed BAM; unmapped reads are kept for the rates."""


rule align_star:
    input:
        reads=trimmed_reads,
        index=config["reference"]["index"] or f"{REFERENCE}/star",
    output:
        bam=f"{RESULTS}/aligned/star/{{sample}}.bam",
        index=f"{RESULTS}/aligned/star/{{sample}}.bam.bai",
        summary=f"{RESULTS}/qc/star/{{sample}}.Log.final.out",
        junctions=f"{RESULTS}/qc/star/{{sample}}.SJ.out.tab",
    log:
        f"{RESULTS}/logs/align_star/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/align_star/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/star.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(3000, per_genome_mb=11),  # the index in memory, plus 768 MB per sorting thread
        runtime=minutes(20, per_gigabyte=30),
    params:
        prefix=lambda wildcards, output: output.summary.removesuffix("Log.final.out"),
    shell:
        """
        rm -rf {params.prefix}tmp {output.bam}.*.bam # what a killed run left
        trap 'rm -rf {params.prefix}tmp {params.prefix}Log.progress.out {params.prefix}Log.out' EXIT
        (STAR --runThreadN {threads} --genomeDir {input.index} \
            --readFilesIn {input.reads} --readFilesCommand gzip -cd \
            --outFileNamePrefix {params.prefix} --outTmpDir {params.prefix}tmp \
            --outSAMtype BAM Unsorted --outStd BAM_Unsorted --outSAMunmapped Within \
            --outSAMattrRGline ID:{wildcards.sample} SM:{wildcards.sample} \
            | samtools sort -T {output.bam} --write-index -o {output.bam}##idx##{output.index} -) 2>{log}
        """


rule align_hisat2:
    input:
        reads=trimmed_reads,
        index=config["reference"]["index"] or f"{REFERENCE}/hisat2",
        splice_sites=f"{REFERENCE}/splice_sites.txt",
    output:
        bam=f"{RESULTS}/aligned/hisat2/{{sample}}.bam",
        index=f"{RESULTS}/aligned/hisat2/{{sample}}.bam.bai",
        summary=f"{RESULTS}/qc/hisat2/{{sample}}.txt",
    log:
        f"{RESULTS}/logs/align_hisat2/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/align_hisat2/{{sample}}.tsv"
    retries: 2
    conda:
        "../envs/hisat2.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(2000, per_genome_mb=2),
        runtime=minutes(20, per_gigabyte=40),
    params:
        reads=lambda wildcards, input: (
            "-1 {} -2 {}".format(*input.reads) if len(input.reads) == 2 else f"-U {input.reads}"
        ),
    shell:
        """
        rm -f {output.bam}.*.bam # what a killed run left
        (hisat2 -p {threads} -x {input.index}/genome {params.reads} \
            --known-splicesite-infile {input.splice_sites} --new-summary --summary-file {output.summary} \
            --rg-id {wildcards.sample} --rg SM:{wildcards.sample} \
            | samtools sort -T {output.bam} --write-index -o {output.bam}##idx##{output.index} -) 2>{log}
        """
