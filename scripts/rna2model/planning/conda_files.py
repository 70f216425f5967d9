"""Which conda environments a run needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rna2model.inputs.sheet import Sample


def used(
    config: Mapping[str, Any], samples: Sequence[Sample], trained: bool, predicted: bool, gpus: int = 0
) -> list[str]:
    """Names of the environments (files of envs/ without .yaml) of all rules that the config and the sheet ask for.

    config : the checked config; samples : [Sample] that are processed
    trained : whether models are trained; predicted : whether any sample is predicted; gpus : GPUs of one training job
    """
    trimmer, aligner, counter = (config[key]["tool"] for key in ("trimming", "alignment", "quantification"))
    aligned = aligner != "none" or any(sample.bam for sample in samples)
    rseqc, selected = config["qc"]["rseqc_fragments"], config["alignment"]["min_mapq"]
    sequenced = any(not sample.bam for sample in samples)
    for_reads = {
        "reads": True,
        "sra": any(sample.accessions for sample in samples),
        "fastqc": sequenced and config["qc"]["fastqc_reads"],
        trimmer: sequenced and trimmer != "none",
        "bowtie2": config["trimming"]["rrna"],
        "umi_tools": config["trimming"]["umi"],
        aligner: aligner != "none",
        "samtools": aligned and (not rseqc or selected),
        "rseqc": aligned and rseqc,
        {"featurecounts": "subread"}.get(counter, counter): True,
        "multiqc": True,
    }
    for_cohort = {
        "python": True,
        "explore": trained,
        "torch": trained or predicted,
        "torch_gpu": gpus > 0,
        "explain": trained,
        "report": True,
    }
    needed = (for_reads if not config["counts"] else {}) | for_cohort
    return [name for name, is_used in needed.items() if is_used]
