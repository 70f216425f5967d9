"""Which samples enter the cohort: each one is judged alone, by numbers that add up and limits from the config.

One flag looks at the others: a library of another strandedness than most.
"""


rule tally_fragments:
    """Fates of all fragments of a sample, which must add up, and its quality metrics."""
    input:
        unpack(evidence),
        genes=f"{REFERENCE}/genes.tsv",
        reference=f"{REFERENCE}/reference.json",
    output:
        f"{QC}.json",
    log:
        f"{RESULTS}/logs/tally_fragments/{{sample}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tally_fragments/{{sample}}.tsv"
    retries: 2
    conda:
        "../../envs/reads.yaml"
    resources:
        mem_mb=megabytes(500),
        runtime=minutes(5),
    params:
        trimmer=TRIMMER,
        counter=COUNTER,
        mates=(lambda wildcards: len(mates(wildcards.sample))) if config["trimming"]["rrna"] else None,
        selects="selected" in FILTERS,
        min_length=config["trimming"]["min_length"] if TRIMMER != "none" else None,
    script:
        "../../scripts/tally_fragments.py"


rule qc_gate:
    """Status of every sample of the sheet: included, or excluded with a reason."""
    input:
        facts=sample_facts(USED),
    output:
        report(
            f"{RESULTS}/samples.tsv",
            caption="../../resources/report/captions/samples.rst",
            category="Samples",
            labels={"content": "Status of every sample"},
        ),
    log:
        f"{RESULTS}/logs/qc_gate/cohort.log",
    benchmark:
        f"{RESULTS}/benchmarks/qc_gate/cohort.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=megabytes(1000),
        runtime=minutes(10),
    params:
        used=USED,
        excluded={name: sample.exclude for name, sample in SAMPLES.items() if sample.exclude},
        metadata=metadata(SAMPLES),
        limits=LIMITS,
        library=code_of("qc_gate.py"),
    script:
        "../../scripts/qc_gate.py"


use rule qc_gate as qc_gate_training with:
    input:
        facts=sample_facts(LABELLED),
    output:
        f"{RESULTS}/splits/samples.tsv",
    log:
        f"{RESULTS}/logs/qc_gate/training.log",
    benchmark:
        f"{RESULTS}/benchmarks/qc_gate/training.tsv"
    params:
        used=list(LABELLED),
        excluded={},
        metadata=design_cells(list(LABELLED)),
        limits=LIMITS,
        library=code_of("qc_gate.py"),


use rule qc_gate_training as qc_gate_unlabelled with:
    input:
        facts=sample_facts(PRETRAINING),
    output:
        f"{RESULTS}/splits/unlabelled.tsv",
    log:
        f"{RESULTS}/logs/qc_gate/unlabelled.log",
    benchmark:
        f"{RESULTS}/benchmarks/qc_gate/unlabelled.tsv"
    params:
        used=PRETRAINING,
        excluded={},
        metadata=metadata(PRETRAINING),
        limits=LIMITS,
        library=code_of("qc_gate.py"),
