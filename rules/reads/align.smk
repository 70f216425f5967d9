"""Spliced alignment, streamed into a coordinate-sorted, indexed BAM with exactly one alignment of each read.

Reads without a place are kept for the rates; of a read with several places the best is kept, and its NH tag
says how many there are. So every later number counts fragments, not places.
"""


rule align_star:
    input:
        reads=reads_to_align,
        index=config["reference"]["index"] or f"{REFERENCE}/star",
        checked=f"{REFERENCE}/index_sequences.tsv" if GIVEN_INDEX else [],
    output:
        bam=stored_alignments(f"{RESULTS}/aligned/star/{{sample}}.bam"),
        index=stored_alignments(f"{RESULTS}/aligned/star/{{sample}}.bam.bai"),
        summary=f"{QC}.Log.final.out",
        junctions=f"{QC}.SJ.out.tab",
        genes=COUNTER_SUMMARY if COUNTER == "star" else [],
    conda:
        "../../envs/star.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(3000, per_genome_mb=11),  # the index, and three sorting threads
        runtime=minutes(20, per_gigabyte=30),
    params:
        two_pass="--twopassMode Basic" if config["alignment"]["two_pass"] else "",
        counting="--quantMode GeneCounts" if COUNTER == "star" else "",
    shell:
        guarded("""
        take_scratch 2 {output.bam} {input.reads} # of a sort
        (STAR --runThreadN {threads} --genomeDir {input.index:q} {params.two_pass} {params.counting} \
            --readFilesIn {input.reads} --readFilesCommand gzip -cd \
            --outFileNamePrefix "$scratch/" --outTmpDir "$scratch/star" \
            --outSAMtype BAM Unsorted --outStd BAM_Unsorted --outBAMcompression 0 --outSAMunmapped Within --outSAMmultNmax 1 \
            --outSAMattrRGline ID:{wildcards.sample} SM:{wildcards.sample} \
            | samtools sort -@ $(({threads} / 4)) -l 1 -T "$scratch/sort" --write-index -o {output.bam}##idx##{output.index} -) 2>{log}
        cat "$scratch/Log.std.out" >>{log}
        for file in {output.summary} {output.junctions} {output.genes}; do
            mv "$scratch/${{file##*/{wildcards.sample}.}}" "$file"
        done
        """)


rule align_hisat2:
    input:
        reads=reads_to_align,
        index=config["reference"]["index"] or f"{REFERENCE}/hisat2",
        checked=f"{REFERENCE}/index_sequences.tsv" if GIVEN_INDEX else [],
        splice_sites=f"{REFERENCE}/splice_sites.txt",
    output:
        bam=stored_alignments(f"{RESULTS}/aligned/hisat2/{{sample}}.bam"),
        index=stored_alignments(f"{RESULTS}/aligned/hisat2/{{sample}}.bam.bai"),
        summary=f"{QC}.hisat2.txt",
    conda:
        "../../envs/hisat2.yaml"
    threads: 8
    resources:
        mem_mb=megabytes(3000, per_genome_mb=2),
        runtime=minutes(20, per_gigabyte=40),
    params:
        index=lambda wildcards, input: GIVEN_INDEX or f"{input.index}/genome",
        reads=lambda wildcards, input: (
            "-1 {} -2 {}".format(*input.reads) if len(input.reads) == 2 else f"-U {input.reads}"
        ),
    shell:
        guarded("""
        take_scratch 2 {output.bam} {input.reads} # of a sort
        (hisat2 -p {threads} -x {params.index:q} {params.reads} \
            --known-splicesite-infile {input.splice_sites} --new-summary --summary-file {output.summary} \
            --rg-id {wildcards.sample} --rg SM:{wildcards.sample} \
            | samtools view -u -F secondary - \
            | samtools sort -@ $(({threads} / 4)) -l 1 -T "$scratch/sort" --write-index -o {output.bam}##idx##{output.index} -) 2>{log}
        """)
