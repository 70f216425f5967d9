"""The config's choices in the words of each tool."""

from types import SimpleNamespace

import pytest

from rna2model.planning import conda_files, tool_options
from rna2model.planning.tool_options import ToolOptions

TRIMMING = {"adapters": "auto", "poly_g": "auto", "poly_a": False, "umi": None}


def options(layout="paired", strandedness="auto", min_mapq=0, keep=False, **trimming):
    config = {"trimming": TRIMMING | trimming, "alignment": {"min_mapq": min_mapq}, "keep": {"trimmed": keep}}
    return ToolOptions(config, {"a": SimpleNamespace(strandedness=strandedness)}, lambda sample: layout)


@pytest.mark.parametrize(
    ("umi", "layout", "patterns"),
    [
        ("NNNN", "paired", "--bc-pattern=NNNN"),
        (["NNXX", "NN"], "paired", "--bc-pattern=NNXX --bc-pattern2=NN"),
        (["NNXX", "NN"], "single", "--bc-pattern=NNXX"),
        (None, "paired", ""),
    ],
)
def test_umi_patterns_are_those_of_umi_tools(umi, layout, patterns):
    assert options(umi=umi).umi_patterns(layout) == patterns


def test_given_adapters_go_to_the_mates_that_there_are():
    both, one = options(adapters=["AAA", "CCC"]), options(adapters=["AAA"])
    assert "--adapter_sequence AAA --adapter_sequence_r2 CCC" in both.fastp_options("paired")
    assert both.cutadapt_options("single") == "-a AAA"
    assert one.trim_galore_options("paired") == "--paired -a AAA -a2 AAA"
    assert "-A AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT" in options().cutadapt_options("paired")
    assert "--detect_adapter_for_pe" in options().fastp_options("paired")


@pytest.mark.parametrize(
    ("poly_g", "words"),
    [
        ("auto", "'--disable_trim_poly_g' '--trim_poly_g'"),
        (True, "'--trim_poly_g' '--trim_poly_g'"),
        (False, "'--disable_trim_poly_g' '--disable_trim_poly_g'"),
    ],
)
def test_tails_of_g_are_trimmed_by_the_reads_or_as_the_config_says(poly_g, words):
    assert options(poly_g=poly_g).poly_g_options("fastp") == words


def test_reads_that_stay_are_packed_well_and_tails_of_a_go_where_asked():
    assert "--compression 1" in options().fastp_options("single")
    kept = options(keep=True, poly_a=True).fastp_options("single")
    assert "--compression" not in kept and "--trim_poly_x" in kept
    assert options(poly_a=True).cutadapt_options("single").endswith("--poly-a")


@pytest.mark.parametrize(
    ("strandedness", "layout", "library"),
    [("auto", "paired", "A"), ("reverse", "paired", "ISR"), ("forward", "single", "SF"), ("unstranded", "single", "U")],
)  # fmt: skip
def test_salmon_is_told_the_strandedness_of_the_sheet(strandedness, layout, library):
    assert options(layout, strandedness).salmon_library(SimpleNamespace(sample="a")) == library


def test_reads_without_a_place_pass_the_filter_of_mapping_quality():
    assert options(min_mapq=10).selection() == "mapq >= 10 || (flag.unmap && (flag.munmap || !flag.paired))"


def test_training_options_of_a_model_hold_nothing_of_others():
    training = {
        "search": {"mlp": {"hidden": [8]}},
        "imbalance": "auto",
        "calibration": "none",
        "threshold": "default",
    }
    training |= {"seeds": 2, "pretrained": None, "tensorboard": False}
    config = {"training": training, "design": {"task": "classification", "positive": 1}}
    svm = tool_options.training_options(config, "linear_svm", ["mlp"])
    assert svm == {"imbalance": "auto", "calibration": "none", "threshold": "default", "positive": "1"}
    mlp = tool_options.training_options(config, "mlp", ["mlp"])
    assert mlp["search"] == {"mlp": {"hidden": [8]}} and mlp["seeds"] == 2
    config["design"] = {"task": "regression", "positive": None}
    assert tool_options.training_options(config, "ridge", ["mlp"]) == {}


def environments(counts=None, trained=True, predicted=False, gpus=0, bam=None, **tools):
    config = {
        "counts": counts,
        "trimming": {"tool": tools.get("trimmer", "fastp"), "rrna": None, "umi": None},
        "alignment": {"tool": tools.get("aligner", "star"), "min_mapq": tools.get("min_mapq", 0)},
        "quantification": {"tool": tools.get("counter", "featurecounts")},
        "qc": {"fastqc_reads": 1, "rseqc_fragments": tools.get("rseqc", 1)},
    }
    return conda_files.used(config, [SimpleNamespace(bam=bam, accessions=[])], trained, predicted, gpus)


def test_only_environments_of_the_tools_in_use_are_made():
    cohort = ["python", "explore", "torch", "explain", "report"]
    assert environments(counts="x.tsv") == cohort
    assert environments(counts="x.tsv", trained=False) == ["python", "report"]
    assert environments(counts="x.tsv", trained=False, predicted=True) == ["python", "torch", "report"]
    assert environments() == [
        "reads",
        "fastqc",
        "fastp",
        "star",
        "rseqc",
        "subread",
        "multiqc",
        *cohort,
    ]
    assert environments(trimmer="none", aligner="none", counter="htseq", bam="x.bam", gpus=1) == [
        "reads", "rseqc", "htseq", "multiqc", "python", "explore", "torch", "torch_gpu", "explain", "report"
    ]  # fmt: skip
    for made in (environments(rseqc=0), environments(min_mapq=10)):  # otherwise samtools comes with RSeQC
        assert "samtools" in made
