"""Use a frozen bundle and train nothing: its manifest defines how samples are processed, so that the config need not.

What the user's config says must agree with it, and so must reference files; all of it is checked before any job.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rna2model.cohort import units
from rna2model.core.errors import InputProblem
from rna2model.core.paths import locate
from rna2model.reference import annotation, checksums, fingerprint, index_store
from rna2model.serving import manifest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rna2model.inputs.sheet import Sample

COUNTING = ("trimming", "alignment", "quantification")
OUTCOME = ("target", "task", "positive", "time", "event", "covariates")
# Keys of `expression` that serving sets itself or that only the exploration reads.
UNCOMPARED = ("unseen_batch", "gene_sets", "combat_seq")
OF_MATRIX = ("min_counts",)  # limits of `qc` that concern a matrix
ALIGNER_INDEX = {"star", "hisat2"}


def is_frozen(user_config: Mapping[str, Any]) -> bool:
    """Whether a user's config asks for a bundle that is not trained again."""
    training = user_config.get("training")
    return isinstance(training, dict) and training.get("retrain") == "never"


def folder(user_config: Mapping[str, Any], folders: Sequence[str | Path]) -> str | Path:
    """The bundle of a user's config: `training.bundle`, or that of the results folder."""
    named = user_config["training"].get("bundle")
    return locate(named or f"{user_config.get('results') or 'results'}/bundle", folders)


def prepare(
    user_config: dict[str, Any], folders: Sequence[str | Path]
) -> tuple[dict[str, Any], dict[str, Any] | None, list[str]]:
    """(the user's config completed from the bundle, the manifest or None, problems)."""
    where = folder(user_config, folders)
    try:
        made = manifest.read(where)
    except InputProblem as problem:
        hint = (
            ""
            if user_config["training"].get("bundle")
            else "; name one as training.bundle, or train with retrain: auto"
        )
        return user_config, None, [f"config: training.retrain never needs a bundle: {problem}{hint}"]
    if not user_config["training"].get("allow_code") and (refusal := manifest.code_refusal(where, made)):
        return user_config, None, [f"config: training.allow_code: {refusal}"]
    full = copy.deepcopy(user_config)
    full["training"]["bundle"] = str(where)
    own = {name: made[name] for name in ("design",) if made.get(name)} | _expression(made)
    if made.get("qc") and user_config.get("counts"):
        own["qc"] = {key: made["qc"][key] for key in OF_MATRIX if key in made["qc"]}
    if made.get("counting") and not user_config.get("counts"):
        own |= {name: made["counting"][name] for name in COUNTING} | {"qc": made["qc"]}
    for section, values in own.items():
        if isinstance(full.get(section) or {}, dict):
            values = {key: value for key, value in values.items() if key not in ("gene_sets", "combat_seq")}
            full[section] = {**values, **(full.get(section) or {})}
    if isinstance(full.get("evaluation") or {}, dict):  # nothing is held out without training
        full["evaluation"] = {
            **(full.get("evaluation") or {}),
            "leave_one_batch_out": False,
            "holdout": None,
            "transfer": None,
        }
    full.setdefault("counts_unit", made.get("counts_unit", "counts"))
    return full, made, _files(full, made, where)


def _expression(made):
    """{"expression": settings} of a bundle, if it has them; a bundle without the spike-ins setting treated spike-ins
    as genes."""
    return {"expression": {"spike_ins": "keep", **made["expression"]}} if made.get("expression") else {}


def _files(full, made, where):
    """Use the recorded reference files if the user names none; problems if they no longer exist."""
    if full.get("counts"):
        return []
    if not made.get("counting"):
        return [
            f"config: counts is missing: {where} was trained on a matrix that does not say how its reads were counted, so new"
            " samples have to come as a matrix, too"
        ]
    problems = []
    reference = full["reference"] = dict(full.get("reference") or {})
    for key, what in (("fasta", "genome"), ("gtf", "annotation")) if not reference.get("name") else ():
        recorded = Path(made["reference"][key])
        if not reference.get(key) and recorded.is_file():
            reference[key] = str(recorded)
        elif not reference.get(key):
            problems.append(
                f"config: reference.{key} is missing: {where} was made with the {what} {recorded.name}"
                f" (sha256 of its content {made['reference'][f'{key}_sha256'][:12]}), which is no longer at {recorded}."
                f" Give it: reference.{key} in the config, or REFERENCE= of make predict"
            )
    rrna = made["counting"]["trimming"].get("rrna")
    if rrna and full["trimming"].get("rrna") == rrna and not Path(rrna).is_file():
        problems.append(
            f"config: trimming.rrna: {where} was made with {rrna}, which is not there; name where it is now"
        )
    if not problems and not reference.get("index"):
        reference["index"] = _index(made, full)
    return problems


def _index(made, full):
    """The index that training used, if it still exists for the same reference; never one that this run makes."""
    index = made.get("index")
    if not index or full["alignment"]["tool"] not in ALIGNER_INDEX or not Path(index).is_dir():
        return None
    if index_store.is_broken(index):  # its store is gone; the store of the config is tried
        return None
    if Path(index).resolve().is_relative_to(Path(full.get("results") or "results").resolve()):
        return None
    beside = Path(index).parent / "reference.json"
    if not beside.is_file():
        return index  # an index of the user; its sequences are checked before use
    return None if _differences(made, _recorded(beside)) else index


def _recorded(path):
    try:
        return json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}


def _differences(made, now):
    keys = ("fasta_sha256", "gtf_sha256")
    return [key for key in keys if made["reference"][key] != now.get(key)]


def differences(made: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Problems (list of str) of a complete config that differs from its frozen bundle."""
    where = config["training"]["bundle"]
    differing = [
        f"design.{key}: the bundle says {made['design'].get(key)!r}, the config {config['design'].get(key)!r}"
        for key in OUTCOME
        if made.get("design") and made["design"].get(key) != config["design"].get(key)
    ]
    if made.get("counts_unit", "counts") != units.of_cohort(config["counts_unit"]):
        differing.append(
            f"counts_unit: the bundle says {made['counts_unit']!r}, the config {config['counts_unit']!r}"
        )
    own = _expression(made) or {"expression": config["expression"]}
    now = {"expression": dict(config["expression"])}
    if now["expression"]["adapt_samples"] == "auto":  # the batch model of the bundle has its own
        now["expression"]["adapt_samples"] = own["expression"].get("adapt_samples")
    if made.get("counting") and not config["counts"]:
        own |= made["counting"]
        now |= {name: config[name] for name in COUNTING}
    skip = {f"expression.{key}" for key in UNCOMPARED} | set(fingerprint.UNCOMPARED)
    differing += [
        text.replace("these samples", "the config")
        for text in fingerprint.setting_differences(own, now, skip)
    ]
    return [
        f"config: {text}. {where} is frozen: leave the key out to take what the bundle says, or train anew"
        for text in differing
    ]


def reference_problems(made: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Problems of reference files that differ from those of the bundle; reads the files, or the run's record of them."""
    try:
        if config["counts"]:
            beside = fingerprint.read_beside(config["counts"])
            if not (beside and made.get("counting")):
                return []
            differing = fingerprint.counting_differences(made, beside)
        else:
            differing = fingerprint.reference_differences(made["reference"], _facts(made, config))
            differing += _rrna(made, config)
    except InputProblem as problem:
        differing = [str(problem)]
    where = config["training"]["bundle"]
    return [
        f"{text}. {where} cannot serve such samples: use what it was made with, or train anew"
        for text in differing
    ]


def _facts(made, config):
    """Facts of the config's reference (fingerprint.of_reference), from the run's record or the cache where possible."""
    fasta, gtf = Path(config["reference"]["fasta"]), Path(config["reference"]["gtf"])
    record = Path(config["results"]) / "reference" / "reference.json"
    known = _recorded(record)
    if (
        all(known.get(key) == str(path.absolute()) for key, path in (("fasta", fasta), ("gtf", gtf)))
        and max(fasta.stat().st_mtime, gtf.stat().st_mtime) < record.stat().st_mtime
    ):
        return known
    digest, lengths = checksums.genome(fasta)
    if made["reference"].get("gtf_text_sha256") == checksums.unpacked(gtf):
        return {
            **made["reference"],
            "fasta": str(fasta),
            "fasta_sha256": digest,
            "contig_lengths": lengths,
        } | {
            "contigs": len(lengths),
            "genome_bases": sum(lengths.values()),
        }
    counting = config["quantification"]
    gene_model = annotation.read(gtf, counting["feature"], counting["attribute"])
    return fingerprint.of_reference(fasta, gtf, lengths, digest, gene_model)


def _rrna(made, config):
    path = config["trimming"]["rrna"]
    now = checksums.genome(path)[0] if path else None
    if now == made.get("rrna_sha256"):
        return []
    return [f"trimming.rrna: {path or 'none'} does not hold the sequences that the bundle was made with"]


def add_columns(samples: Mapping[str, Sample], design: Mapping[str, Any]) -> None:
    """Add design columns that a sheet of new samples may lack, as empty cells; covariates are not added, since they
    are required."""
    roles = [design[role] for role in ("target", "time", "event", "batch", "group")]
    for sample in samples.values():
        for column in filter(None, roles):
            sample.metadata.setdefault(column, "")


def training_is_there(results: Path, config: Mapping[str, Any]) -> bool:
    """Whether `results` (a Path) holds the run that made the frozen bundle, whose scores the report can then show."""
    own = results / "bundle"
    if Path(config["training"]["bundle"]).resolve() != own.resolve():
        return False
    files = ("metrics.json", "predictions.tsv")
    return all((results / "models" / name / file).is_file() for name in config["models"] for file in files)
