"""Salmon: fragments per transcript without alignment to the genome, summed up to genes.

The genome is indexed beside the transcripts as a decoy, so that reads from outside genes are not forced into them.
"""

if COUNTER == "salmon":

    rule transcript_sequences:
        """Transcripts of the annotation, pieces of one joined, and the genome behind them as decoy."""
        input:
            fasta=f"{REFERENCE}/genome.fa",
            gtf=f"{REFERENCE}/annotation.gtf",
            pieces=f"{REFERENCE}/transcripts.tsv",
            contigs=f"{REFERENCE}/contigs.tsv",
        output:
            fasta=temp(f"{REFERENCE}/transcripts_and_genome.fa"),
            decoys=temp(f"{REFERENCE}/decoys.txt"),
        log:
            f"{RESULTS}/logs/transcript_sequences/reference.log",
        benchmark:
            f"{RESULTS}/benchmarks/transcript_sequences/reference.tsv"
        retries: 2
        conda:
            "../../envs/salmon.yaml"
        resources:
            mem_mb=megabytes(1000, per_genome_mb=1.5),
            runtime=minutes(30),
        shell:
            """
            (
                gffread -w {output.fasta}.pieces -g {input.fasta} {input.gtf}
                awk -F '\\t' '
                    NR == FNR && $1 != $3 {{
                        if (!($3 in parts)) {{joined[++n] = parts[$3] = $3}}
                        parts[$3] = parts[$3] "\\t" $1; is_part[$1]; is_part[$3]
                    }}
                    NR == FNR {{next}}
                    /^>/ {{name = substr($1, 2); sub(/ .*/, "", name)}}
                    !(name in is_part) {{print; next}}
                    !/^>/ {{bases[name] = bases[name] $0}}
                    END {{for (i = 1; i <= n; i++) {{
                        sequence = ""; last = split(parts[joined[i]], part)
                        for (j = 1; j <= last; j++) sequence = sequence bases[part[j]]
                        print ">" joined[i] "\\n" sequence
                    }}}}' {input.pieces} {output.fasta}.pieces >{output.fasta}
                rm {output.fasta}.pieces
                cat {input.fasta} >>{output.fasta}
                cut -f 1 {input.contigs} >{output.decoys}
            ) 2>{log}
            """

    rule index_salmon:
        input:
            fasta=f"{REFERENCE}/transcripts_and_genome.fa",
            decoys=f"{REFERENCE}/decoys.txt",
        output:
            directory(f"{REFERENCE}/salmon"),
        log:
            f"{RESULTS}/logs/index_salmon/reference.log",
        benchmark:
            f"{RESULTS}/benchmarks/index_salmon/reference.tsv"
        retries: 2
        conda:
            "../../envs/salmon.yaml"
        threads: 8
        resources:
            mem_mb=megabytes(1000, per_genome_mb=7),  # 20 GB for a human genome
            runtime=minutes(30, per_gigabyte=40),
        shell:
            kept(
                "salmon",
                "salmon index --transcripts {input.fasta} --decoys {input.decoys} --index {output}"
                " --threads {threads} --keepDuplicates > {log} 2>&1",
            )

    rule count_salmon:
        """Mapping-based, with corrections for sequence and GC bias; zeros if there are too few fragments to quantify."""
        input:
            reads=reads_to_align,
            index=f"{REFERENCE}/salmon",
        output:
            directory(f"{RESULTS}/salmon/{{sample}}"),
        log:
            f"{RESULTS}/logs/count_salmon/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/count_salmon/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/salmon.yaml"
        threads: 8
        resources:
            mem_mb=megabytes(2000, per_genome_mb=6),
            runtime=minutes(20, per_gigabyte=20),
        params:
            library=salmon_library,
            reads=lambda wildcards, input: (
                "-1 {} -2 {}".format(*input.reads) if len(input.reads) == 2 else f"-r {input.reads}"
            ),
        shell:
            guarded_folder("""
            rm -rf {output}
            salmon quant --index {input.index} --libType {params.library} {params.reads} --threads {threads} \
                --seqBias --gcBias --minAssignedFrags 1 --output {output} >{log} 2>&1 \
                || grep -q "only able to assign 0 fragments" {log}
            """)

    rule sum_to_genes:
        """Gene counts that do not change when a gene switches between long and short transcripts."""
        input:
            salmon=f"{RESULTS}/salmon/{{sample}}",
            transcripts=f"{REFERENCE}/transcripts.tsv",
            genes=f"{REFERENCE}/genes.tsv",
        output:
            counts=f"{RESULTS}/counts/{{sample}}.tsv",
            summary=COUNTER_SUMMARY,
            library=f"{QC}.library.json" if ALIGNER == "none" else [],
        log:
            f"{RESULTS}/logs/sum_to_genes/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/sum_to_genes/{{sample}}.tsv"
        retries: 2
        conda:
            "../../envs/reads.yaml"
        resources:
            mem_mb=megabytes(1000, per_input_mb=2),
            runtime=minutes(10),
        params:
            stated=lambda wildcards: SAMPLES[wildcards.sample].strandedness,
        script:
            "../../scripts/sum_to_genes.py"
