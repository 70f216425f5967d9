"""Adapter and quality trimming, with fastp or cutadapt (`trimming.tool`)."""

if config["trimming"]["tool"] == "fastp":

    rule trim_fastp:
        """Adapters by overlap and by detection, poly-G of two-colour machines, reads too short dropped."""
        input:
            reads=[
                f"{RESULTS}/reads/paired/{{sample}}_R1.fastq.gz",
                f"{RESULTS}/reads/paired/{{sample}}_R2.fastq.gz",
            ],
        output:
            reads=[
                temp(f"{RESULTS}/trimmed/paired/{{sample}}_R1.fastq.gz"),
                temp(f"{RESULTS}/trimmed/paired/{{sample}}_R2.fastq.gz"),
            ],
            report=f"{RESULTS}/qc/trimming/paired/{{sample}}.fastp.json",
        log:
            f"{RESULTS}/logs/trim_fastp/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/trim_fastp/{{sample}}.tsv"
        retries: 2
        conda:
            "../envs/fastp.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(1500),
            runtime=minutes(10, per_gigabyte=10),
        params:
            files=lambda wildcards, input, output: " ".join(
                f"{i} {source} {o} {target}"
                for i, o, source, target in zip(
                    ["--in1", "--in2"], ["--out1", "--out2"], input.reads, output.reads
                )
            ),
            adapters="--detect_adapter_for_pe",
            min_length=config["trimming"]["min_length"],
        shell:
            """
            fastp {params.files} --json {output.report} --html /dev/null --thread {threads} \
                {params.adapters} --length_required {params.min_length} >{log} 2>&1
            # of an empty library fastp makes a file of no bytes, which is not gzip
            for file in {output.reads}; do test -s "$file" || gzip -cn </dev/null >"$file"; done
            """

    use rule trim_fastp as trim_fastp_single with:
        input:
            reads=[f"{RESULTS}/reads/single/{{sample}}_R1.fastq.gz"],
        output:
            reads=[temp(f"{RESULTS}/trimmed/single/{{sample}}_R1.fastq.gz")],
            report=f"{RESULTS}/qc/trimming/single/{{sample}}.fastp.json",
        params:
            files=lambda wildcards, input, output: f"--in1 {input.reads} --out1 {output.reads}",
            adapters="",  # single-end detection is on by default
            min_length=config["trimming"]["min_length"],


if config["trimming"]["tool"] == "cutadapt":

    rule trim_cutadapt:
        """Illumina TruSeq adapters, 3' quality below 20, poly-G of two-colour machines, short reads dropped."""
        input:
            reads=[
                f"{RESULTS}/reads/paired/{{sample}}_R1.fastq.gz",
                f"{RESULTS}/reads/paired/{{sample}}_R2.fastq.gz",
            ],
        output:
            reads=[
                temp(f"{RESULTS}/trimmed/paired/{{sample}}_R1.fastq.gz"),
                temp(f"{RESULTS}/trimmed/paired/{{sample}}_R2.fastq.gz"),
            ],
            report=f"{RESULTS}/qc/trimming/paired/{{sample}}.cutadapt.json",
        log:
            f"{RESULTS}/logs/trim_cutadapt/{{sample}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/trim_cutadapt/{{sample}}.tsv"
        retries: 2
        conda:
            "../envs/cutadapt.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(1500),
            runtime=minutes(10, per_gigabyte=15),
        params:
            adapters="-a AGATCGGAAGAGCACACGTCTGAACTCCAGTCA -A AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT",
            targets=lambda wildcards, output: f"-o {output.reads[0]} -p {output.reads[1]}",
            min_length=config["trimming"]["min_length"],
        shell:
            "cutadapt {params.adapters} --nextseq-trim 20 --minimum-length {params.min_length}"
            " --cores {threads} --json {output.report} {params.targets} {input.reads} > {log} 2>&1"

    use rule trim_cutadapt as trim_cutadapt_single with:
        input:
            reads=[f"{RESULTS}/reads/single/{{sample}}_R1.fastq.gz"],
        output:
            reads=[temp(f"{RESULTS}/trimmed/single/{{sample}}_R1.fastq.gz")],
            report=f"{RESULTS}/qc/trimming/single/{{sample}}.cutadapt.json",
        params:
            adapters="-a AGATCGGAAGAGCACACGTCTGAACTCCAGTCA",
            targets=lambda wildcards, output: f"-o {output.reads}",
            min_length=config["trimming"]["min_length"],
