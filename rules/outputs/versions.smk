"""Software versions of the results: each environment of the run is queried once, whatever the number of samples."""

import snakemake
from rna2model import __version__
from rna2model.planning import conda_files, versions

ENVIRONMENTS = conda_files.used(
    config, [SAMPLES[name] for name in USED], not FROZEN, bool(NEW or EXTERNAL), GPUS
)


if not STORE:  # else the machine that starts the run has other software than the jobs

    localrules:
        ask_versions,
        gather_versions,


rule ask_versions:
    """Versions queried inside one environment: its own programs with conda, else those of the machine."""
    input:
        local(f"{REPOSITORY}/envs/{{environment}}.yaml"),
    output:
        temp(f"{RESULTS}/versions/{{environment}}.tsv"),
    log:
        f"{RESULTS}/logs/ask_versions/{{environment}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_versions/{{environment}}.tsv"
    conda:
        "../../envs/{environment}.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(5),
    params:
        question=lambda wildcards, input: versions.question(input[0]),
    shell:
        "( {params.question} ) > {output} 2> {log}"


rule ask_gpu:
    """Device, driver and CUDA, queried by a job that gets a GPU like the training jobs."""
    output:
        temp(f"{RESULTS}/versions_gpu.tsv"),
    log:
        f"{RESULTS}/logs/ask_gpu/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_gpu/cohort.tsv"
    conda:
        "../../envs/torch_gpu.yaml"
    resources:
        mem_mb=megabytes(3000),
        runtime=minutes(5),
        gpu=GPUS,
    params:
        library=code_of("ask_gpu.py"),
    script:
        "../../scripts/ask_gpu.py"


rule gather_versions:
    """Software, version, and the environments that have it."""
    input:
        expand(f"{RESULTS}/versions/{{environment}}.tsv", environment=ENVIRONMENTS),
        f"{RESULTS}/versions_gpu.tsv" if GPUS else [],
    output:
        f"{RESULTS}/versions.tsv",
    log:
        f"{RESULTS}/logs/gather_versions/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/gather_versions/cohort.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(5),
    params:
        environments=ENVIRONMENTS + (["GPU job"] if GPUS else []),
        workflow={"rna2model": __version__, "snakemake": snakemake.__version__},
        library=code_of("gather_versions.py"),
    script:
        "../../scripts/gather_versions.py"
