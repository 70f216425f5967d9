"""Ribosomal RNA: fragments of which a mate aligns to the sequences in `trimming.rrna` (Bowtie2) are removed."""

if config["trimming"]["rrna"]:

    rule index_rrna:
        """Convert RNA databases (SILVA) to DNA and number the sequences, since they have U for T and repeated names."""
        input:
            as_input(config["trimming"]["rrna"]),
        output:
            directory(f"{REFERENCE}/rrna"),
        log:
            f"{RESULTS}/logs/index_rrna/reference.log",
        benchmark:
            f"{RESULTS}/benchmarks/index_rrna/reference.tsv"
        retries: 2
        conda:
            "../../envs/bowtie2.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(2000, per_input_mb=20),
            runtime=minutes(20),
        shell:
            """
            (
                mkdir -p {output}
                gzip -cdf <{input:q} | tr -d '\\r' | awk '$0 ~ /^>/ {{print ">" ++n; next}} {{gsub("U", "T"); gsub("u", "t"); print}}' \
                    >{output}/rrna.fa
                bowtie2-build --threads {threads} {output}/rrna.fa {output}/rrna
                rm {output}/rrna.fa
            ) >{log} 2>&1
            """

    rule remove_rrna:
        """Keep the fragments of which no mate aligns."""
        input:
            reads=paired(before("without_rrna")),
            index=f"{REFERENCE}/rrna",
        output:
            reads=stored("without_rrna", paired("without_rrna")),
            kept=f"{QC}.paired.rrna.json",
        log:
            f"{RESULTS}/logs/remove_rrna/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/remove_rrna/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/bowtie2.yaml"
        threads: 8
        resources:
            mem_mb=megabytes(2000),
            runtime=minutes(20, per_gigabyte=30),
        params:
            reads=lambda wildcards, input: f"-1 {input.reads[0]} -2 {input.reads[1]}",
            neither="12",  # flags: unmapped, and so is its mate
            target=lambda wildcards, output: f"-1 {output.reads[0]} -2 {output.reads[1]} -0 /dev/null -s /dev/null",
        shell:
            guarded("""
            bowtie2 --threads {threads} --fast-local --reorder -x {input.index}/rrna {params.reads} 2>{log} \
                | samtools fastq -n -f {params.neither} {params.target} - 2>>{log}
            sed -n 's/.*processed \\([0-9]*\\) reads.*/{{"reads_kept": \\1}}/p' {log} >{output.kept}
            """)

    use rule remove_rrna as remove_rrna_single with:
        input:
            reads=single(before("without_rrna")),
            index=f"{REFERENCE}/rrna",
        output:
            reads=stored("without_rrna", single("without_rrna")),
            kept=f"{QC}.single.rrna.json",
        params:
            reads=lambda wildcards, input: f"-U {input.reads}",
            neither="4",  # flag: unmapped
            target=lambda wildcards, output: f"-0 {output.reads}",
