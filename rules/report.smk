"""What people open: MultiQC for the reads, one report for the whole run."""


def multiqc_inputs():
    """Every QC file of every used sample, listed so that files of other settings never slip in."""
    files = []
    for name in USED:
        kind = layout(name)
        stages = ["raw"] if config["trimming"]["tool"] == "none" else ["raw", "trimmed"]
        files += [
            f"{RESULTS}/qc/fastqc/{stage}/{kind}/{name}_{mate}_fastqc.zip" for stage in stages for mate in mates(name)
        ]
        if config["trimming"]["tool"] != "none":
            files.append(f"{RESULTS}/qc/trimming/{kind}/{name}.{config['trimming']['tool']}.json")
        files.append(
            f"{RESULTS}/qc/star/{name}.Log.final.out" if ALIGNER == "star" else f"{RESULTS}/qc/hisat2/{name}.txt"
        )
        files.append(f"{RESULTS}/qc/flagstat/{name}.json")
        if config["quantification"]["tool"] == "featurecounts":
            files.append(f"{RESULTS}/qc/featurecounts/{name}.txt.summary")
        else:
            files.append(f"{RESULTS}/qc/htseq/{name}.htseq.txt")
    return files


if FROM_READS:

    rule multiqc:
        """All single-sample QC on one page, the sample status first."""
        input:
            files=multiqc_inputs(),
            samples=f"{RESULTS}/samples.tsv",
        output:
            html=f"{RESULTS}/multiqc/multiqc_report.html",
            files=f"{RESULTS}/multiqc/files.txt",
            status=f"{RESULTS}/multiqc/sample_status_mqc.tsv",
        log:
            f"{RESULTS}/logs/multiqc/cohort.log",
        benchmark:
            f"{RESULTS}/benchmarks/multiqc/cohort.tsv"
        resources:
            mem_mb=megabytes(2000, per_input_mb=5),
            runtime=minutes(30),
        params:
            folder=f"{RESULTS}/multiqc",
            columns="sample,status,reason,reads,mapped_pct,assigned_pct,strandedness,flags",
            library=LIBRARY,
        conda:
            "../envs/multiqc.yaml"
        script:
            "../scripts/multiqc.py"


rule report:
    """One self-contained page from sample flow to predictions."""
    input:
        samples=f"{RESULTS}/samples.tsv",
        cohort=f"{RESULTS}/cohort.h5ad",
        components=f"{RESULTS}/expression/pca.tsv",
        comparison=f"{RESULTS}/models/comparison.tsv",
        metrics=[f"{RESULTS}/models/{model}/metrics.json" for model in MODELS],
        predictions=[f"{RESULTS}/models/{model}/predictions.tsv" for model in MODELS],
        bundle=f"{RESULTS}/bundle/manifest.json",
        new=f"{RESULTS}/predictions.tsv" if NEW else [],
    output:
        f"{RESULTS}/report.html",
    log:
        f"{RESULTS}/logs/report/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report/report.tsv"
    resources:
        mem_mb=megabytes(2000),
        runtime=minutes(20),
    params:
        config=config,
        library=LIBRARY,
    conda:
        "../envs/report.yaml"
    script:
        "../scripts/report.py"
