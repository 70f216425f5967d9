"""Adapter and quality trimming, with fastp, cutadapt or Trim Galore (`trimming.tool`).

Whether tails of G are trimmed follows from the reads themselves, unless the config says so (prepare_reads: `poly_g`).
"""

if TRIMMER == "fastp":

    rule trim_fastp:
        """Adapters by overlap and by detection, poly-G tails, reads too short dropped."""
        input:
            reads=paired(before("trimmed")),
            verdict=f"{QC}.paired.reads.json",
        output:
            reads=stored("trimmed", paired("trimmed")),
            report=f"{QC}.paired.fastp.json",
        conda:
            "../../envs/fastp.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(4000, per_input_mb=0.3),  # if memory is short it hangs until the time limit
            runtime=minutes(10, per_gigabyte=10),
        params:
            options=fastp_options("paired"),
            tails=poly_g_options("fastp"),
            min_length=config["trimming"]["min_length"],
        shell:
            guarded("""
            reads=({input.reads}) trimmed=({output.reads})
            files="--in1 ${{reads[0]}} --out1 ${{trimmed[0]}}"
            [ ${{#reads[@]}} = 1 ] || files+=" --in2 ${{reads[1]}} --out2 ${{trimmed[1]}}"
            tails=({params.tails}) which=$(grep -c '"poly_g": true' {input.verdict} || true)
            fastp $files --json {output.report} --html /dev/null --thread {threads} \
                {params.options} ${{tails[which]}} --length_required {params.min_length} >{log} 2>&1
            # fastp writes no valid gzip file for an empty library
            for file in {output.reads}; do test -s "$file" || gzip -cn </dev/null >"$file"; done
            """)

    use rule trim_fastp as trim_fastp_single with:
        input:
            reads=single(before("trimmed")),
            verdict=f"{QC}.single.reads.json",
        output:
            reads=stored("trimmed", single("trimmed")),
            report=f"{QC}.single.fastp.json",
        params:
            options=fastp_options("single"),
            tails=poly_g_options("fastp"),
            min_length=config["trimming"]["min_length"],


if TRIMMER == "cutadapt":

    rule trim_cutadapt:
        """Adapters, 3' quality below 20, poly-G tails, reads too short dropped."""
        input:
            reads=paired(before("trimmed")),
            verdict=f"{QC}.paired.reads.json",
        output:
            reads=stored("trimmed", paired("trimmed")),
            report=f"{QC}.paired.cutadapt.json",
        conda:
            "../../envs/cutadapt.yaml"
        threads: 4
        resources:
            mem_mb=megabytes(1500),
            runtime=minutes(10, per_gigabyte=15),
        params:
            options=cutadapt_options("paired"),
            tails=poly_g_options("cutadapt"),
            targets=lambda wildcards, output: f"-o {output.reads[0]} -p {output.reads[1]}",
            min_length=config["trimming"]["min_length"],
        shell:
            guarded("""
            tails=({params.tails}) which=$(grep -c '"poly_g": true' {input.verdict} || true)
            cutadapt {params.options} ${{tails[which]}} --minimum-length {params.min_length} \
                --cores {threads} --json {output.report} {params.targets} {input.reads} >{log} 2>&1
            """)

    use rule trim_cutadapt as trim_cutadapt_single with:
        input:
            reads=single(before("trimmed")),
            verdict=f"{QC}.single.reads.json",
        output:
            reads=stored("trimmed", single("trimmed")),
            report=f"{QC}.single.cutadapt.json",
        params:
            options=cutadapt_options("single"),
            tails=poly_g_options("cutadapt"),
            targets=lambda wildcards, output: f"-o {output.reads}",
            min_length=config["trimming"]["min_length"],


if TRIMMER == "trim_galore":

    rule trim_galore:
        """Adapters as found in the first reads, 3' quality below 20, reads too short dropped."""
        input:
            reads=paired(before("trimmed")),
            verdict=f"{QC}.paired.reads.json",
        output:
            reads=stored("trimmed", paired("trimmed")),
            report=[f"{QC}_{mate}.paired.fastq.gz_trimming_report.txt" for mate in ("R1", "R2")],
        conda:
            "../../envs/trim_galore.yaml"
        threads: 8  # one core of Trim Galore is four processes: to read, to trim and to write (its manual: 4 use 15)
        resources:
            mem_mb=megabytes(1500),
            runtime=minutes(10, per_gigabyte=30),
        params:
            options=trim_galore_options("paired"),
            tails=poly_g_options("trim_galore"),
            min_length=config["trimming"]["min_length"],
            ends=["val_1.fq.gz", "val_2.fq.gz"],
        shell:
            guarded("""
            exec >{log} 2>&1
            set -- {output.reads}
            take_scratch 3 "$1" {input.reads}
            reads=({input.reads}) trimmed=({output.reads}) reports=({output.report}) ends=({params.ends})
            # Trim Galore fails on an empty library
            if [ -z "$(gzip -cd "${{reads[0]}}" | head -c 1)" ]; then
                for file in {output.reads}; do gzip -cn </dev/null >"$file"; done
                touch {output.report}
                exit 0
            fi
            tails=({params.tails}) which=$(grep -c '"poly_g": true' {input.verdict} || true)
            trim_galore {params.options} ${{tails[which]}} --gzip --cores $(({threads} < 8 ? 1 : {threads} / 4)) --length {params.min_length} \
                --output_dir "$scratch" {input.reads}
            for mate in "${{!reads[@]}}"; do
                name=$(basename "${{reads[$mate]}}")
                mv "$scratch/${{name%.fastq.gz}}_${{ends[$mate]}}" "${{trimmed[$mate]}}"
                mv "$scratch/${{name}}_trimming_report.txt" "${{reports[$mate]}}"
            done
            """)

    use rule trim_galore as trim_galore_single with:
        input:
            reads=single(before("trimmed")),
            verdict=f"{QC}.single.reads.json",
        output:
            reads=stored("trimmed", single("trimmed")),
            report=[f"{QC}_R1.single.fastq.gz_trimming_report.txt"],
        params:
            options=trim_galore_options("single"),
            tails=poly_g_options("trim_galore"),
            min_length=config["trimming"]["min_length"],
            ends="trimmed.fq.gz",
