"""Quality control of single samples; none of it looks at another sample. Verdicts are passed in cohort.smk."""


rule fastqc:
    """FastQC before and after trimming, on reads taken evenly, so that its time is bounded: its reports in one file.

    Of raw reads prepare_reads takes them (rna2model.reads.fastq.Evenly), of trimmed ones this, the same way.
    """
    input:
        raw=sampled_reads,
        trimmed=lambda wildcards: reads_to_align(wildcards) if len(STEPS) > 1 else [],
    output:
        f"{QC}.fastqc.tar",
    conda:
        "../../envs/fastqc.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(1500 + config["qc"]["fastqc_reads"] // 1000),
        runtime=minutes(15, per_gigabyte=5),
    params:
        most=config["qc"]["fastqc_reads"],
        jit="-XX:TieredStopAtLevel=1" if config["qc"]["fastqc_reads"] <= 1_000_000 else "",  # Java starts faster
    shell:
        guarded("""
        exec >{log} 2>&1
        take_scratch 3 {output} {input.raw} # as many trimmed reads, and the reports
        mkdir "$scratch/raw" "$scratch/trimmed"
        for file in {input.raw}; do ln -s "$(realpath "$file")" "$scratch/raw/"; done
        for file in {input.trimmed}; do
            name=$(basename "$file" .gz)
            gzip -cd "$file" | take_evenly {params.most} >"$scratch/trimmed/$name"
        done
        JAVA_TOOL_OPTIONS="-XX:+UseSerialGC {params.jit}" \
            fastqc --quiet --threads {threads} $(find "$scratch" -name '*.fastq' | sort)
        (cd "$scratch" && tar -cf - $(find raw trimmed -name '*_fastqc.zip' | sort)) >{output}
        """)


rule alignment_stats:
    """samtools' statistics of all alignments. Of a subsample, so that its time is bounded, RSeQC: coverage along genes, where
    reads lie, known and new junctions, its tables one after the other."""
    input:
        bam=bam,
        library=f"{QC}.library.json",
        transcripts=f"{REFERENCE}/transcripts.bed" if RSEQC else [],
        bodies=f"{REFERENCE}/gene_bodies.bed" if RSEQC else [],
    output:
        stats=f"{QC}.stats.txt",
        rseqc=f"{QC}.rseqc.txt" if RSEQC else [],
    conda:
        "../../envs/rseqc.yaml" if RSEQC else "../../envs/samtools.yaml"
    threads: 2
    resources:
        mem_mb=megabytes(2000, per_genome_mb=0.5) if RSEQC else megabytes(500),
        runtime=minutes(30, per_gigabyte=5),
    params:
        most=RSEQC,
    shell:
        guarded("""
        exec 2>{log}
        set -- {output}
        samtools stats --threads {threads} {input.bam} >"$1"
        read_library {input.library}
        [ {params.most} != 0 ] || exit 0
        [ "$fragments" != 0 ] || {{ : >"$2" && exit 0; }}
        take_scratch 1 "$1" {input.bam}
        folder=$(realpath "$scratch")
        part=$folder/{wildcards.sample}.bam
        share=$(awk -v most={params.most} -v all="$fragments" 'BEGIN {{print (most < all) ? most / all : 1}}')
        samtools view --bam --fast --subsample "$share" --subsample-seed 1 --write-index --output "$part##idx##$part.bai" {input.bam}
        read_distribution.py -i "$part" -r {input.transcripts} >"$folder/distribution.txt"
        # both write their tables first, then plot with R, which need not be installed
        junction_annotation.py -i "$part" -r {input.transcripts} -o "$folder/junctions" \
            >/dev/null 2>"$folder/junctions.txt" || grep -q "Rscript executable not found" "$folder/junctions.txt"
        bodies=$(realpath {input.bodies}) # it writes log.txt into the working directory
        (cd "$folder" && geneBody_coverage.py -i "$part" -r "$bodies" -o body -f png >/dev/null) \
            || grep -q "Rscript executable not found" {log} \
            || {{ grep -q "division by zero" {log} && : >"$folder/body.geneBodyCoverage.txt"; }} # nothing is covered
        # coverage first: MultiQC recognises it by its first line
        cat "$folder/body.geneBodyCoverage.txt" "$folder/distribution.txt" "$folder/junctions.txt" >"$2"
        """)
