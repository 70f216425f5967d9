"""Alignments left out of counting, whatever the counter: copies of one molecule (`trimming.umi`), then doubtful
places (`alignment.min_mapq`)."""


rule deduplicate_umis:
    """One fragment of each molecule: same place, same identifier up to sequencing errors (umi_tools, directional)."""
    input:
        bam=bam,
        index=bai,
        library=f"{QC}.library.json",
    output:
        bam=temp(f"{RESULTS}/aligned/deduplicated/{{sample}}.bam"),
        kept=f"{QC}.deduplicated.json",
    log:
        f"{RESULTS}/logs/deduplicate_umis/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/deduplicate_umis/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/umi_tools.yaml"
    resources:
        mem_mb=megabytes(4000, per_input_mb=4),
        runtime=minutes(30, per_gigabyte=120),
    params:
        separator=":" if UMI == "in_name" else "_",
    script:
        "../../scripts/deduplicate_umis.py"


rule select_alignments:
    """Drop alignments below the mapping quality; a mate above it still counts."""
    input:
        filter_input("selected"),
    output:
        bam=temp(f"{RESULTS}/aligned/selected/{{sample}}.bam"),
        index=temp(f"{RESULTS}/aligned/selected/{{sample}}.bam.bai"),
    log:
        f"{RESULTS}/logs/select_alignments/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/select_alignments/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/samtools.yaml"
    threads: 4
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10, per_gigabyte=5),
    params:
        selection=selection(),
    shell:
        guarded(
            "samtools view --threads {threads} --expr {params.selection:q} --write-index"
            " --output {output.bam}##idx##{output.index} {input} 2> {log}"
        )
