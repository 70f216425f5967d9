"""Genome and annotation: unpacked, checked against each other, indexed for the aligner."""


rule prepare_reference:
    """Check that genome and annotation (GTF or GFF3) belong together; write what the tools read of them."""
    input:
        fasta=as_input(config["reference"]["fasta"]),
        gtf=as_input(config["reference"]["gtf"]),
    output:
        fasta=f"{REFERENCE}/genome.fa",
        gtf=f"{REFERENCE}/annotation.gtf",
        genes=f"{REFERENCE}/genes.tsv",
        star=f"{REFERENCE}/star_sizes.txt",
        contigs=f"{REFERENCE}/contigs.tsv",
        transcripts=f"{REFERENCE}/transcripts.bed",
        owners=f"{REFERENCE}/transcripts.tsv",
        bodies=f"{REFERENCE}/gene_bodies.bed",
        splice_sites=f"{REFERENCE}/splice_sites.txt",
        facts=f"{REFERENCE}/reference.json",
    log:
        f"{RESULTS}/logs/prepare_reference/reference.log",
    benchmark:
        f"{RESULTS}/benchmarks/prepare_reference/reference.tsv"
    priority: 1  # every sample waits for it
    conda:
        "../../envs/reads.yaml"
    resources:
        mem_mb=megabytes(1500, per_input_mb=2),
        runtime=minutes(10, per_gigabyte=20),
    params:
        feature=config["quantification"]["feature"],
        attribute=config["quantification"]["attribute"],
    script:
        "../../scripts/prepare_reference.py"


rule index_star:
    """STAR index; its word sizes follow the genome's length and number of contigs (STAR manual 2.2.5).

    Given an annotation without introns STAR 2.7.10b dies of it ("double free") for every third genome. It never does where
    that is given while reads are aligned: so one read makes the tables of genes and exons that GeneCounts reads.
    """
    input:
        fasta=f"{REFERENCE}/genome.fa",
        gtf=f"{REFERENCE}/annotation.gtf",
        introns=f"{REFERENCE}/splice_sites.txt",
        sizes=f"{REFERENCE}/star_sizes.txt",
    output:
        directory(f"{REFERENCE}/star"),
    log:
        f"{RESULTS}/logs/index_star/reference.log",
    benchmark:
        f"{RESULTS}/benchmarks/index_star/reference.tsv"
    priority: 1
    retries: 2
    conda:
        "../../envs/star.yaml"
    threads: index_threads
    resources:
        mem_mb=megabytes(2000, per_genome_mb=12),  # 37 GB for a human genome
        runtime=minutes(20, per_gigabyte=30),
    shell:
        kept(
            "star",
            """
        (
            rm -rf {output}/tmp
            mkdir -p {output} # STAR would make a folder that its owner alone can read
            annotation="--sjdbGTFfile {input.gtf}"
            test -s {input.introns} || annotation=
            STAR --runMode genomeGenerate --runThreadN {threads} --genomeDir {output} --genomeFastaFiles {input.fasta} \
                $annotation --parametersFiles {input.sizes} --limitGenomeGenerateRAM $(({resources.mem_mb} * 900000)) \
                --outFileNamePrefix {output}/ --outTmpDir {output}/tmp
            if [ -z "$annotation" ]; then
                mkdir {output}/one
                printf '>read\\nACGTACGTACGTACGTACGTACGTACGTACGT\\n' >{output}/one/read.fa
                STAR --genomeDir {output} --sjdbGTFfile {input.gtf} --readFilesIn {output}/one/read.fa --outSAMtype None \
                    --quantMode GeneCounts --outFileNamePrefix {output}/one/ --outTmpDir {output}/tmp
                mv {output}/one/_STARgenome/*Info.tab {output}/
                rm -r {output}/one
            fi
        ) >{log} 2>&1
        """,
        )


rule index_hisat2:
    """HISAT2 index; splice sites are given at alignment, which needs far less memory than a graph index."""
    input:
        f"{REFERENCE}/genome.fa",
    output:
        directory(f"{REFERENCE}/hisat2"),
    log:
        f"{RESULTS}/logs/index_hisat2/reference.log",
    benchmark:
        f"{RESULTS}/benchmarks/index_hisat2/reference.tsv"
    priority: 1
    retries: 2
    conda:
        "../../envs/hisat2.yaml"
    threads: index_threads
    resources:
        mem_mb=megabytes(1000, per_genome_mb=4),
        runtime=minutes(20, per_gigabyte=60),
    shell:
        kept(
            "hisat2", "(mkdir -p {output} && hisat2-build -p {threads} {input} {output}/genome) > {log} 2>&1"
        )


rule check_index:
    """Check that the user's index has the sequences of the user's genome."""
    input:
        index=config["reference"]["index"] or [],
        contigs=f"{REFERENCE}/contigs.tsv",
    output:
        f"{REFERENCE}/index_sequences.tsv",
    log:
        f"{RESULTS}/logs/check_index/reference.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_index/reference.tsv"
    conda:
        "../../envs/star.yaml" if ALIGNER == "star" else "../../envs/hisat2.yaml"
    resources:
        mem_mb=megabytes(2000, per_genome_mb=4),
        runtime=minutes(20),
    params:
        index=GIVEN_INDEX,
        tool=ALIGNER,
    shell:
        """
        exec 2>{log}
        if [ {params.tool} = star ]; then
            cat {params.index:q}/chrNameLength.txt >{output}
        else
            hisat2-inspect --summary {params.index:q} | awk 'BEGIN {{FS=OFS="\t"}} /^Sequence/ {{print $2, $3}}' \
                | sed 's/ [^\t]*//' >{output}
        fi
        if
            other=$(grep -vxFf {output} {input.contigs} | head -n 3)
            test -n "$other"
        then
            echo "error: reference.index" {params.index:q} "is not of reference.fasta: it lacks, or has in another length," \
                $other >&2
            exit 1
        fi
        """
