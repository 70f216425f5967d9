"""Translate the config into command line options of each tool and options of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rna2model import models

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from rna2model.inputs.sheet import Sample


class ToolOptions:
    """Command line options of the tools of single samples.

    config : the checked config; samples : {name: Sample}; layout : function of a sample's name (`SamplePaths.layout`)
    """

    def __init__(
        self, config: Mapping[str, Any], samples: Mapping[str, Sample], layout: Callable[[str], str]
    ) -> None:
        self.config, self.samples, self.layout = config, samples, layout
        self.trimming = config["trimming"]

    def umi_patterns(self, layout: str) -> str:
        """umi_tools extract: N is kept as identifier, X stays in the read."""
        umi = self.trimming["umi"]
        first, second = [umi, ""] if isinstance(umi, str) else umi or ["", ""]
        patterns = {"--bc-pattern": first, "--bc-pattern2": second if layout == "paired" else ""}
        return " ".join(f"{option}={pattern}" for option, pattern in patterns.items() if pattern)

    def adapters(self, first: str, second: str, layout: str) -> str | None:
        """Options `first` (R1) and `second` (R2, refused without one) with the given sequences; None when they are to be found."""
        sequences = self.trimming["adapters"]
        if sequences == "auto":
            return None
        pairs = zip(
            (first, second),
            (sequences[0], sequences[-1]) if layout == "paired" else sequences[:1],
            strict=False,
        )
        return " ".join(f"{option} {sequence}" for option, sequence in pairs)

    def poly_g_options(self, tool: str) -> str:
        """Two words for a shell array: the tool's options for a library without, and with, artificial tails of G."""
        without, with_tails = {
            "fastp": ("--disable_trim_poly_g", "--trim_poly_g"),
            "cutadapt": ("--quality-cutoff 20", "--nextseq-trim 20"),
            "trim_galore": ("", "--2colour 20"),
        }[tool]
        setting = self.trimming["poly_g"]
        words = (without, with_tails) if setting == "auto" else (with_tails if setting else without,) * 2
        return " ".join(f"'{word}'" for word in words)

    def fastp_options(self, layout: str) -> str:
        """Options of fastp, which detects adapters unless the config names them."""
        adapters = self.adapters("--adapter_sequence", "--adapter_sequence_r2", layout)
        if adapters is None:
            adapters = "--detect_adapter_for_pe" if layout == "paired" else ""  # the default of single ends
        poly_a = "--trim_poly_x" if self.trimming["poly_a"] else ""
        packing = "" if self.config["keep"]["trimmed"] else "--compression 1"
        return " ".join(filter(None, [adapters, poly_a, packing, "--dont_eval_duplication"]))

    def cutadapt_options(self, layout: str) -> str:
        """Options of cutadapt; adapters of Illumina TruSeq unless the config names others."""
        truseq = ["-a AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", "-A AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"]
        adapters = " ".join(truseq if layout == "paired" else truseq[:1])
        poly_a = "--poly-a" if self.trimming["poly_a"] else ""
        return " ".join(filter(None, [self.adapters("-a", "-A", layout) or adapters, poly_a]))

    def trim_galore_options(self, layout: str) -> str:
        """Options of Trim Galore, which detects adapters unless the config names them."""
        pairing = "--paired" if layout == "paired" else ""
        return " ".join(filter(None, [pairing, self.adapters("-a", "-a2", layout)]))

    def selection(self) -> str:
        """samtools expression of the alignments that are counted, and of reads that have none."""
        return (
            f"mapq >= {self.config['alignment']['min_mapq']} || (flag.unmap && (flag.munmap || !flag.paired))"
        )

    def salmon_library(self, wildcards: Any) -> str:
        """Library type for Salmon, which infers the strandedness unless the sheet states it."""
        kind = {"unstranded": "U", "forward": "SF", "reverse": "SR"}.get(
            self.samples[wildcards.sample].strandedness
        )
        if kind is None:
            return "A"
        return f"I{kind}" if self.layout(wildcards.sample) == "paired" else kind


def training_options(config: Mapping[str, Any], model: str, torch_models: Collection[str]) -> dict[str, Any]:
    """Training options of one model, so that a change for one model does not retrain the others.

    torch_models : those that are networks
    """
    training, design = config["training"], config["design"]
    options: dict[str, Any] = (
        {"search": {model: training["search"][model]}} if model in training["search"] else {}
    )
    if design["task"] == "classification":
        options |= {key: training[key] for key in ("imbalance", "calibration", "threshold")}
        if design["positive"] is not None:  # classes as text, as the sheet has them
            options["positive"] = str(design["positive"])
    if own := config.get("own_models", {}).get(model):  # the text of its file: an edit trains the model again
        options["own"] = own
    if "stack" in config.get("models", ()) and model in models.members(
        design["task"], config["models"], config.get("own_models")
    ):
        options["held_out"] = True
    if model in torch_models:
        options |= {key: training[key] for key in ("seeds", "pretrained", "tensorboard")}
    return options
