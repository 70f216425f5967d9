"""Reads per gene. Strandedness is decided per sample, from the alignments unless the sheet gives it."""


rule infer_strandedness:
    """Compare read strands with gene strands in a subsample; keep the evidence beside the decision."""
    input:
        bam=bam,
        genes=f"{REFERENCE}/genes.tsv",
    output:
        evidence=f"{RESULTS}/qc/strandedness/{{sample}}.json",
        decision=f"{RESULTS}/qc/strandedness/{{sample}}.txt",
    log:
        f"{RESULTS}/logs/infer_strandedness/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/infer_strandedness/{{sample}}.tsv"
    conda:
        "../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(10),
    params:
        given=lambda wildcards: SAMPLES[wildcards.sample].strandedness,
    script:
        "../scripts/infer_strandedness.py"


if config["quantification"]["tool"] == "featurecounts":

    rule count_featurecounts:
        """Fragments with a unique alignment to the exons of one gene. It stops on an empty library: zeros then."""
        input:
            bam=bam,
            gtf=f"{REFERENCE}/annotation.gtf",
            genes=f"{REFERENCE}/genes.tsv",
            strandedness=f"{RESULTS}/qc/strandedness/{{sample}}.txt",
            flagstat=f"{RESULTS}/qc/flagstat/{{sample}}.json",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
            table=temp(f"{RESULTS}/qc/featurecounts/{{sample}}.txt"),
            summary=f"{RESULTS}/qc/featurecounts/{{sample}}.txt.summary",
        log:
            f"{RESULTS}/logs/count_featurecounts/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_featurecounts/{{sample}}.tsv"
        retries: 2
        conda:
            "../envs/subread.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(1500, per_genome_mb=0.5),
            runtime=minutes(10, per_gigabyte=5),
        params:
            paired=lambda wildcards: "-p --countReadPairs" if SAMPLES[wildcards.sample].paired else "",
            feature=config["quantification"]["feature"],
            attribute=config["quantification"]["attribute"],
        shell:
            """
            exec >{log} 2>&1
            if grep -m 1 '"total"' {input.flagstat} | grep -q ': 0,'; then
                awk 'BEGIN {{OFS="\\t"; print "gene_id", "count"}} NR > 1 {{print $1, 0}}' {input.genes} >{output.counts}
                printf 'Status\\t{wildcards.sample}\\nAssigned\\t0\\n' >{output.summary}
                touch {output.table}
                exit 0
            fi
            case "$(cat {input.strandedness})" in forward) strand=1 ;; reverse) strand=2 ;; *) strand=0 ;; esac
            featureCounts -T {threads} {params.paired} -s "$strand" -t {params.feature} -g {params.attribute} \
                -a {input.gtf} -o {output.table} {input.bam}
            awk 'BEGIN {{FS=OFS="\\t"; print "gene_id", "count"}} NR > 2 {{print $1, $7}}' {output.table} >{output.counts}
            """


if config["quantification"]["tool"] == "htseq":

    rule count_htseq:
        """Union mode, unique alignments only; multi-mapped and ambiguous fragments are in the summary."""
        input:
            bam=bam,
            gtf=f"{REFERENCE}/annotation.gtf",
            strandedness=f"{RESULTS}/qc/strandedness/{{sample}}.txt",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
            summary=f"{RESULTS}/qc/htseq/{{sample}}.htseq.txt",
        log:
            f"{RESULTS}/logs/count_htseq/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_htseq/{{sample}}.tsv"
        retries: 2
        conda:
            "../envs/htseq.yaml"
        resources:
            mem_mb=megabytes(2000, per_genome_mb=1, per_input_mb=0.5),
            runtime=minutes(20, per_gigabyte=90),
        params:
            feature=config["quantification"]["feature"],
            attribute=config["quantification"]["attribute"],
        shell:
            """
            exec 2>{log}
            case "$(cat {input.strandedness})" in forward) strand=yes ;; reverse) strand=reverse ;; *) strand=no ;; esac
            htseq-count --format bam --order pos --max-reads-in-buffer 300000000 --stranded "$strand" --mode union \
                --type {params.feature} --idattr {params.attribute} {input.bam} {input.gtf} >{output.summary}
            awk 'BEGIN {{FS=OFS="\\t"; print "gene_id", "count"}} !/^__/ {{print $1, $2}}' {output.summary} >{output.counts}
            """
