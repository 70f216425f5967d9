"""Fragments per gene, of one gene and one place only. Strandedness is inferred for each sample unless the sheet gives it."""


rule describe_library:
    """Reads in and reads mapped (samtools flagstat); strandedness, from read strands against gene strands in a subsample;
    layout and size, for the counters."""
    input:
        bam=bam,
        index=bai,
        genes=f"{REFERENCE}/genes.tsv",
    output:
        f"{QC}.library.json",
    log:
        f"{RESULTS}/logs/describe_library/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/describe_library/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10, per_gigabyte=5),
    params:
        stated=lambda wildcards: SAMPLES[wildcards.sample].strandedness,
    script:
        "../../scripts/describe_library.py"


if COUNTER == "featurecounts":

    rule count_featurecounts:
        """Only aligned reads are passed to it: it would count the unaligned mate that STAR writes as a fragment of its own.

        It stops on a library without any: zeros then.
        """
        input:
            bam=counted_bam,
            gtf=f"{REFERENCE}/annotation.gtf",
            genes=f"{REFERENCE}/genes.tsv",
            library=f"{QC}.library.json",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
            summary=COUNTER_SUMMARY,
        log:
            f"{RESULTS}/logs/count_featurecounts/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_featurecounts/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/subread.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(1500, per_genome_mb=0.5),
            runtime=minutes(10, per_gigabyte=5),
        params:
            several_places="-M" if config["alignment"]["multimappers"] == "primary" else "",
        shell:
            guarded("""
            exec >{log} 2>&1
            read_library {input.library}
            if [ -z "$(samtools view -F 4 {input.bam} | head -n 1 || true)" ]; then
                awk 'BEGIN {{OFS="\\t"; print "gene_id", "count"}} NR > 1 {{print $1, 0}}' {input.genes} >{output.counts}
                printf 'Status\\t{wildcards.sample}\\nAssigned\\t0\\n' >{output.summary}
                exit 0
            fi
            case "$strandedness" in forward) strand=1 ;; reverse) strand=2 ;; *) strand=0 ;; esac
            case "$layout" in paired) pairs="-p --countReadPairs" ;; *) pairs= ;; esac
            take_scratch 1 {output.summary} {input.bam}
            table=$scratch/{wildcards.sample}.txt
            samtools view -u -F 4 {input.bam} \
                | featureCounts -T {threads} $pairs {params.several_places} -s "$strand" -t exon -g gene_id \
                    -a {input.gtf} -o "$table" --tmpDir "$scratch"
            sed "1s/STDIN/{wildcards.sample}/" "$table".summary >{output.summary}
            awk 'BEGIN {{FS=OFS="\\t"; print "gene_id", "count"}} NR > 2 {{print $1, $7}}' "$table" >{output.counts}
            """)


if COUNTER == "htseq":

    rule count_htseq:
        """Union mode. Mates are brought together first: by position HTSeq counts a repeated read name twice."""
        input:
            bam=counted_bam,
            gtf=f"{REFERENCE}/annotation.gtf",
            library=f"{QC}.library.json",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
            summary=COUNTER_SUMMARY,
        log:
            f"{RESULTS}/logs/count_htseq/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_htseq/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/htseq.yaml"
        resources:
            mem_mb=megabytes(2000, per_genome_mb=1, per_input_mb=0.5),
            runtime=minutes(20, per_gigabyte=90),
        params:
            # without its NH tag a read counts by the place it has
            one_place="-x NH" if config["alignment"]["multimappers"] == "primary" else "",
        shell:
            guarded("""
            exec 2>{log}
            read_library {input.library}
            case "$strandedness" in forward) strand=yes ;; reverse) strand=reverse ;; *) strand=no ;; esac
            take_scratch 2 {output.summary} {input.bam}
            samtools collate -u -O {input.bam} "$scratch/part" \
                | samtools view -u {params.one_place} - \
                | htseq-count --format bam --order name --minaqual 0 --stranded "$strand" --mode union \
                    --type exon --idattr gene_id - {input.gtf} >{output.summary}
            awk 'BEGIN {{FS=OFS="\\t"; print "gene_id", "count"}} !/^__/ {{print $1, $2}}' {output.summary} >{output.counts}
            """)


if COUNTER == "star":

    rule count_star:
        """STAR counted while it aligned, for each strandedness in a column of its own; this takes the right one."""
        input:
            table=COUNTER_SUMMARY,
            library=f"{QC}.library.json",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
        log:
            f"{RESULTS}/logs/count_star/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_star/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/star.yaml"
        resources:
            mem_mb=megabytes(200),
            runtime=minutes(5),
        shell:
            guarded("""
            exec 2>{log}
            read_library {input.library}
            case "$strandedness" in forward) column=3 ;; reverse) column=4 ;; *) column=2 ;; esac
            awk -v column=$column 'BEGIN {{FS=OFS="\\t"; print "gene_id", "count"}} !/^N_/ {{print $1, $column}}' \
                {input.table} >{output.counts}
            """)
